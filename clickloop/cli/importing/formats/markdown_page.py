"""Markdown files: front matter, title and text without marks (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from clickloop.cli.importing.formats.html_page import visible_text
from clickloop.cli.importing.formats.json_values import plain

_FRONT = re.compile(r"---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_TAKEN = frozenset({"id", "text", "fields"})
_PARSER = MarkdownIt("commonmark").enable("table")


def read_page(content: bytes) -> dict[str, Any]:
    """Return title, text and front matter of a Markdown file.

    The title is the front matter's, else the first heading, which the text then leaves out. Code
    is kept; pictures are their descriptions, links their words. Front matter named `id`, `text` or
    `fields` becomes a field of that name.

    Raises:
        ValueError: It is not UTF-8, or its front matter is not YAML; the message says where.
    """
    front, body = _split(content.decode("utf-8-sig"))
    tokens = _PARSER.parse(body)
    title = str(front.pop("title", "") or "")
    headings = (index for index, token in enumerate(tokens) if token.type == "heading_open")
    if not title and (place := next(headings, None)) is not None:
        title = _inline(tokens[place + 1].children or ())
        del tokens[place : place + 3]
    kept = {name: front.pop(name) for name in _TAKEN & front.keys()}
    return front | {"title": title, "text": "\n".join(_blocks(tokens)).strip(), "fields": kept}


def _split(text: str) -> tuple[dict[str, Any], str]:
    match = _FRONT.match(text)
    if match is None:
        return {}, text
    try:
        front = plain(yaml.safe_load(match[1]) or {})
        if not isinstance(front, dict):
            raise TypeError(f"names and values are expected, not {type(front).__name__}")
        return front, text[match.end() :]
    except (yaml.YAMLError, TypeError) as problem:
        raise ValueError(f"its front matter cannot be read: {' '.join(str(problem).split())}") from problem


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield _inline(token.children or ())
        elif token.type in {"fence", "code_block"}:
            yield token.content.rstrip("\n")
        elif token.type == "html_block" and (text := visible_text(token.content)):
            yield text


def _inline(tokens: Sequence[Token]) -> str:
    return "".join(_piece(token) for token in tokens).strip()


def _piece(token: Token) -> str:
    match token.type:
        case "text" | "code_inline":
            return token.content
        case "image":
            return _inline(token.children or ())
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
    return ""
