"""The passages that answer a question, as a chatbot reads them: no two alike, within a budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from serving.index.fingerprint import dice, fingerprint

CHARACTERS_A_TOKEN = 4
"""What a token of a language model holds of English on average; budgets are kept by this rule."""

_ALIKE = 0.85


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage that may answer.

    Attributes:
        document: Which of the documents it is from, by their number.
        place: Its number in the document.
        score: How well it answers.
    """

    document: int
    place: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Neighbouring passages of one document in reading order.

    Attributes:
        score: The best of its passages' scores.
        tokens: Its length by the rule of four characters a token.
    """

    document: int
    text: str
    score: float
    tokens: int


def assemble(passages: Sequence[RankedPassage], budget: int) -> list[Excerpt]:
    """Return the best passages without near repetitions, joined where they are neighbours, best first.

    Args:
        passages: In any order.
        budget: Most tokens altogether; a passage that does not fit is left out, a shorter one may follow.
    """
    chosen: list[RankedPassage] = []
    left = budget
    fingerprints = (
        np.stack([fingerprint(passage.text) for passage in passages]) if passages else np.zeros((0, 8), np.uint64)
    )
    places: list[int] = []
    for number in sorted(range(len(passages)), key=lambda number: -passages[number].score):
        cost = count_tokens(passages[number].text)
        if cost > left or (places and (dice(fingerprints[number], fingerprints[places]) > _ALIKE).any()):
            continue
        chosen.append(passages[number])
        places.append(number)
        left -= cost
    return sorted(_join(chosen), key=lambda excerpt: -excerpt.score)


def count_tokens(text: str) -> int:
    """Return about how many tokens of a language model a text takes, at least 1."""
    return max(1, -(-len(text) // CHARACTERS_A_TOKEN))


def _join(chosen: list[RankedPassage]) -> list[Excerpt]:
    joined: list[list[RankedPassage]] = []
    for passage in sorted(chosen, key=lambda passage: (passage.document, passage.place)):
        last = joined[-1][-1] if joined else None
        if last and (last.document, last.place + 1) == (passage.document, passage.place):
            joined[-1].append(passage)
        else:
            joined.append([passage])
    return [_excerpt(group) for group in joined]


def _excerpt(group: list[RankedPassage]) -> Excerpt:
    text = " ".join(passage.text for passage in group)
    score = max(passage.score for passage in group)
    return Excerpt(group[0].document, text, score, sum(count_tokens(passage.text) for passage in group))
