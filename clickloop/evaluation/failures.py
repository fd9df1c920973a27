"""Why a system failed a query: the likeliest of a few well-known reasons (pure).

A query is failed when none of its relevant documents is among the first ten. The reasons are read
off texts and judgments, first match first; they say where to look, not what is proven.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

REASONS = {
    "unjudged": "No result among the ten was ever judged, so nobody knows whether they answer.",
    "rare identifier": "The query names a part number or the like that few documents hold, the relevant one too.",
    "negation or number": "The query turns on a negation or a number, which neither vectors nor word counts respect.",
    "lexical mismatch": "The relevant document says it in other words: it holds under half of the query's.",
    "ambiguous": "Ten or more documents hold every word of the query.",
    "other": "None of the above.",
}
"""Reasons in the order in which they are tried, with what they mean."""

DEPTH = 10
_WORD = re.compile(r"[\w-]*\w")
_NEGATIONS = frozenset({"not", "no", "non", "without", "except", "never", "cannot", "don't", "isn't"})
_STEM = 5
_RARE_SHARE = 0.01
_MIN_WORD = 3
_STOP_WORDS = frozenset({"the", "and", "for", "with", "how", "what", "are", "can", "does", "from", "into", "that"})


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed query.

    Attributes:
        reason: One of `REASONS`.
        relevant: Id of its best relevant document.
        shown: Id of what stood on top instead, "" for nothing.
    """

    query: str
    text: str
    reason: str
    relevant: str
    shown: str


class Texts:
    """Documents as sets of word stems, to look reasons up in; `documents` are titles and texts by id."""

    def __init__(self, documents: Mapping[str, str]) -> None:
        self._stems = {name: frozenset(stems_of(text)) for name, text in documents.items()}
        self._words = {name: frozenset(words_of(text)) for name, text in documents.items()}

    def holding(self, stems: Iterable[str]) -> int:
        """Return how many documents hold all of some stems."""
        wanted = frozenset(stems)
        return sum(wanted <= held for held in self._stems.values())

    def share_held(self, document: str, stems: Sequence[str]) -> float:
        """Return the share of stems that a document holds, 1 without stems."""
        held = self._stems.get(document, frozenset())
        return sum(stem in held for stem in stems) / len(stems) if stems else 1.0

    def is_rare(self, word: str, document: str) -> bool:
        """Tell whether a document holds a word that at most one in a hundred does."""
        if word not in self._words.get(document, ()):
            return False
        return sum(word in words for words in self._words.values()) <= max(1.0, _RARE_SHARE * len(self._words))


def find_failures(
    queries: Mapping[str, str],
    judgments: Mapping[str, Mapping[str, int]],
    rankings: Mapping[str, Sequence[str]],
    texts: Texts,
) -> list[Failure]:
    """Return the failed queries of one system, each with its likeliest reason; a grade above 0 is relevant."""
    judges_negatives = any(grade <= 0 for grades in judgments.values() for grade in grades.values())
    failures = []
    for query, grades in judgments.items():
        relevant = max(grades, key=lambda name: grades[name], default="")
        top = list(rankings.get(query, ()))[:DEPTH]
        if not relevant or grades[relevant] <= 0 or any(grades.get(name, 0) > 0 for name in top):
            continue
        unjudged = judges_negatives and bool(top) and not any(name in grades for name in top)
        reason = "unjudged" if unjudged else _reason(queries[query], relevant, texts)
        failures.append(Failure(query, queries[query], reason, relevant, top[0] if top else ""))
    return failures


def _reason(text: str, relevant: str, texts: Texts) -> str:
    words, stems = words_of(text), stems_of(text)
    if any(is_identifier(word) and texts.is_rare(word, relevant) for word in words):
        return "rare identifier"
    if any(word in _NEGATIONS or word.isdecimal() for word in words):
        return "negation or number"
    if texts.share_held(relevant, stems) < 1 / 2:
        return "lexical mismatch"
    return "ambiguous" if texts.holding(stems) >= DEPTH else "other"


def is_identifier(word: str) -> bool:
    """Tell whether a word mixes letters and digits."""
    return any(letter.isdigit() for letter in word) and any(letter.isalpha() for letter in word)


def words_of(text: str) -> list[str]:
    """Return the words of a text in small letters."""
    return _WORD.findall(text.casefold())


def stems_of(text: str) -> list[str]:
    """Return the beginnings of the words that say something."""
    return [word[:_STEM] for word in words_of(text) if len(word) >= _MIN_WORD and word not in _STOP_WORDS]
