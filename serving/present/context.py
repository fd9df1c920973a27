"""The passages that answer a question, as a chatbot reads them: no two alike, within a budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from serving.index.fingerprint import WORDS, dice, fingerprint

CHARACTERS_A_TOKEN = 4
"""Characters of English in a language model's token, on average; budgets are counted by this rule."""

_ALIKE = 0.85


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage that may answer.

    Attributes:
        document: Which of the documents it is from, by their number.
        position: Its number in the document.
        score: How well it answers.
    """

    document: int
    position: int
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
        budget: Most tokens altogether; a passage that does not fit is left out, a shorter one may follow.
    """
    chosen: list[int] = []
    left = budget
    fingerprints = [fingerprint(passage.text) for passage in passages]
    for number in sorted(range(len(passages)), key=lambda number: -passages[number].score):
        cost = count_tokens(passages[number].text)
        taken = np.array([fingerprints[other] for other in chosen], np.uint64).reshape(-1, WORDS)
        if cost <= left and not (dice(fingerprints[number], taken) > _ALIKE).any():
            chosen.append(number)
            left -= cost
    return sorted(_join([passages[number] for number in chosen]), key=lambda excerpt: -excerpt.score)


def count_tokens(text: str) -> int:
    """Return about how many tokens of a language model a text takes, at least 1."""
    return max(1, -(-len(text) // CHARACTERS_A_TOKEN))


def _join(chosen: list[RankedPassage]) -> list[Excerpt]:
    joined: list[list[RankedPassage]] = []
    for passage in sorted(chosen, key=lambda passage: (passage.document, passage.position)):
        last = joined[-1][-1] if joined else None
        if last and (last.document, last.position + 1) == (passage.document, passage.position):
            joined[-1].append(passage)
        else:
            joined.append([passage])
    return [
        Excerpt(
            document=group[0].document,
            text=" ".join(passage.text for passage in group),
            score=max(passage.score for passage in group),
            tokens=sum(count_tokens(passage.text) for passage in group),
        )
        for group in joined
    ]
