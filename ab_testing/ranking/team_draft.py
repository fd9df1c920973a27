"""Team-draft interleaving of two or three rankings in one list.

Radlinski, Kurup and Joachims (CIKM 2008); for more than two rankings Schuth et al. (CIKM 2014). Each round, every
ranking puts its best unused document, and chance decides the order within the round. A document that several of them
want in the same round is put once, for all of them. So the documents of each round follow from the rankings alone, and
exchanging two sides changes nothing but the order of equally likely lists: whatever is counted of clicks that ignore
what stands where, its expectation is the same for all sides, exactly, for rankings of any length.

Only competitive slots have a team and earn credit: not what all rankings would put next, such as their common prefix,
and nothing from the round on in which a ranking has no documents left. What clicks on them say is `preference` of the
collector's.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from foundation.contracts import TEAMS


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of an interleaved list.

    Attributes:
        team: The sides that wanted it in its round, joined by +; "" where it earns no credit.
        propensity: Probability, over the draws of chance, that this document stands at this rank.
    """

    document_id: str
    team: str
    propensity: float


def interleave(rankings: Sequence[Sequence[str]], k: int, seed: int) -> list[Slot]:
    """Interleave ranked lists of document ids to at most `k` slots.

    The first slots of a longer list are those of a shorter one, also where the rankings go on for it: what a ranking
    adds below its first k documents changes none of the first k slots.

    Args:
        rankings: One for each of the first `TEAMS`, the control's first: distinct ids, best first.
        k: Length of the list, at least 0; shorter when the rankings hold fewer documents.
        seed: The same rankings and seed give the same list.
    """
    chance = random.Random(seed)
    slots: list[Slot] = []
    for wanted in rounds(rankings):
        if len(slots) >= k:
            break
        documents = list(wanted)
        chance.shuffle(documents)  # takes no randomness for a single one
        slots += [Slot(document, wanted[document], 1 / len(documents)) for document in documents]
    return slots[:k]


def rounds(rankings: Sequence[Sequence[str]]) -> Iterator[dict[str, str]]:
    """Yield the documents of each round, each with its team; within a round all orders are equally likely."""
    left = [deque(ranking) for ranking in rankings]
    used: set[str] = set()
    ended = False
    while True:
        wanted: dict[str, list[str]] = {}
        for team, documents in zip(TEAMS, left, strict=False):
            while documents and documents[0] in used:
                documents.popleft()
            if documents:
                wanted.setdefault(documents[0], []).append(team)
        if not wanted:
            return
        ended = ended or not all(left)
        competes = not ended and len(wanted) > 1
        yield {document: "+".join(teams) if competes else "" for document, teams in wanted.items()}
        used.update(wanted)
