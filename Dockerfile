# One image for every role: serve, serve --role api, collect, retrain, migrate.
FROM python:3.12-slim AS build
WORKDIR /source
ARG TORCH_INDEX=
COPY . .
RUN python -m venv /opt/clickloop \
 && /opt/clickloop/bin/pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} '.[postgres,kafka]'

# For replicas that only answer (docker build --target answering): no torch, a quarter of the size. The first replica
# of an installation needs the whole image, for it exports the encoder; versions carry what it exported.
FROM python:3.12-slim AS answering-build
WORKDIR /source
COPY . .
RUN python -m venv /opt/clickloop \
 && /opt/clickloop/bin/pip install --no-cache-dir -r requirements/answering.txt \
 && /opt/clickloop/bin/pip install --no-cache-dir --no-deps .

FROM python:3.12-slim AS base
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

FROM base AS answering
COPY --from=answering-build /opt/clickloop /opt/clickloop
CMD ["serve", "--role", "api"]

FROM base
COPY --from=build /opt/clickloop /opt/clickloop
