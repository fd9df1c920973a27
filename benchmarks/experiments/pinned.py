"""How much of a difference an A/B test sees when both sides read live evidence, and when they read pinned evidence.

The truth is the difference between two worlds: in one everybody gets the control's lists, in the other everybody gets
the treatment's, and each world learns from its own users only. Where an A/B test shares live evidence, the control uses
what the treatment's users found.

Effects are differences in the share of searches with a click. Both sides' lists of every visit are rated by the users'
own click probabilities, so that only the evidence that grows is left to chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ab_testing.design.assignment import position
from benchmarks.experiments.bars import Bar, Figure, at_least
from benchmarks.harness.evaluation import DEPTH, EvaluationHarness, open_harness
from benchmarks.learning.closed_loop import Votes
from collector.fold.lists import ShownList
from collector.fold.outcomes import Outcome
from foundation.contracts import query_key
from foundation.packed_evidence import pack
from foundation.settings import Settings
from serving.ranking.live_evidence import LiveMemory
from serving.ranking.pipeline import Ranker
from serving.ranking.retrieval import FirstStage, retrieve
from simulator.docstrings import package_folders, parse_docstrings
from simulator.traffic import Traffic
from simulator.users import TrustUser

DOCUMENTS = 250
VISITS, QUICK_VISITS = 2000, 600
BEFORE = 0.5
"""Share of the visits that come before the test begins: everybody gets the control's lists."""

SEEDS, QUICK_SEEDS = 6, 3
PEOPLE = 400
BOUND = 0.85
"""Share of the effect between separate worlds that an A/B test with pinned evidence has to see."""

_RENEWALS = 7
_REFRESHED_EVERY = 20
_START = datetime(2026, 1, 5, tzinfo=UTC)
_BETWEEN_SEARCHES = timedelta(seconds=60)
_USER = TrustUser(noise=0.05)

Side = Literal["control", "treatment"]
BOTH: tuple[Side, Side] = ("control", "treatment")


def pinned_evidence(seed: int, quick: bool) -> list[Bar]:
    """Return what one A/B test sees of the effect between worlds: words alone against words and meaning."""
    harness = open_harness(parse_docstrings(package_folders(("numpy",)), DOCUMENTS), Settings())
    visits, seeds = (QUICK_VISITS, QUICK_SEEDS) if quick else (VISITS, SEEDS)
    effects = np.array([list(_effects(harness, seed + number, visits)) for number in range(seeds)])
    worlds = effects[:, 0]
    of = f"of the effect between separate worlds, {worlds.mean():+.4f} in clicked searches of {visits} visits"
    ways = (
        ("ab.pinned.share_of_effect", f"pinned evidence: share {of}", BOUND),
        ("ab.pinned.shared_instead", f"beside it, shared evidence: share {of}", 0.0),
        ("ab.pinned.renewed_instead", f"beside it, evidence pinned anew {_RENEWALS - 1} times: share {of}", 0.0),
    )
    shares = (_share(effects[:, way], worlds) for way in (2, 1, 3))
    return [
        at_least(name, what, share, bound=bound, quick=quick)
        for (name, what, bound), share in zip(ways, shares, strict=True)
    ]


def _share(seen: NDArray[np.float64], worlds: NDArray[np.float64]) -> Figure:
    """Return the share that was seen over all seeds, and its standard error."""
    share = float(seen.mean() / worlds.mean())
    spread = float(np.std(seen - share * worlds, ddof=1))
    return Figure(share, spread / math.sqrt(len(seen)) / abs(float(worlds.mean())))


def _effects(harness: EvaluationHarness, seed: int, visits: int) -> Iterator[float]:
    """Yield the difference between worlds, and what a test sees by shared, by pinned and by renewed evidence."""
    control, treatment = (fmean(_Audience(harness, seed).rates((side,), visits)[side]) for side in BOTH)
    yield treatment - control
    for pins in (0, 1, _RENEWALS):
        rates = _Audience(harness, seed).rates(BOTH, visits, pins)
        yield fmean(rates["treatment"]) - fmean(rates["control"])


class _Audience:
    """People who search; what they click is evidence."""

    def __init__(self, harness: EvaluationHarness, seed: int) -> None:
        self._harness = harness
        self._traffic = Traffic(harness.collection, seed, PEOPLE)
        self._salt = f"split/{seed}"
        self._votes = Votes(Settings.model_fields["lists_per_user"].default)
        self._waiting: set[str] = set()
        self._live = self._memory()
        self._reads_live = Ranker(harness.corpus, harness.untaught(), self._live)
        self._ranker = self._reads_live
        self._found: dict[str, FirstStage] = {}
        self._lists: dict[tuple[Side, str], list[str]] = {}

    def rates(self, sides: tuple[Side, ...], visits: int, pins: int = 0) -> dict[Side, list[float]]:
        """Return, by side, the probability that its list is clicked, visit by visit of the test.

        Args:
            sides: Whose lists are shown then: one side's to everybody, or each side's to half of the people.
            pins: How often evidence is pinned, the first time at the start; 0 lets the lists read what is live.
        """
        start = round(BEFORE * visits)
        pinned_at = {start + (visits - start) * number // pins for number in range(pins)}
        rates: dict[Side, list[float]] = {side: [] for side in sides}
        for number in range(visits):
            if number % _REFRESHED_EVERY == 0:
                self._refresh(number)
            if number in pinned_at:
                self._pin()
            for side, rate in self._visit(number, sides if number >= start else ("control",)).items():
                if number >= start:
                    rates[side].append(rate)
        return rates

    def _visit(self, number: int, sides: tuple[Side, ...]) -> dict[Side, float]:
        visit = self._traffic.visit(number)
        key = query_key(self._harness.collection.queries[visit.query_id])
        asked = self._harness.asked.get(key, {})
        lists = {side: self._list(side, key) for side in sides}
        grades = {side: [asked.get(name, 0) for name in names] for side, names in lists.items()}
        side = sides[int(position(self._salt, str(visit.person)) * len(sides))]
        clicked = _USER.clicks(grades[side], self._traffic.chance(number))
        ranks = {name: rank for rank, name in enumerate(lists[side], start=1)}
        shown = ShownList(str(number), _START + number * _BETWEEN_SEARCHES, ranks, Outcome(clicked=tuple(clicked)))
        self._waiting |= self._votes.add(key, visit.person, shown)
        return {side: _USER.click_rate(of) for side, of in grades.items()}

    def _list(self, side: Side, key: str) -> list[str]:
        if (side, key) not in self._lists:
            found = self._retrieve(key)
            hits = self._ranker.rank(found.without_meaning() if side == "control" else found, DEPTH).hits
            self._lists[side, key] = [hit.document_id for hit in hits]
        return self._lists[side, key]

    def _retrieve(self, key: str) -> FirstStage:
        if key not in self._found:
            self._found[key] = retrieve(self._harness.corpus, self._harness.query(key))
        return self._found[key]

    def _refresh(self, number: int) -> None:
        self._live.update(pack(self._votes.evidence(sorted(self._waiting))), number)
        self._waiting.clear()
        if self._ranker is self._reads_live:
            self._lists.clear()

    def _pin(self) -> None:
        pinned = self._memory()
        pinned.update(pack(self._votes.evidence()), 1)
        self._ranker = Ranker(self._harness.corpus, self._harness.untaught(), pinned)
        self._lists.clear()

    def _memory(self) -> LiveMemory:
        return LiveMemory(self._harness.vectors, self._harness.corpus.dense.dimension)
