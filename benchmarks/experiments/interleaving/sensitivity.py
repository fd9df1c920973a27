"""How many fewer searches interleaving takes than an A/B test, and whether both agree with the judgments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks.experiments import bars
from benchmarks.experiments.interleaving.searches import (
    Clicks,
    Lists,
    prefer,
    searches_of_preference,
    searches_of_rates,
)
from benchmarks.experiments.interleaving.versions import VersionPair, make_pairs
from benchmarks.harness.report import Bar, Findings
from simulator.users import User, make_user

REPEATS, QUICK_REPEATS = 40, 4
"""Times that every visit searches, each time with another draw of chance."""

BOUNDS = {"trust": 8.0, "cascade": 30.0}
"""How many times fewer searches interleaving has to take, by family of users."""

_BATCHES = 8


@dataclass(frozen=True, slots=True)
class Compared:
    """One pair as both kinds of experiment see it.

    Attributes:
        ndcg: Change of nDCG@10 by judgments.
        preference: Of the interleaved searches.
        click_rate: Change of the share of searches with a click, exactly.
        interleaving: Searches for 80% power at 5%; in an A/B test both arms' together.
        unweighted: The same were every search with a choice to weigh alike.
    """

    pair: str
    users: str
    ndcg: float
    preference: float
    click_rate: float
    interleaving: float
    unweighted: float
    ab: float

    @property
    def fewer(self) -> float:
        """How many times more searches the A/B test takes."""
        return self.ab / self.interleaving


def sensitivity(seed: int, quick: bool, data: Path | None = None) -> Findings:
    """Return a bar for each family of users, and every pair as it was seen."""
    pairs = list(make_pairs(data, seed, quick))
    repeats = QUICK_REPEATS if quick else REPEATS
    found: list[Bar] = []
    rows: list[Compared] = []
    for family, bound in BOUNDS.items():
        compared, error = _compare_all(pairs, family, repeats, seed)
        rows += compared
        figure = bars.Figure(median(one.fewer for one in compared), error)
        what = (
            f"{family} users, {len(pairs)} pairs: times fewer searches than an A/B test of the click rate, the median"
        )
        bar = bars.at_least(f"ab.interleaving.fewer_searches.{family}", what, figure, bound=bound, quick=quick)
        found.append(Bar(**bar))
    return Findings(found, {"agreement": _agreement(rows), "pairs": [asdict(one) for one in rows]})


def _compare_all(pairs: Sequence[VersionPair], family: str, repeats: int, seed: int) -> tuple[list[Compared], float]:
    """Return all pairs as users of a family see them, and the Monte-Carlo error of the median ratio."""
    rows: list[Compared] = []
    batches: list[list[float]] = []
    for place, pair in enumerate(pairs):
        user = make_user(family, max_grade=pair.max_grade)
        signed, weights = prefer(_searches(pair, user, repeats), np.random.default_rng([seed, place]))
        row = _compare(pair, family, user, signed, weights)
        parts = zip(np.array_split(signed, _BATCHES), np.array_split(weights, _BATCHES), strict=True)
        batches.append([row.ab / searches_of_preference(*part) for part in parts])
        rows.append(row)
    medians = np.median(np.array(batches), axis=0)
    return rows, float(medians.std(ddof=1)) / _BATCHES**0.5


def _compare(
    pair: VersionPair, family: str, user: User, signed: NDArray[np.int64], weights: NDArray[np.int64]
) -> Compared:
    control, treatment = (_click_rate(pair, user, side) for side in (0, 1))
    return Compared(
        pair=pair.name,
        users=family,
        ndcg=round(pair.truth, 4),
        preference=round(float(signed.sum() / weights.sum()), 4),
        click_rate=round(treatment - control, 4),
        interleaving=round(searches_of_preference(signed, weights)),
        unweighted=round(searches_of_preference(np.sign(signed), np.sign(weights))),
        ab=round(searches_of_rates(control, treatment)),
    )


def _searches(pair: VersionPair, user: User, repeats: int) -> Iterator[tuple[Lists, Clicks]]:
    for _ in range(repeats):
        for lists, grades in zip(pair.lists, pair.grades, strict=True):
            yield lists, partial(_click, user, grades)


def _click(user: User, grades: dict[str, int], shown: Sequence[str], random: np.random.Generator) -> list[int]:
    return user.clicks([grades.get(document, 0) for document in shown], random)


def _click_rate(pair: VersionPair, user: User, side: int) -> float:
    lists = zip(pair.lists, pair.grades, strict=True)
    return float(np.mean([user.click_rate([grades.get(one, 0) for one in both[side]]) for both, grades in lists]))


def _agreement(rows: Sequence[Compared]) -> dict[str, str]:
    """Return how often two of the three say that the same side is better."""
    found = {}
    for one, other in combinations(("preference", "click_rate", "ndcg"), 2):
        same = sum(getattr(row, one) * getattr(row, other) > 0 for row in rows)
        found[f"{one} and {other}"] = f"{same} of {len(rows)}"
    return found
