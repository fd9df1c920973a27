"""Whom the clicks of an interleaved list prefer (pure).

Only competitive slots have a team and earn credit. A search weighs less the lower its first competitive slot stands,
for few people click down there. Weight and teams are fixed before any click, and exchanging control and treatment gives
an equally likely list of the same weight. So the expected preference is 0 for any rankings under clicks that ignore
what stands where.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from foundation.contracts import TEAMS

MAX_WEIGHT = 2520
"""The weight of a search whose first slot is competitive; every rank from 1 to 10 divides it."""

CONTROL, *TREATMENTS = TEAMS


class SearchPreference(NamedTuple):
    """Whom the clicks of one search prefer.

    Attributes:
        side: 1 treatment, -1 control, 0 neither.
        weight: How much the search counts, from `MAX_WEIGHT` for rankings that differ at once down to
            `MAX_WEIGHT` // k for those that differ from rank k on.
    """

    side: int
    weight: int


def preference(
    teams: Sequence[str], clicked_ranks: Iterable[int], treatment: str = TREATMENTS[0]
) -> SearchPreference | None:
    """Return whether one search's clicks prefer a treatment to the control, None when it offered no choice.

    Args:
        teams: The team of each slot, index 0 is rank 1.
        clicked_ranks: Clicked ranks, from 1; ranks outside the list are ignored.
        treatment: The side that is compared with the control; what both wanted in a round earns neither credit.
    """
    earned = [_credit(team, treatment) for team in teams]
    first = next((rank for rank, credit in enumerate(earned, 1) if credit), 0)
    if not first:
        return None
    total = sum(earned[rank - 1] for rank in set(clicked_ranks) if 1 <= rank <= len(teams))
    return SearchPreference((total > 0) - (total < 0), MAX_WEIGHT // first)


def _credit(team: str, treatment: str) -> int:
    wanted_by = team.split("+")
    return (treatment in wanted_by) - (CONTROL in wanted_by)
