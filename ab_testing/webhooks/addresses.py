"""Which addresses of the internet are anybody's (pure)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 addresses behind a translator (RFC 6052): the last 32 bits."""


def is_public(address: str) -> bool:
    """Return whether an address is neither private, loopback, link-local nor otherwise special.

    One of IPv6 that carries one of IPv4 is public only if both are.
    """
    found = ip_address(address)
    return all(one.is_global and not one.is_multicast and not _is_site_local(one) for one in (found, *_carried(found)))


def _is_site_local(address: IPv4Address | IPv6Address) -> bool:
    return isinstance(address, IPv6Address) and address.is_site_local


def _carried(address: IPv4Address | IPv6Address) -> tuple[IPv4Address, ...]:
    if isinstance(address, IPv4Address):
        return ()
    if address in _TRANSLATED:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    inside = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))
    return tuple(one for one in inside if one is not None)
