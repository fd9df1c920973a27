"""Where the words of a query stand in a text, as it is written there."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Callable, Sequence

from foundation.language.folding import fold
from serving.index.lexical.words import cut_words, place_words

Mark = tuple[int, int]
"""First character of a marked part of a text, and the one behind its last."""

Stems = Callable[[list[str]], list[str]]

_CLINGING = frozenset({"Mn", "Mc", "Me", "Cf"})
"""Categories of characters that belong to the one before them: marks and joiners."""


class Highlighter:
    """Marks the words of one query.

    Args:
        query: What is searched for.
        stems: Returns the stem of each word, as the index does.
    """

    def __init__(self, query: str, stems: Stems) -> None:
        words = cut_words(query)
        self._stems = stems
        self._names = {*words.plain, *words.whole, *words.parts}
        self._wanted = {*self._names, *stems(words.plain)}

    def find(self, text: str) -> list[Mark]:
        """Return the parts of a text that are words of the query, in its order, none touching another."""
        folded, places = _fold_in_place(text)
        words = list(place_words(folded))
        names = [name for word in words for name in word.names]
        stems = dict(zip(names, self._stems(names), strict=True))
        found = sorted(
            (places[word.start][0], places[word.end - 1][1])
            for word in words
            if any(name in self._names or stems[name] in self._wanted for name in word.names)
        )
        return _merge(found)


def mark_html(text: str, marks: Sequence[Mark]) -> str:
    """Return a text as HTML in which the marks are `<mark>` elements and all else is escaped."""
    parts, end = [], 0
    for start, stop in marks:
        parts += [html.escape(text[end:start]), f"<mark>{html.escape(text[start:stop])}</mark>"]
        end = stop
    return "".join([*parts, html.escape(text[end:])])


def _fold_in_place(text: str) -> tuple[str, list[Mark]]:
    """Return the normal form of a text, and of each of its characters the part of the text that it comes from."""
    if text.isascii():
        return text.lower(), [(at, at + 1) for at in range(len(text))]
    folded, places = [], []
    starts = [at for at, letter in enumerate(text) if not at or unicodedata.category(letter) not in _CLINGING]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        form = fold(text[start:end])
        folded.append(form)
        places += [(start, end)] * len(form)
    return "".join(folded), places


def _merge(found: list[Mark]) -> list[Mark]:
    marks: list[Mark] = []
    for start, end in found:
        if marks and start <= marks[-1][1]:
            marks[-1] = (marks[-1][0], max(end, marks[-1][1]))
        else:
            marks.append((start, end))
    return marks
