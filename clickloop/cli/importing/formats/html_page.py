"""HTML pages: title, main text and what the head says of them (pure)."""

from __future__ import annotations

import re
from typing import Any

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

_UNREAD = "script, style, nav, footer, noscript, template, iframe, svg, [role=navigation], [role=contentinfo]"
_MAIN = ("main", "[role=main]", "article", "body")
_BLOCKS = re.compile(
    "^(?:address|article|aside|blockquote|br|d[dlt]|div|fieldset|figcaption|figure|form|h[1-6r]|header|li|main|[ou]l|p|pre|"
    "section|table|t[dhr])$"
)
_SPACE = re.compile(r"\s+")


def read_page(content: bytes) -> dict[str, Any]:
    """Return title, text, url, description and lang of an HTML page, those that it has.

    The title is the `title` element's, else the first `h1`. The text is that of the only `main` or
    `article` where there is one, without navigation, scripts, styles and footers; every block is a
    line of its own, and `pre` keeps its lines.
    """
    page = BeautifulSoup(content, "lxml")
    heading = page.find("h1")
    title = _line(page.find("title")) or _line(heading)
    found = {
        "title": title,
        "url": _attribute(page, "link[rel~=canonical]", "href"),
        "description": _attribute(page, "meta[name=description]", "content"),
        "lang": _attribute(page, "html[lang]", "lang"),
    }
    text = _visible(page)
    for told in (title, _line(heading)):
        text = text.removeprefix(told).lstrip("\n")
    return {name: value for name, value in found.items() if value} | {"text": text}


def visible_text(fragment: str) -> str:
    """Return the text of a piece of HTML."""
    return _visible(BeautifulSoup(f"<body>{fragment}</body>", "lxml"))


def _visible(page: BeautifulSoup) -> str:
    for unread in page.select(_UNREAD):
        unread.decompose()
    area = next((only[0] for name in _MAIN if len(only := page.select(name)) == 1), page)
    for text in area.find_all(string=lambda text: type(text) is NavigableString):
        if text.find_parent("pre") is None:
            text.replace_with(_SPACE.sub(" ", text))
    for block in area.find_all(_BLOCKS):
        block.insert_before("\n")
        block.insert_after("\n")
    lines = (line.rstrip() for line in area.get_text().split("\n"))
    return "\n".join(line for line in lines if line).strip()


def _line(tag: Any) -> str:
    return _SPACE.sub(" ", tag.get_text()).strip() if isinstance(tag, Tag) else ""


def _attribute(page: BeautifulSoup, selector: str, name: str) -> str:
    tag = page.select_one(selector)
    return str(tag.get(name) or "").strip() if tag is not None else ""
