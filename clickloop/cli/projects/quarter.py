"""A quarter at a support desk: articles and topics change, the autopilot learns every week, and one week is poisoned.

Beside the collection that learns stands another one with the same articles, which nobody asks: production as it was at
the start. Both are measured each week on queries that nobody asks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from clickloop.cli.projects.experience import SaidVisit, visit_both
from clickloop.cli.projects.page import ProjectPage
from clickloop.cli.projects.quarter_page import MeasuredWeek, QuarterReport, make_page
from clickloop.cli.projects.service import UsedService
from clickloop.cli.projects.weeks import Week, judge_in, mislead, plan_weeks
from foundation.clock import monotonic_s
from foundation.contracts import DEFAULT_COLLECTION
from foundation.http_client import Refused, ServiceClient
from foundation.ids import canonical_json
from simulator.collection import JudgedCollection
from simulator.driver import Driver
from simulator.quality import ndcg
from simulator.traffic import Traffic
from simulator.visit_events import Habits

CLOCK_SPEED = 5040.0
"""Two minutes are a week; a week that takes longer to be simulated lasts longer."""

PROOF = {"CLICKLOOP_EXPERIMENT_SEARCHES": "1500", "CLICKLOOP_EXPERIMENT_DAYS": "56"}
"""The experiment of a candidate: interleaving in front of everybody, for some weeks."""

FIRST = "first"
"""The collection that never learns."""

_HABITS = Habits(rating_share=0.3, verdict_share=0.4)
_FALSE_HABITS = Habits(rating_share=1.0, verdict_share=1.0)
_FALSE_PEOPLE = 40
_JUDGED = 300
_SAID_VISITS = 1500
_AT_ONCE = 500
_WEEK_S = 7 * 86400.0 / CLOCK_SPEED
_LOOK_AGAIN_S = 0.5


def run(
    home: Path,
    title: str,
    collection: JudgedCollection,
    *,
    weeks: int,
    searches: int,
    learners: str,
    seed: int,
    tell: Callable[[str], None],
) -> ProjectPage:
    """Let so many weeks pass and return what became of the desk.

    Args:
        searches: Of a week; false people make as many more in theirs, the one in the middle.
        learners: Which learn, as of `clickloop retrain`.
    """
    planned = plan_weeks(collection, weeks, poisoned=(weeks + 1) // 2, seed=seed)
    began = replace(collection, documents=list(planned[0].changed))
    with ExitStack() as stack:
        service = stack.enter_context(
            UsedService(home, began, _HABITS, seed, tell, clock_speed=CLOCK_SPEED, settings=PROOF)
        )
        desk = _Desk(service, collection, learners=learners, searches=searches, seed=seed, stack=stack)
        measured = []
        for week in planned:
            tell(f"week {week.number} of {weeks}")
            measured.append(desk.live(week))
        said = desk.ask_both(planned[-1])
    return make_page(title, QuarterReport(len(collection.documents), searches, measured, said), seed)


class _Desk:
    """The desk week after week."""

    def __init__(
        self,
        service: UsedService,
        collection: JudgedCollection,
        *,
        learners: str,
        searches: int,
        seed: int,
        stack: ExitStack,
    ) -> None:
        self._service = service
        self._collection = collection
        self._learners = learners
        self._searches = searches
        self._seed = seed
        self._first = stack.enter_context(closing(ServiceClient(service.remote.url, FIRST)))
        asked = np.random.default_rng([seed, 17]).permutation(np.array(list(collection.split("test"))))
        self._held_out: list[str] = asked[:_JUDGED].tolist()
        traffic = Traffic(collection, seed)
        drivers = [service.make_driver(collection, traffic, collection=name) for name in ("", FIRST)]
        self._learned_look, self._first_look = (stack.enter_context(closing(driver)) for driver in drivers)
        self._runs: list[str] = []

    def live(self, week: Week) -> MeasuredWeek:
        """Let a week pass: articles change, people visit, a candidate is trained and gated; measure its end."""
        began_s = monotonic_s()
        self._change(week)
        tally_searches = self._visit(week)
        self._train()
        before, after = self._measure(week, self._first_look), self._measure(week, self._learned_look)
        version = self._service.remote.get("/v1/versions")["champion"]
        time.sleep(max(0.0, _WEEK_S - (monotonic_s() - began_s)))
        return MeasuredWeek(
            number=week.number,
            articles=len(week.documents),
            changed=0 if week.number == 1 else len(week.changed) + len(week.removed),
            searches=tally_searches,
            poisoned=week.poisoned,
            first=before,
            learned=after,
            version=version,
            runs=[self._read(run) for run in self._runs],
            seconds=monotonic_s() - began_s,
        )

    def ask_both(self, week: Week) -> list[SaidVisit]:
        """Return what the same people would say of both rankings, with what they ask in a week; nothing is reported."""
        traffic = Traffic(self._collection, self._seed + 2 * week.number + 1, interest=week.interest)
        return visit_both(
            self._collection,
            traffic,
            self._service.people,
            _HABITS,
            (self._first_look, self._learned_look),
            _SAID_VISITS,
        )

    def _change(self, week: Week) -> None:
        for remote in (self._service.remote, self._first):
            for start in range(0, len(week.changed), _AT_ONCE):
                lines = map(canonical_json, week.changed[start : start + _AT_ONCE])
                remote.put_lines("/v1/documents", "\n".join(lines))
            if week.removed:
                remote.delete("/v1/documents", list(week.removed))
        self._service.wait("the week's articles", lambda: self._is_whole(len(week.documents)))

    def _is_whole(self, documents: int) -> bool:
        states = self._service.remote.get("/readyz")["collections"]
        found = [states.get(name, {}) for name in (DEFAULT_COLLECTION, FIRST)]
        return all(
            one.get("documents") == documents and one.get("version") and not one["behind"] + one["waiting"]
            for one in found
        )

    def _visit(self, week: Week) -> int:
        """Let people visit, and false people between them in a poisoned week; return the searches of both."""
        seed = self._seed + 1000 * week.number
        true = Traffic(self._collection, seed, interest=week.interest)
        with closing(self._service.make_driver(self._collection, true)) as people:
            done = self._service.visit(searches=self._searches // 2, by=people).searches
            if week.poisoned:
                done += self._poison(week, seed + 1)
            return done + self._service.visit(searches=self._searches - self._searches // 2, by=people).searches

    def _poison(self, week: Week, seed: int) -> int:
        """Let a few people, again and again, praise what stands low and answers nothing."""
        train = self._collection.split("train")
        answered = {query: train[query] for query, much in week.interest.items() if much > 0}
        traffic = Traffic(replace(self._collection, qrels={"train": answered}), seed, _FALSE_PEOPLE, people="false")
        asked = sorted({traffic.visit(number).query_id for number in range(self._searches)})
        praised = mislead(answered, self._learned_look.rankings(asked))
        false = replace(self._collection, qrels={"train": praised})
        with closing(self._service.make_driver(false, traffic, _FALSE_HABITS)) as bots:
            return self._service.visit(searches=self._searches, by=bots).searches

    def _train(self) -> None:
        """Ask for a training unless one is under way, and wait until the gate has judged what it made."""
        remote = self._service.remote
        try:
            asked = remote.post("/v1/training-runs", {"autopilot": True, "learners": self._learners})
        except Refused:
            return  # people still prove the candidate of a week before
        self._runs.append(asked["id"])
        self._service.wait("the gate", lambda: self._read(asked["id"])["step"] != "train")

    def _read(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = self._service.remote.get(f"/v1/training-runs/{run}")
        return found

    def _measure(self, week: Week, look: Driver) -> dict[str, float]:
        judged = judge_in(week, self._collection.split("test"))
        asked: Sequence[str] = [query for query in self._held_out if query in judged]
        return ndcg(judged, look.rankings(asked))
