"""Talks to a running service over HTTP, for the command line."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Any

import httpx

from foundation.clock import SystemClock, monotonic_s
from foundation.errors import ClickloopError, FieldFault, NotReady

KEY_VARIABLE = "CLICKLOOP_KEY"

_LOOK_AGAIN_S = 0.02
_MAX_DIGITS = 9
"""Of seconds that anybody could wait."""


class Refused(ClickloopError):
    """The service refused the request.

    Attributes:
        code: The HTTP status it answered with.
        retry_after_s: Seconds that it asks to wait, 0 when it does not say.
    """

    status = 400
    slug = "refused"

    def __init__(
        self, detail: str, fields: tuple[FieldFault, ...] = (), code: int = 400, retry_after_s: int = 0
    ) -> None:
        super().__init__(detail, fields)
        self.code = code
        self.retry_after_s = retry_after_s


class Remote:
    """A running service and one of its collections.

    Args:
        url: Address of the service.
        collection: Named with every request when given; else the service takes the key's, or `default`.

    Attributes:
        collection: As given, "" when not.

    The key in the environment variable CLICKLOOP_KEY is sent along.
    """

    def __init__(self, url: str, collection: str | None = None, timeout_s: float = 60.0) -> None:
        self.url = url.rstrip("/")
        self.collection = collection or ""
        headers = {"Clickloop-Collection": collection} if collection is not None else {}
        if key := os.environ.get(KEY_VARIABLE):
            headers["Authorization"] = f"Bearer {key}"
        self._client = httpx.Client(base_url=self.url, headers=headers, timeout=timeout_s)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def get(self, path: str) -> Any:
        """Return the JSON answer to a GET; Refused with the problem's words when it is no success."""
        return self._ask("GET", path)

    def post(self, path: str, body: Any) -> Any:
        """Return the JSON answer to a POST; Refused with the problem's words when it is no success."""
        return self._ask("POST", path, json=body)

    def patch(self, path: str, body: Any) -> Any:
        """Return the JSON answer to a PATCH; Refused with the problem's words when it is no success."""
        return self._ask("PATCH", path, json=body)

    def put_lines(self, path: str, lines: str) -> Any:
        """Return the JSON answer to a PUT of NDJSON."""
        return self._ask("PUT", path, content=lines.encode(), headers={"Content-Type": "application/x-ndjson"})

    def delete(self, path: str, body: Any) -> Any:
        """Return the JSON answer to a DELETE that carries what to delete."""
        return self._ask("DELETE", path, json=body)

    def await_ready(self, timeout_s: float, check: Callable[[], None] = lambda: None) -> None:
        """Wait until the service is ready; NotReady when it is not within `timeout_s`.

        Args:
            check: Called between looks; may raise when there is nothing left to wait for.
        """
        deadline = monotonic_s() + timeout_s
        while monotonic_s() < deadline:
            check()
            try:
                if self._client.get("/readyz").is_success:
                    return
            except httpx.TransportError:
                pass  # not listening yet: that is what is waited for
            time.sleep(0.1)
        raise NotReady(f"the service at {self.url} is not ready after {timeout_s:.0f} s; read its log")

    def await_champion(self, version: str, timeout_s: float = 30.0) -> tuple[int, float]:
        """Wait until every replica serves `version`; return how many do, 0 where none reports, and the seconds."""
        started = monotonic_s()
        while monotonic_s() - started < timeout_s:
            replicas = self.get("/v1/versions")["replicas"]
            if all(replica["version"] == version for replica in replicas):
                return len(replicas), monotonic_s() - started
            time.sleep(_LOOK_AGAIN_S)
        raise NotReady(f"not every replica serves {version} after {timeout_s:.0f} s: {replicas}")

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        try:
            response = self._client.request(method, path, **options)
        except httpx.TransportError as problem:
            raise NotReady(
                f"no service answers at {self.url}: {problem}; start one with `clickloop serve`"
            ) from problem
        if response.is_success:
            return response.json()
        body: dict[str, Any] = (
            response.json() if "json" in response.headers.get("content-type", "") else {"detail": response.text}
        )
        faults = tuple(FieldFault(fault["field"], fault["reason"]) for fault in body.get("errors", []))
        told = "; ".join(f"{fault.field}: {fault.reason}" for fault in faults)
        detail = f"{response.status_code} {body.get('detail', '')} {told}".strip()
        raise Refused(detail, faults, response.status_code, _retry_after_s(response.headers.get("retry-after", "")))


def _retry_after_s(written: str) -> int:
    """Return the seconds of a `Retry-After` header, a number or a date (RFC 9110 section 10.2.3), 0 for neither."""
    if written.isdecimal() and len(written) <= _MAX_DIGITS:
        return int(written)
    try:
        return max(0, ceil((parsedate_to_datetime(written) - SystemClock().now()).total_seconds()))
    except (TypeError, ValueError):  # a date that cannot be read, or one without a zone
        return 0
