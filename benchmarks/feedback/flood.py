"""What floods of false clicks do to labels: a few machines that click without pause, and many false people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import fmean

import numpy as np
import numpy.typing as npt

from benchmarks.feedback.clicklog import (
    DEPTH,
    DOCUMENTS,
    QUERIES,
    ClickLog,
    Searches,
    document_name,
    draw_searches,
    one_in_five,
    published_trust,
)
from benchmarks.feedback.propensity import label_rows, rank_agreement
from benchmarks.harness.report import Bar, Findings, at_least
from collector.fold.counts import count_votes
from collector.fold.lists import ShownList
from collector.fold.outcomes import Outcome
from collector.intake.bots import Activity, judge
from foundation.clock import WEEK_S
from foundation.contracts import CURVE_RANKS
from foundation.settings import Settings

Ints = npt.NDArray[np.int64]

CLICKS = 20_000
PERSONS = 1_000
BOTS = 10
"""One in a hundred ids."""
SEEDS = 5
_START = datetime(2026, 1, 5, tzinfo=UTC)
_SEARCHES_AT_ONCE = 2000
_READ = 0.7  # share of people's clicked lists that a dwell follows


@dataclass(frozen=True, slots=True)
class FloodVisit:
    """One list somebody saw.

    Attributes:
        unit: Who.
        documents: Numbers of the documents shown, rank 1 first.
        clicked: Ranks clicked.
        at_s: When, in seconds of the week.
        read: Whether a dwell followed a click.
    """

    unit: str
    query: int
    documents: tuple[int, ...]
    clicked: tuple[int, ...]
    at_s: float = 0.0
    read: bool = False


Suspicion = Callable[[Sequence[FloodVisit]], set[str]]
"""Returns the units whose visits are not to be counted."""


def trust_everybody(_visits: Sequence[FloodVisit]) -> set[str]:
    """Suspect nobody: only the cap on each person's lists stands against a flood."""
    return set()


def suspect_machines(visits: Sequence[FloodVisit]) -> set[str]:
    """Suspect whom the collector's quarantine would hold."""
    by_unit: dict[str, list[FloodVisit]] = {}
    for visit in sorted(visits, key=lambda visit: visit.at_s):
        by_unit.setdefault(visit.unit, []).append(visit)
    return set(judge({unit: _activity(mine) for unit, mine in by_unit.items()}))


def run(seed: int, *, quick: bool, suspect: Suspicion = suspect_machines) -> Findings:
    """Return bar "ingest.5": labels of 20,000 clicks beside ten times as many from one id in a hundred.

    Machines search for all queries, popular ones more, and click one worthless document of each, at an
    even pace and without staying on it. Beside it, without a bar, false people: distinct ids who behave
    as people do but for what they click, 30% of all clicks.
    """
    seeds = range(seed, seed + (1 if quick else SEEDS))
    kept = [_Attack(one, suspect) for one in seeds]
    return Findings(
        [_flood_bar(kept)],
        {
            "tau of labels, clean": round(fmean(one.clean for one in kept), 4),
            "flooded by machines": round(fmean(one.flooded for one in kept), 4),
            "the same, nobody held": round(fmean(one.capped for one in kept), 4),
            "flooded by machines that pause and read as people do": round(fmean(one.feigned for one in kept), 4),
            "30% of clicks by false people": round(fmean(one.faked for one in kept), 4),
        },
    )


class _Attack:
    """Kendall's tau of labels with the relevance: without attack, under floods of machines, and faked by people."""

    def __init__(self, seed: int, suspect: Suspicion) -> None:
        searches = draw_searches(seed, one_in_five)
        people = real_visits(searches, CLICKS)
        targets = choose_targets(searches)
        machines = false_visits(
            searches, targets, 10 * CLICKS, [f"machine-{number}" for number in range(BOTS)], steady=True
        )
        crowd = [f"crowd-{number}" for number in range(PERSONS)]
        fakes = false_visits(searches, targets, round(CLICKS * 0.3 / 0.7), crowd, steady=False)
        self.clean = _agreement(searches, people, suspect)
        feigning = false_visits(
            searches, targets, 10 * CLICKS, [f"machine-{number}" for number in range(BOTS)], steady=False
        )
        self.flooded = _agreement(searches, [*people, *machines], suspect)
        self.capped = _agreement(searches, [*people, *machines], trust_everybody)
        self.feigned = _agreement(searches, [*people, *feigning], suspect)
        self.faked = _agreement(searches, [*people, *fakes], suspect)


def real_visits(searches: Searches, clicks: int) -> list[FloodVisit]:
    """Return visits of people with the published trust bias until they have clicked so often."""
    visits: list[FloodVisit] = []
    persons = [f"person-{number}" for number in range(PERSONS)]
    habit = published_trust()
    while sum(len(visit.clicked) for visit in visits) < clicks:
        queries, documents = searches.ask(_SEARCHES_AT_ONCE)
        visits += _visit(searches, queries, documents, searches.click(queries, documents, habit), persons)
    return visits


def choose_targets(searches: Searches) -> Ints:
    """Return a worthless document of each query, the lowest shown; shape (`QUERIES`,)."""
    lowest = searches.drafts[:, 0, ::-1]
    worth = np.take_along_axis(searches.relevance, lowest, axis=1)
    result: Ints = lowest[np.arange(QUERIES), worth.argmin(axis=1)]
    return result


def false_visits(
    searches: Searches, targets: Ints, clicks: int, units: Sequence[str], *, steady: bool
) -> list[FloodVisit]:
    """Return visits whose only click is on the query's target, until there are so many clicks.

    Args:
        steady: Whether they come at an even pace and read nothing, else as people do.
    """
    visits: list[FloodVisit] = []
    while sum(len(visit.clicked) for visit in visits) < clicks:
        queries, documents = searches.ask(_SEARCHES_AT_ONCE)
        hits = documents == targets[queries][:, None]
        visits += _visit(searches, queries, documents, hits, units)
    if not steady:
        return visits
    pause_s = WEEK_S / len(visits)
    return [
        replace(visit, unit=units[number % len(units)], at_s=number * pause_s, read=False)
        for number, visit in enumerate(visits)
    ]


def _visit(
    searches: Searches, queries: Ints, documents: Ints, clicked: npt.NDArray[np.bool_], units: Sequence[str]
) -> list[FloodVisit]:
    random = searches.random
    who = random.integers(len(units), size=len(queries)).tolist()
    times_s = (random.random(len(queries)) * WEEK_S).tolist()
    read = ((random.random(len(queries)) < _READ) & clicked.any(axis=1)).tolist()
    return [
        FloodVisit(
            units[who[place]], query, tuple(documents[place].tolist()), _ranks(clicked[place]), time_s, read[place]
        )
        for place, (query, time_s) in enumerate(zip(queries.tolist(), times_s, strict=True))
    ]


def fold_visits(visits: Iterable[FloodVisit], lists_per_user: int) -> ClickLog:
    """Return what visits of one week count, as the collector counts them: each person a few lists a query."""
    votes: dict[tuple[int, str], list[ShownList]] = {}
    for number, visit in enumerate(sorted(visits, key=lambda visit: visit.at_s)):
        lists = votes.setdefault((visit.query, visit.unit), [])
        if len(lists) < lists_per_user:  # later ones never count
            ranks = {document_name(document): rank for rank, document in enumerate(visit.documents, start=1)}
            at = _START + timedelta(seconds=visit.at_s)
            lists.append(ShownList(f"{number:09d}", at, ranks, Outcome(clicked=visit.clicked)))
    shown, clicked = np.zeros((2, QUERIES * DOCUMENTS, CURVE_RANKS))
    for (query, _), lists in votes.items():
        for name, counts in count_votes(lists, lists_per_user).items():
            row = query * DOCUMENTS + int(name[1:])
            shown[row] += counts.shown
            clicked[row] += counts.clicked
    return ClickLog(shown, clicked)


def _activity(visits: Sequence[FloodVisit]) -> Activity:
    clicked = [visit for visit in visits if visit.clicked]
    opened = [visit.documents[rank - 1] for visit in clicked for rank in visit.clicked]
    return Activity(
        lists=len(visits),
        clicked=len(clicked),
        clicks=len(opened),
        queries=len({visit.query for visit in clicked}),
        documents=len({(visit.query, visit.documents[rank - 1]) for visit in clicked for rank in visit.clicked}),
        read=sum(visit.read for visit in clicked),
        gaps_s=tuple(later.at_s - sooner.at_s for sooner, later in pairwise(clicked)),
    )


def _agreement(searches: Searches, visits: list[FloodVisit], suspect: Suspicion) -> float:
    suspects = suspect(visits)
    lists_per_user = Settings.model_fields["lists_per_user"].default
    log = fold_visits((visit for visit in visits if visit.unit not in suspects), lists_per_user)
    return rank_agreement(searches, log, label_rows(searches, log))


def _ranks(clicked: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple((np.flatnonzero(clicked[:DEPTH]) + 1).tolist())


def _flood_bar(attacks: Sequence[_Attack]) -> Bar:
    kept = fmean(one.flooded / one.clean for one in attacks)
    what = f"share of label tau kept under ten times the clicks from {BOTS} of {PERSONS} ids"
    return at_least("ingest.5", what, kept, 0.9)
