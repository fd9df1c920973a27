"""Who takes part in which running experiment, answered from memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from ab_testing import store
from ab_testing.design.arm import CHAMPION, Arm
from ab_testing.design.assignment import (
    Visitor,
    bounds_of,
    choose_arm,
    hash64,
    is_targeted,
    position,
    takes_part,
    unit_of,
)
from ab_testing.design.experiment import Experiment
from ab_testing.design.plan import INTERLEAVED, Kind
from ab_testing.own_metrics.store import read_events
from ab_testing.traffic.first_arms import MAX_KEPT_ARMS, FirstArms
from collector.api import read_seen_units
from foundation.clock import Clock
from foundation.database.engine import reading
from foundation.errors import FieldFault, InvalidRequest

_LATENESS = timedelta(minutes=1)
"""How much later than its neighbours a list may come to the collector and still be read."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one search of one unit gets.

    Attributes:
        run: Which start of the experiment it is, from 1.
        arm: Name of the arm, "interleaved" where all rank.
        arms: The arms that rank: one, or all of an interleaved list, the control first.
        unit: The randomization unit.
        seed: For `interleave`; the same for the same unit and query.
        forced: Whether a tester asked for the arm: then the search counts in no experiment.
    """

    experiment: str
    run: int
    plan_hash: str
    kind: Kind
    arm: str
    arms: tuple[Arm, ...]
    unit: str
    seed: int = 0
    forced: bool = False

    @property
    def engine(self) -> str:
        """The engine outside clickloop that ranks in its arm, "" where clickloop does."""
        return self.arms[0].engine

    @property
    def key(self) -> tuple[str, int]:
        """Names the run: the experiment's id and the number of its start."""
        return self.experiment, self.run


class Assignments:
    """The running experiments in memory, for many readers and one refresher.

    Readers wait for no SQL: a refresh replaces the whole table by one reference.
    """

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._running: dict[str, tuple[_Draw, ...]] = {}
        self._events: dict[str, frozenset[str]] | None = None
        self._first_arms = FirstArms()
        self._learned: dict[tuple[str, int], datetime] = {}

    def refresh(self) -> None:
        """Read the running experiments and the names of custom events again; two queries."""
        with reading(self._engine) as connection:
            self.replace(store.running(connection))
            self._events = read_events(connection)

    def learn_arms(self, collection: str) -> None:
        """Learn in which arms other processes saw people first, or this one before it was started again."""
        for draw in self._running.get(collection, ()):
            one = draw.experiment
            if one.plan.unit == "user" and one.started_at is not None:
                since = self._learned.get((one.id, one.run), one.started_at)
                with reading(self._engine) as connection:
                    seen = read_seen_units(connection, collection, one.id, one.run, since=since, limit=MAX_KEPT_ARMS)
                self._first_arms.learn(one, ((unit, draw.number_of(arm)) for unit, arm, _ in seen))
                self._learned[one.id, one.run] = max([since, *(unit.at - _LATENESS for unit in seen[-1:])])

    def replace(self, experiments: Iterable[Experiment]) -> None:
        """Let these be the experiments that run, of all collections."""
        running: dict[str, tuple[_Draw, ...]] = {}
        for one in sorted(experiments, key=lambda one: (one.slots_from, one.id)):
            running[one.collection] = (*running.get(one.collection, ()), _Draw(one))
        self._running = running

    def running(self, collection: str) -> tuple[Experiment, ...]:
        """Return the running experiments of a collection."""
        return tuple(draw.experiment for draw in self._running.get(collection, ()))

    def events(self, collection: str) -> frozenset[str] | None:
        """Return the custom events that a metric or a running experiment counts; None before they were ever read."""
        if self._events is None:
            return None
        frozen = (one for experiment in self.running(collection) for one in experiment.plan.definitions.values())
        return self._events.get(collection, frozenset()).union(*(definition.events for definition in frozen))

    def versions(self, collection: str) -> set[str]:
        """Return the versions that a replica must hold for the running experiments, beside the champion."""
        plans = (experiment.plan for experiment in self.running(collection))
        return {version for plan in plans for version in plan.versions} - {CHAMPION}

    def assign(
        self, collection: str, visitor: Visitor, query: str = "", *, interleaves: bool = True
    ) -> Assignment | None:
        """Return what a search gets, None outside every experiment. Never blocks.

        It takes part in one experiment at most. Where it fits several, the one whose part of the traffic begins first
        has it.

        Args:
            query: The query's text, so that a unit's different queries flip different coins.
            interleaves: Whether an interleaved list would be shown as it is drawn; where not, interleaving is no
                experiment of this search.
        """
        draws = [
            draw
            for draw in self._running.get(collection, ())
            if draw.experiment.plan.assigned_by == "clickloop"
            and is_targeted(draw.experiment.plan, visitor)
            and (interleaves or draw.experiment.plan.kind == "ab")
        ]
        for draw in draws:
            arm = self._first_arms.find(draw.experiment, visitor)
            if arm is not None:
                return draw.to_assignment(unit_of(draw.experiment.plan.unit, visitor), arm, query)
        now = self._clock.now()
        for draw in draws:
            unit = unit_of(draw.experiment.plan.unit, visitor)
            if unit and draw.covers(unit, now):
                arm = draw.arm_of(unit)
                self._first_arms.keep(draw.experiment, unit, arm)
                return draw.to_assignment(unit, arm, query)
        return None

    def force(self, collection: str, wanted: str, visitor: Visitor, query: str = "") -> Assignment:
        """Return what a search gets that names its arm: as testers do, or the app, where it assigns the units.

        Args:
            wanted: The id of a running experiment, a colon, and the name of an arm or "interleaved".

        Raises:
            InvalidRequest: No such experiment runs here, it has no such arm, or clickloop does not rank that arm.
        """
        id_, _, name = wanted.partition(":")
        for draw in self._running.get(collection, ()):
            if draw.experiment.id == id_:
                return draw.to_forced(name, visitor, query)
        raise _no_arm(f"names experiment {id_!r}, which does not run in collection {collection!r}")


class _Draw:
    """One running experiment, with what it draws by at hand."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self._traffic_salt, self._split_salt = experiment.traffic_salt, experiment.split_salt
        self._bounds = bounds_of(experiment.plan.shares)

    def covers(self, unit: str, now: datetime) -> bool:
        """Return whether a unit takes part by now."""
        coverage = self.experiment.plan.coverage_after(self.experiment.days(now))
        return takes_part(position(self._traffic_salt, unit), self.experiment.slots_from, coverage)

    def arm_of(self, unit: str) -> int:
        """Return the number of a unit's arm."""
        return choose_arm(self._bounds, position(self._split_salt, unit))

    def number_of(self, arm: str) -> int:
        """Return the number of an arm by its name; any where all rank."""
        return next((number for number, one in enumerate(self.experiment.plan.arms) if one.name == arm), 0)

    def to_assignment(self, unit: str, number: int, query: str, *, forced: bool = False) -> Assignment:
        """Return what a search of a unit in an arm gets."""
        experiment, plan = self.experiment, self.experiment.plan
        mixed = plan.kind == "interleaving"
        return Assignment(
            experiment=experiment.id,
            run=experiment.run,
            plan_hash=plan.hash,
            kind=plan.kind,
            arm=INTERLEAVED if mixed else plan.arms[number].name,
            arms=plan.arms if mixed else (plan.arms[number],),
            unit=unit,
            seed=hash64(experiment.coin_salt, f"{unit}|{query}") if mixed else 0,
            forced=forced,
        )

    def to_forced(self, name: str, visitor: Visitor, query: str) -> Assignment:
        """Return what a search gets that asks for an arm by name; it counts where the app assigns the units."""
        plan = self.experiment.plan
        if plan.kind == "interleaving" and name == INTERLEAVED:
            return self.to_assignment(visitor.query, 0, query, forced=True)
        found = next((arm for arm in plan.arms if arm.name == name), None)
        if found is None:
            raise _no_arm(f"names arm {name!r}; experiment {self.experiment.id} has {', '.join(_names(plan.arms))}")
        if found.engine:
            raise _no_arm(f"names arm {name!r}, which {found.engine} ranks; post its list as an exposure")
        unit = unit_of(plan.unit, visitor)
        if plan.assigned_by == "app" and unit and is_targeted(plan, visitor):
            return self.to_assignment(unit, self.number_of(name), query)
        whole = self.to_assignment(visitor.query, 0, query, forced=True)
        return Assignment(whole.experiment, whole.run, whole.plan_hash, "ab", name, (found,), whole.unit, forced=True)


def _names(arms: tuple[Arm, ...]) -> list[str]:
    return [arm.name for arm in arms]


def _no_arm(reason: str) -> InvalidRequest:
    return InvalidRequest(f"arm: {reason}", (FieldFault("arm", reason),))
