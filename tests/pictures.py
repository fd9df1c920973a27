"""Pictures that the product draws, read again."""

from __future__ import annotations

from xml.etree import ElementTree


def read_picture(picture: str) -> ElementTree.Element:
    """Return the root of a picture; fails where it is no XML."""
    return ElementTree.fromstring(picture)  # noqa: S314  drawn by the code under test; no stranger has written into it
