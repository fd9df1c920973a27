"""Which addresses of documents a page may link to."""

from __future__ import annotations

import re

_LINKED = frozenset({"http", "https"})
_SKIPPED_BY_BROWSERS = re.compile(r"[\x00-\x20]+")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)


def link_of(url: str) -> str:
    """Return an address that is http, https or relative as it is, "" for any other, such as `javascript:`."""
    scheme = _SCHEME.match(_SKIPPED_BY_BROWSERS.sub("", url))
    return url if scheme is None or scheme[1].lower() in _LINKED else ""
