"""The part of a document's text that speaks of the query."""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+")
_LENGTH = 200
_STEP = 40


def cut_snippet(text: str, query: str) -> str:
    """Return about 200 characters of `text` that hold the most different words of the query.

    Starts and ends at word borders; dots mark what is left out.
    """
    text = " ".join(text.split())
    if len(text) <= _LENGTH:
        return text
    wanted = {word[:5] for word in _WORD.findall(query.casefold()) if len(word) > 2}
    starts = range(0, len(text) - _LENGTH // 2, _STEP)
    best = max(starts, key=lambda start: (_count(text[start : start + _LENGTH].casefold(), wanted), -start))
    begin = 0 if best == 0 else text.find(" ", best) + 1
    end = text.rfind(" ", begin, begin + _LENGTH) if begin + _LENGTH < len(text) else len(text)
    return f"{'… ' if begin else ''}{text[begin:end]}{' …' if end < len(text) else ''}"


def _count(part: str, wanted: set[str]) -> int:
    return sum(word in part for word in wanted)
