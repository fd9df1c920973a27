"""Refuses what a page of another site makes a visitor's browser send: forged requests and rebound names.

A browser says where a request comes from (`Origin`, `Sec-Fetch-Site`, `Referer`) and which host it believes to ask
(`Host`). Programs say nothing of the kind and are not held up.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foundation.errors import ClickloopError, ForeignPage, Misdirected, UnsupportedMediaType
from foundation.sections import ANY_HOST, ANY_ORIGIN
from foundation.web.bodies import NDJSON_TYPES
from foundation.web.key_gate import ALGOLIA_SEARCHES, FOR_APPS
from foundation.web.problems import Refusals, refuse
from foundation.web.routes.paths import PathSet

READING = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing; no route of the service does otherwise."""
EVENT_PATHS = PathSet(
    {"/v1/events", "/ubi_queries", "/ubi_events", "/feedback", "/1/events", "/events"} | ALGOLIA_SEARCHES
)
"""Paths whose bodies are read as JSON whatever their type; beacons, clients of Algolia and `curl -d` tell another."""
PAGE_PATHS = FOR_APPS - {"/feedback", "/v1/rank", "/rank/{model}"}
"""Paths that pages of allowed origins may use, not those for back ends: what changes documents or brings candidates."""

_FOR_EVERYBODY = frozenset({"/client.js", "/search.js", "/healthz", "/readyz"})
_ELSEWHERE = frozenset({"cross-site", "same-site"})
_HEADERS = (b"host", b"origin", b"referer", b"sec-fetch-site", b"sec-fetch-dest", b"content-type")
_HOSTS_REMEMBERED = 64
_UNFRAMED = (b"x-frame-options", b"DENY")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+?)\.?(?::([0-9]{1,5}))?")
_USUAL_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class BrowserRequest:
    """What a request says of itself; texts are "" where it says nothing.

    Attributes:
        fetch_site: `Sec-Fetch-Site`, how the page that asks is related to the service.
        opens_page: Whether a browser asks for it as a page of its own, not as a part of another page.
    """

    method: str
    path: str
    host: str
    origin: str = ""
    referer: str = ""
    fetch_site: str = ""
    opens_page: bool = False
    content_type: str = ""

    @classmethod
    def of(cls, scope: Scope) -> BrowserRequest:
        """Return what the request of an ASGI scope says."""
        said = dict.fromkeys(_HEADERS, "")
        said |= {name: value.decode("latin-1").lower() for name, value in scope["headers"] if name in said}
        host, origin, referer, fetch_site, destination, content_type = said.values()
        return cls(
            method=scope["method"],
            path=scope["path"],
            host=host,
            origin=origin,
            referer=referer,
            fetch_site=fetch_site,
            opens_page=destination == "document",
            content_type=content_type.partition(";")[0].strip(),
        )


@dataclass(frozen=True, slots=True)
class Welcome:
    """Who is answered.

    Attributes:
        hosts: Names that the service has besides those of the loopback interface, with their ports where
            they are not the usual ones; `*` stands for any.
        addresses: Whether it is also asked by any IP address; nobody can rebind one.
        origins: Origins whose pages may use `PAGE_PATHS`; `*` stands for any.
    """

    hosts: frozenset[str] = frozenset()
    addresses: bool = False
    origins: frozenset[str] = frozenset()


def judge(asked: BrowserRequest, welcome: Welcome) -> ClickloopError | None:
    """Return why a request is refused, None when it is not."""
    if not _is_known_host(asked.host, welcome):
        return Misdirected(
            f"this service is not asked as {asked.host!r}; name it in CLICKLOOP_PUBLIC_HOSTS if that is its name"
        )
    if not _is_welcome(asked, welcome):
        return ForeignPage(
            f"a page of {asked.origin or 'another origin'} may not do this; CLICKLOOP_ALLOWED_ORIGINS names the "
            "pages that search and send events, CLICKLOOP_PUBLIC_HOSTS the hosts of this service"
        )
    if asked.method not in READING and not _is_json(asked):
        return UnsupportedMediaType(
            f"a body of {asked.content_type} is not taken here; send JSON and `Content-Type: application/json`"
        )
    return None


class SiteGate:
    """ASGI middleware that refuses requests by `judge`, before their bodies are read, and forbids to frame answers.

    Args:
        refusals: By path, how a refusal looks there; problem documents elsewhere.
    """

    def __init__(self, app: ASGIApp, welcome: Welcome, refusals: Refusals) -> None:
        self._app = app
        self._welcome = welcome
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on or answer 403, 415 or 421."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), _UNFRAMED]}
            await send(message)

        problem = judge(BrowserRequest.of(scope), self._welcome)
        answer = refuse(problem, scope["path"], self._refusals) if problem else self._app
        await answer(scope, receive, send_safely)


@lru_cache(_HOSTS_REMEMBERED)
def _is_known_host(host: str, welcome: Welcome) -> bool:
    if not host:  # a probe that speaks HTTP/1.0, as no browser does
        return True
    asked = _HOST.fullmatch(host)
    if asked is None or ANY_HOST in welcome.hosts:
        return asked is not None
    named = {own[1] for own in map(_HOST.fullmatch, welcome.hosts) if own}
    return is_loopback(asked[1]) or asked[1] in named or (welcome.addresses and _address_of(asked[1]) is not None)


def is_loopback(host: str) -> bool:
    """Return whether a host's name or address is one of this machine alone."""
    address = _address_of(host)
    return host == "localhost" or host.endswith(".localhost") or (address is not None and address.is_loopback)


def _address_of(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _is_welcome(asked: BrowserRequest, welcome: Welcome) -> bool:
    """Return whether a request comes from no page, from a page of the service, or from one that may do this."""
    reads = asked.method in READING
    if reads and (asked.opens_page or asked.method == "OPTIONS" or asked.path in _FOR_EVERYBODY):
        return True
    page = asked.origin or ("" if reads or asked.fetch_site else _origin_of(asked.referer))
    if asked.path in PAGE_PATHS and (ANY_ORIGIN in welcome.origins or page in welcome.origins):
        return True
    return asked.fetch_site not in _ELSEWHERE and (not page or _is_own(page, {asked.host, *welcome.hosts}))


def _origin_of(address: str) -> str:
    scheme, mark, rest = address.partition("://")
    return scheme + mark + rest.partition("/")[0]


def _is_own(origin: str, hosts: Collection[str]) -> bool:
    """Return whether an origin is one of the hosts.

    The scheme is not compared: a proxy that ends TLS does not pass it on, and the port shows most of it.
    """
    scheme, _, rest = origin.partition("://")
    usual = _USUAL_PORTS.get(scheme)
    page = _HOST.fullmatch(rest)
    if usual is None or page is None:
        return False
    own = {(host[1], host[2] or usual) for host in map(_HOST.fullmatch, hosts) if host}
    return (page[1], page[2] or usual) in own


def _is_json(asked: BrowserRequest) -> bool:
    """Return whether a body can only be meant as JSON: no HTML form sends one without a type."""
    kind = asked.content_type
    if asked.path in EVENT_PATHS:
        return not kind.startswith("multipart/")
    return kind in {"", "application/json"} or kind in NDJSON_TYPES or kind.endswith("+json")
