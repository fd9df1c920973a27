"""The part of a document's text that speaks of the query."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from foundation.language.folding import fold
from serving.index.lexical.words import cut_words, is_unspaced
from serving.index.passages import PASSAGE_WORDS, cut_passages

_LENGTH = 200
_STEP = 40
_TEXTS_KEPT = 1024
_QUERIES_KEPT = 256


def cut_snippet(text: str, query: str, meaning: Sequence[float] = (), words: int = PASSAGE_WORDS) -> str:
    """Return about 200 characters of `text` that hold the most different words of the query.

    Starts and ends at word borders; dots mark what is left out.

    Args:
        meaning: How near each passage of the text is to the query, in [-1, 1], by `cut_passages`; decides
            between passages with equally many words. Without it the first of them is taken.
        words: Of a passage.
    """
    passages, folded = _read(text, words)
    if sum(map(len, passages)) + len(passages) - 1 <= _LENGTH:
        return " ".join(passages)
    wanted = _read_wanted(query)
    near = meaning if len(meaning) == len(passages) else [0.0] * len(passages)
    best = max(range(len(passages)), key=lambda number: _count(folded[number], wanted) + near[number])
    snippet = _cut(passages[best], wanted)
    before = "… " if best and not snippet.startswith("…") else ""
    after = " …" if best < len(passages) - 1 and not snippet.endswith("…") else ""
    return f"{before}{snippet}{after}"


@lru_cache(_TEXTS_KEPT)
def _read(text: str, words: int) -> tuple[list[str], list[str]]:
    """Return the passages of a text, and their normal forms."""
    passages = cut_passages(text, words)
    return passages, list(map(fold, passages))


@lru_cache(_QUERIES_KEPT)
def _read_wanted(query: str) -> frozenset[str]:
    """Return how the words of a query begin."""
    words = cut_words(query).plain
    return frozenset(word[:5] for word in words if len(word) > 2 or word.isdigit() or is_unspaced(word))


def _cut(text: str, wanted: frozenset[str]) -> str:
    if len(text) <= _LENGTH:
        return text
    starts = range(0, len(text) - _LENGTH // 2, _STEP)
    best = max(starts, key=lambda start: (_count(fold(text[start : start + _LENGTH]), wanted), -start))
    begin = 0 if best == 0 else text.find(" ", best) + 1
    end = text.rfind(" ", begin, begin + _LENGTH) if begin + _LENGTH < len(text) else len(text)
    return f"{'… ' if begin else ''}{text[begin:end]}{' …' if end < len(text) else ''}"


def _count(part: str, wanted: frozenset[str]) -> int:
    return sum(map(part.__contains__, wanted))
