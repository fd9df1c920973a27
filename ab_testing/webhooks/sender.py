"""Sends one message to an address that was checked, in bounded time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from ab_testing.webhooks.addresses import is_public

TIMEOUT_S = 10.0
"""Longest attempt, from the name to the answer."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt ended.

    Attributes:
        result: delivered; refused (by the receiver); failed (nothing answered in time); forbidden (no public address).
        told: In words, without the path of the URL, which may hold a secret.
    """

    result: str
    told: str


async def send(
    url: str, body: str, headers: Mapping[str, str], *, private: bool, timeout_s: float = TIMEOUT_S
) -> Attempt:
    """Post a message once, to no redirect and by no proxy.

    The name is resolved once, every address that it has is checked, and the connection goes to one that was; so a
    name that changes its address meanwhile leads nowhere else.

    Args:
        private: Whether private, loopback and link-local addresses may be asked.
    """
    parts = httpx.URL(url)
    try:
        async with asyncio.timeout(timeout_s):
            addresses = await _resolve(parts)
            if not private and not all(map(is_public, addresses)):
                return Attempt("forbidden", f"{parts.host} has an address that is not public")
            return await _post(parts, addresses[0], body, headers)
    except TimeoutError:
        return Attempt("failed", f"{parts.host} did not answer within {timeout_s:g} s")
    except (OSError, UnicodeError, httpx.HTTPError, httpx.InvalidURL) as problem:
        return Attempt("failed", f"{parts.host}: {type(problem).__name__}")


async def _resolve(url: httpx.URL) -> list[str]:
    port = url.port or (443 if url.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def _post(url: httpx.URL, address: str, body: str, headers: Mapping[str, str]) -> Attempt:
    there = url.copy_with(host=address)
    named = {"Host": url.netloc.decode("ascii"), "Content-Type": "application/json", **headers}
    async with (
        httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=TIMEOUT_S) as client,
        client.stream(
            "POST", there, content=body.encode(), headers=named, extensions={"sni_hostname": url.host}
        ) as reply,
    ):
        if reply.is_success:
            return Attempt("delivered", f"{url.host} answered {reply.status_code}")
        return Attempt("refused", f"{url.host} answered {reply.status_code}")
