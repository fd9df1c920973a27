# One image for every role: serve, serve --role api, collect, retrain, migrate.
FROM python:3.12-slim AS build
WORKDIR /source
ARG TORCH_INDEX=
COPY . .
RUN python -m venv /opt/clickloop \
 && /opt/clickloop/bin/pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} '.[postgres,kafka]'

FROM python:3.12-slim
COPY --from=build /opt/clickloop /opt/clickloop
RUN useradd --uid 10001 --create-home clickloop && install --directory --owner clickloop /data
ENV PATH=/opt/clickloop/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CLICKLOOP_HOME=/data \
    CLICKLOOP_HOST=0.0.0.0 \
    CLICKLOOP_REQUIRE_KEYS=true
USER clickloop
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["clickloop"]
CMD ["serve"]
