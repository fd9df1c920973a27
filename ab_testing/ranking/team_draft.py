"""Team-draft interleaving (Radlinski, Kurup and Joachims, CIKM 2008): two rankings in one list.

Each round, the team with fewer picks puts its best unused document next; a fair coin decides ties.
A team without documents drops out and the other fills. What both rankings agree on at the top, the
longest common prefix, is shown as it is.

Only competitive slots have a team and earn credit: not the prefix, not a document that both teams would
have put next at the begin of a round, and nothing after a team ran out. What clicks on them say is
`preference` of the collector's.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Team = Literal["control", "treatment", ""]
_OTHER: dict[Team, Team] = {"control": "treatment", "treatment": "control"}


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of an interleaved list.

    Attributes:
        team: Whose pick it was, "" where it earns no credit.
        propensity: Probability, over the coin flips, that this document stands at this rank.
    """

    document_id: str
    team: Team
    propensity: float


class _State(NamedTuple):
    """Where a draft stands.

    Attributes:
        used: The used documents as bits.
        turn: Who ends the round, "" where a round begins and the coin is flipped.
        competed: Whether the first pick of the round earned credit.
    """

    used: int
    turn: Team = ""
    competed: bool = False


class _Pick(NamedTuple):
    probability: float
    team: Team
    document: int
    after: _State


def interleave(control: Sequence[str], treatment: Sequence[str], k: int, seed: int) -> list[Slot]:
    """Interleave two ranked lists of document ids to at most `k` slots.

    The used documents are always the top of one ranking joined with the top of the other, so there
    are at most k + 1 different states of the draft at a rank and the propensities are exact, at a
    cost of O(k**2) states at worst and O(k) for usual rankings.

    Args:
        control: Distinct ids, best first.
        treatment: Distinct ids, best first.
        k: Length of the list, at least 0; shorter when the rankings hold fewer documents.
        seed: The same rankings and seed give the same list.
    """
    control, treatment = control[:k], treatment[:k]
    shared = _common_prefix(control, treatment)
    documents = list(dict.fromkeys([*control[shared:], *treatment[shared:]]))
    index = {document: number for number, document in enumerate(documents)}
    orders: dict[Team, list[int]] = {
        "control": [index[document] for document in control[shared:]],
        "treatment": [index[document] for document in treatment[shared:]],
    }
    length = min(k - shared, len(documents))
    picks = _draw(orders, length, random.Random(seed))
    standing = _propensities(orders, length)
    prefix = [Slot(document, "", 1.0) for document in control[:shared]]
    drafted = zip(picks, standing, strict=True)
    return prefix + [Slot(documents[pick.document], pick.team, rank[pick.document]) for pick, rank in drafted]


def _common_prefix(one: Sequence[str], other: Sequence[str]) -> int:
    length = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        length += 1
    return length


def _picks(orders: dict[Team, list[int]], state: _State) -> list[_Pick]:
    """Return what may be put next.

    The second pick of a round earns credit if the first did. After a document that both wanted it does only while
    both have documents left: whichever team ends the round, its chance of credit is the same.
    """
    best = {
        team: document for team, order in orders.items() if (document := _first_unused(order, state.used)) is not None
    }
    both = len(best) == len(orders)
    if state.turn in best:
        return [_pick(state, state.turn, best[state.turn], 1.0, competes=state.competed or both)]
    begins = both and not state.turn
    competes = begins and best["control"] != best["treatment"]
    return [_pick(state, team, best[team], 1 / len(best), competes=competes, begins=begins) for team in best]


def _pick(
    state: _State, team: Team, document: int, probability: float, *, competes: bool, begins: bool = False
) -> _Pick:
    after = _State(state.used | 1 << document, _OTHER[team], competes) if begins else _State(state.used | 1 << document)
    return _Pick(probability, team if competes else "", document, after)


def _first_unused(order: list[int], used: int) -> int | None:
    return next((document for document in order if not used >> document & 1), None)


def _draw(orders: dict[Team, list[int]], length: int, coin: random.Random) -> list[_Pick]:
    drawn: list[_Pick] = []
    state = _State(0)
    for _ in range(length):
        options = _picks(orders, state)
        pick = options[coin.getrandbits(1)] if len(options) > 1 else options[0]
        drawn.append(pick)
        state = pick.after
    return drawn


def _propensities(orders: dict[Team, list[int]], length: int) -> list[dict[int, float]]:
    """Return, for each drafted rank, the probability of each document that can stand there."""
    ranks: list[dict[int, float]] = []
    states = {_State(0): 1.0}
    for _ in range(length):
        rank: dict[int, float] = {}
        after: dict[_State, float] = {}
        for state, reached in states.items():
            for pick in _picks(orders, state):
                probability = reached * pick.probability
                rank[pick.document] = rank.get(pick.document, 0.0) + probability
                after[pick.after] = after.get(pick.after, 0.0) + probability
        ranks.append(rank)
        states = after
    return ranks
