"""The one way from a program to a running clickloop: HTTP requests, and what the service says when it takes none."""

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

_READY_EVERY_S = 0.1
_MAX_QUOTED = 300
"""Characters of an answer that is no problem document."""
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


class ServiceClient:
    """One collection of a running service. Any number of threads may use it.

    Args:
        url: Address of the service.
        collection: Named with every request when given; else the service takes the key's, or `default`.
        timeout_s: Longest wait for one answer.
        options: Further arguments of `httpx.Client`.

    Attributes:
        collection: As given, "" when not.

    The key in the environment variable CLICKLOOP_KEY is sent along.
    """

    def __init__(self, url: str, collection: str | None = None, timeout_s: float = 60.0, **options: Any) -> None:
        self.url = url.rstrip("/")
        self.collection = collection or ""
        headers = make_headers(collection, os.environ.get(KEY_VARIABLE))
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout_s, **options)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str) -> Any:
        """Return the JSON answer to a GET; raises as `send`."""
        return self.send("GET", path)

    def post(self, path: str, body: Any) -> Any:
        """Return the JSON answer to a POST; raises as `send`."""
        return self.send("POST", path, json=body)

    def patch(self, path: str, body: Any) -> Any:
        """Return the JSON answer to a PATCH; raises as `send`."""
        return self.send("PATCH", path, json=body)

    def put_lines(self, path: str, lines: str) -> Any:
        """Return the JSON answer to a PUT of NDJSON; raises as `send`."""
        return self.send("PUT", path, content=lines.encode(), headers={"Content-Type": "application/x-ndjson"})

    def delete(self, path: str, body: Any) -> Any:
        """Return the JSON answer to a DELETE that carries what to delete; raises as `send`."""
        return self.send("DELETE", path, json=body)

    def send(self, method: str, path: str, **content: Any) -> Any:
        """Send one request, once, and return the JSON of its answer.

        Args:
            content: `json=`, or `content=` and `headers=`, as httpx takes them.

        Raises:
            NotReady: No service answers.
            Refused: It does not take the request; the message is the service's own.
            ClickloopError: Something else than clickloop answers.
        """
        reply = self._ask(method, path, **content)
        try:
            return reply.json()
        except ValueError as problem:
            answered = f"{method} {reply.url} answered {reply.status_code} with something else than JSON"
            raise ClickloopError(f"{answered}: {reply.text[:_MAX_QUOTED]!r}") from problem

    def download(self, path: str) -> bytes:
        """Return the bytes of the answer to a GET, whatever they are; raises NotReady and Refused as `send`."""
        return self._ask("GET", path).content

    def await_ready(self, timeout_s: float, check: Callable[[], None] = lambda: None) -> None:
        """Wait until the service is ready; NotReady when it is not within `timeout_s`.

        Args:
            check: Called between looks; may raise when there is nothing left to wait for.
        """
        deadline = monotonic_s() + timeout_s
        while monotonic_s() < deadline:
            check()
            try:
                if self._http.get("/readyz").is_success:
                    return
            except httpx.TransportError:
                pass  # not listening yet: that is what is waited for
            time.sleep(_READY_EVERY_S)
        raise NotReady(f"the service at {self.url} is not ready after {timeout_s:.0f} s; read its log")

    def _ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            reply = self._http.request(method, path, **content)
        except httpx.TransportError as problem:
            raise away(self.url, problem) from problem
        if not reply.is_success:
            raise refusal(reply)
        return reply


def make_headers(collection: str | None, key: str | None) -> dict[str, str]:
    """Return the headers that name a collection and carry a key, those that are given."""
    named = {"Clickloop-Collection": collection} if collection is not None else {}
    return named | ({"Authorization": f"Bearer {key}"} if key else {})


def away(url: str, problem: httpx.RequestError) -> NotReady:
    """Return the error that says that no service answers, and what to do."""
    return NotReady(f"no service answers at {url}: {describe(problem)}; start one with `clickloop serve`")


def refusal(reply: httpx.Response) -> Refused:
    """Return what an answer says that is no success."""
    words, faults = _read_problem(reply)
    told = "; ".join(f"{fault.field}: {fault.reason}" for fault in faults)
    detail = f"{reply.status_code} {words} {told}".strip()
    return Refused(detail, faults, reply.status_code, _retry_after_s(reply.headers.get("retry-after", "")))


def describe(problem: Exception) -> str:
    """Return an exception's words, its kind where it has none."""
    return str(problem) or type(problem).__name__


def _read_problem(reply: httpx.Response) -> tuple[str, tuple[FieldFault, ...]]:
    """Return what a problem document says and the fields it names; any other answer is quoted."""
    try:
        document = reply.json()
        faults = tuple(FieldFault(fault["field"], fault["reason"]) for fault in document.get("errors", ()))
        return document["detail"], faults
    except (ValueError, KeyError, TypeError, AttributeError):
        return reply.text[:_MAX_QUOTED], ()


def _retry_after_s(written: str) -> int:
    """Return the seconds of a `Retry-After` header, a number or a date (RFC 9110 section 10.2.3), 0 for neither."""
    if written.isdecimal() and len(written) <= _MAX_DIGITS:
        return int(written)
    try:
        return max(0, ceil((parsedate_to_datetime(written) - SystemClock().now()).total_seconds()))
    except (TypeError, ValueError):  # a date that cannot be read, or one without a zone
        return 0
