"""Simulated users search and click, clicks become evidence, and models are learned from it.

Votes are folded, live evidence takes effect at once, and labels and models are made by the code that
serves and trains in production, in one process. The learner sees clicks only: neither judgments nor
the parameters of the users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.harness.evaluation import DEPTH, EvaluationHarness
from collector.click_models.labels import label
from collector.fold.counts import EvidenceCounts, count_votes, difference
from collector.fold.lists import ShownList
from collector.fold.outcomes import Outcome
from foundation.clock import monotonic_s
from foundation.contracts import Evidence, Labeller, query_key
from foundation.packed_evidence import pack
from foundation.settings import Settings
from retrainer.learners.alternation import learn
from retrainer.learners.training_set import prepare_training_set
from serving.ranking.live_evidence import LiveMemory
from serving.ranking.pipeline import Ranker
from simulator.traffic import Traffic
from simulator.users import User, make_user

Progress = Callable[[str], None]

RETRAINED_AT = (1 / 15, 1 / 5, 1 / 3, 3 / 5, 1.0)
"""Shares of all clicks at which a model is learned; among them 1,000 and 5,000 of 15,000."""

_REFRESHED_EVERY = 20
_START = datetime(2026, 1, 5, tzinfo=UTC)
_BETWEEN_SEARCHES = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to run the loop.

    Attributes:
        user: Family of the users.
        labeller: How clicks become labels.
        closed: Whether what is learned, and live evidence, rank what is shown next; otherwise
            production ranks all of it, and one model is learned at the end.
    """

    name: str
    user: str = "trust"
    labeller: Labeller = label
    closed: bool = True


@dataclass(frozen=True, slots=True)
class LoopRow:
    """Quality at one moment of one run, nDCG@10.

    Attributes:
        held_out: On the held-out queries.
        held_out_before: The production ranking on the same.
        clicked: On the queries that had a click by then.
        clicked_before: The production ranking on the same.
        retraining_s: Duration of the last training.
        harmed: Share of the held-out queries that production ranks better.
    """

    name: str
    clicks: int
    held_out: float
    held_out_before: float
    clicked: float
    clicked_before: float
    retraining_s: float = 0.0
    harmed: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the row, with its gains over production."""
        return {
            "what": self.name,
            "clicks": self.clicks,
            "held_out": round(self.held_out, 4),
            "held_out_gain": round(self.held_out - self.held_out_before, 4),
            "clicked": round(self.clicked, 4),
            "clicked_gain": round(self.clicked - self.clicked_before, 4),
            "retraining_s": round(self.retraining_s, 1),
            "harmed": round(self.harmed, 4),
        }


class Votes:
    """Clicks folded into evidence, as the collector folds them.

    Attributes:
        people: How many people speak for a document, by query and document, where that is not the number of
            votes: all nameless lists together are half a person.
    """

    def __init__(self, lists_per_user: int) -> None:
        self._lists_per_user = lists_per_user
        self._lists: dict[tuple[str, int], list[ShownList]] = {}
        self._said: dict[tuple[str, int], dict[str, EvidenceCounts]] = {}
        self._counts: dict[str, dict[str, EvidenceCounts]] = {}
        self._silent: dict[int, set[str]] = {}
        self._last_click: dict[int, datetime] = {}
        self.people: dict[tuple[str, str], float] = {}
        self.clicks = 0

    def copy(self) -> Votes:
        """Return votes that go their own way from here."""
        return deepcopy(self)

    def users(self, key: str, document: str) -> float:
        """Return how many people speak for a document."""
        return self.people.get((key, document), self._counts.get(key, {}).get(document, EvidenceCounts()).users)

    def add(self, key: str, person: int, shown: ShownList) -> set[str]:
        """Count a list that a person saw for a query, the latest so far; return the queries that this changes."""
        self._lists.setdefault((key, person), []).append(shown)
        changed = {key}
        if shown.outcome.clicked:
            self._last_click[person] = shown.at
            changed |= self._silent.pop(person, set())  # now it is known that these were looked at
        else:
            self._silent.setdefault(person, set()).add(key)
        for one in changed:
            self._count(one, person)
        self.clicks += len(shown.outcome.clicked)
        return changed

    def _count(self, key: str, person: int) -> None:
        before = self._said.get((key, person), {})
        after = count_votes(self._lists[key, person], self._lists_per_user, self._last_click.get(person))
        counts = self._counts.setdefault(key, {})
        for document, change in difference(before, after).items():
            counts[document] = counts.get(document, EvidenceCounts()).plus(change)
        self._said[key, person] = after

    def clicked(self) -> list[str]:
        """Return the queries that had a click."""
        return [key for key, counts in self._counts.items() if any(count.users for count in counts.values())]

    def evidence(self, keys: Iterable[str] | None = None) -> list[Evidence]:
        """Return the evidence of some queries, of all when None."""
        return [
            Evidence(
                query_key=key,
                document_id=document,
                shown=tuple(map(float, count.shown)),
                clicked=tuple(map(float, count.clicked)),
                users=self.users(key, document),
                satisfied=count.satisfied,
                dissatisfied=count.dissatisfied,
            )
            for key in (sorted(self._counts) if keys is None else keys)
            for document, count in self._counts[key].items()
            if any(count.shown)
        ]


class Simulation:
    """One run of one setting.

    Args:
        clicks: How many clicks it lasts.
    """

    def __init__(self, world: EvaluationHarness, setting: Setting, clicks: int, seed: int) -> None:
        self._world = world
        self._setting = setting
        self._clicks = clicks
        self._seed = seed
        self._user: User = make_user(setting.user, max_grade=world.collection.max_grade)
        self._traffic = Traffic(world.collection, seed)
        self._live = LiveMemory(world.vectors, world.corpus.dense.dimension)
        self._ranker = Ranker(world.corpus, world.untaught(), self._live if setting.closed else None)
        self._votes = Votes(Settings.model_fields["lists_per_user"].default)
        self._waiting: set[str] = set()
        self._number = 0

    def run(self, progress: Progress) -> list[LoopRow]:
        """Return the quality after each training."""
        rows = []
        for share in RETRAINED_AT if self._setting.closed else (1.0,):
            goal = round(share * self._clicks)
            while self._votes.clicks < goal:
                self._search()
            seconds = self._retrain()
            row = self._measure(goal, seconds)
            progress(f"{self._setting.name}, seed {self._seed}: {row.to_json()}")
            rows.append(row)
        return rows

    def _search(self) -> None:
        visit = self._traffic.visit(self._number)
        key = query_key(self._world.collection.queries[visit.query_id])
        grades = self._world.asked.get(key, {})
        found = [hit.document_id for hit in self._ranker.search(self._world.query(key), DEPTH).hits]
        clicked = self._user.clicks([grades.get(name, 0) for name in found], self._traffic.chance(self._number))
        ranks = {name: rank for rank, name in enumerate(found, start=1)}
        at = _START + self._number * _BETWEEN_SEARCHES
        shown = ShownList(str(self._number), at, ranks, Outcome(clicked=tuple(clicked)))
        self._waiting |= self._votes.add(key, visit.person, shown)
        self._number += 1
        if self._number % _REFRESHED_EVERY == 0:
            self._refresh()

    def _refresh(self) -> None:
        self._live.update(pack(self._votes.evidence(sorted(self._waiting))), self._number)
        self._waiting.clear()

    def _retrain(self) -> float:
        self._refresh()
        started = monotonic_s()
        training_set = prepare_training_set(self._votes.evidence(), self._world.encode)
        learned = learn(training_set, self._world.corpus, self._setting.labeller, self._seed)
        model = self._world.model(learned, self._number)
        self._ranker = Ranker(self._world.corpus, model, self._live)
        return monotonic_s() - started

    def _measure(self, clicks: int, seconds: float) -> LoopRow:
        held_out, clicked = list(self._world.held_out), self._votes.clicked()
        return LoopRow(
            name=self._setting.name,
            clicks=clicks,
            held_out=self._world.quality(self._ranker, held_out),
            held_out_before=self._world.production_quality(held_out),
            clicked=self._world.quality(self._ranker, clicked),
            clicked_before=self._world.production_quality(clicked),
            retraining_s=seconds,
            harmed=self._world.harmed(self._ranker, held_out),
        )
