"""Lets the running experiments take part here: all their arms are ready, or nobody takes part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ab_testing.api import CHAMPION, Arm, Assignments, Experiment
from foundation.errors import ClickloopError, NotReady
from serving.live.arms import ArmNeeds, Run
from serving.live.collection_state import CollectionState
from serving.live.pinned import PinnedMemories
from serving.live.versions import Versions
from serving.ranking.live_evidence import LiveMemory
from serving.rules.loading import LoadedRelevance
from serving.rules.settings import Relevance


@dataclass(slots=True)
class _Running:
    """The running experiments of one collection.

    Attributes:
        ready: What the arms of each are made of, by run and by name.
        pins: The pinned evidence that is read, by run.
        problems: Why one takes no part, or not as it should, by experiment.
    """

    ready: dict[Run, Mapping[str, ArmNeeds]] = field(default_factory=dict)
    pins: dict[Run, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


class Participation:
    """The experiments of one replica. One thread follows, any may ask for the problems."""

    def __init__(
        self, assignments: Assignments, versions: Versions, pinned: PinnedMemories, relevance: LoadedRelevance
    ) -> None:
        self._assignments = assignments
        self._versions = versions
        self._pinned = pinned
        self._relevance = relevance
        self._running: dict[str, _Running] = {}

    def follow(self, name: str, served: CollectionState) -> None:
        """Make the arms of a collection's running experiments ready, as far as that can be done now."""
        running, before = _Running(), self._running.get(name, _Running())
        for experiment in self._assignments.running(name):
            run = (experiment.id, experiment.run)
            try:
                evidence = self._evidence(served, experiment, before.pins.get(run, ""), running)
                running.ready[run] = dict(self._needs(name, served, experiment, evidence))
            except ClickloopError as problem:
                running.problems[experiment.id] = (
                    f"{problem.detail}; nobody takes part in experiment {experiment.id} here"
                )
        served.arrange(running.ready)
        self._running[name] = running

    def forget_extra(self) -> None:
        """Drop the pinned evidence that no running experiment reads any more."""
        read = {pin for running in self._running.values() for pin in running.pins.values()}
        wanted = {one.pinned for name in self._running for one in self._assignments.running(name)}
        self._pinned.keep(read | wanted)

    def problems(self, name: str) -> Mapping[str, str]:
        """Return what keeps running experiments of a collection from taking part here, by id. Never blocks."""
        running = self._running.get(name)
        return running.problems if running else {}

    def _evidence(self, served: CollectionState, experiment: Experiment, before: str, running: _Running) -> LiveMemory:
        """Return what both sides of an experiment read: what is live, or what it pinned.

        Args:
            before: What it had pinned until now; read on until the new one is loaded.

        Raises:
            ClickloopError: What it pinned is not loaded.
        """
        if experiment.plan.evidence != "pinned" or not experiment.pinned:
            return served.live
        run, pin = (experiment.id, experiment.run), experiment.pinned
        running.pins[run] = pin
        try:
            return self._pinned.hold(pin, served.live)
        except ClickloopError as problem:
            if before in {"", pin}:
                raise
            running.pins[run] = before
            if not isinstance(problem, NotReady):
                running.problems[experiment.id] = f"{problem.detail}; both sides read on what was pinned before"
            return self._pinned.hold(before, served.live)

    def _needs(
        self, name: str, served: CollectionState, experiment: Experiment, evidence: LiveMemory
    ) -> Iterator[tuple[str, ArmNeeds]]:
        """Yield what each arm is made of, all of it loaded.

        Raises:
            ClickloopError: An arm cannot be served here.
        """
        for arm in (one for one in experiment.plan.arms if not one.engine):
            version = (served.champion or served.wanted) if arm.version == CHAMPION else arm.version
            if not self._versions.hold(name, served, version):
                raise ClickloopError(f"version {version} does not load: {served.failures.problem(version)}")
            self._check_settings(arm, served, version)
            yield arm.name, ArmNeeds(version, arm.settings, evidence, self._relevance_of(name, served, arm))

    def _relevance_of(self, name: str, served: CollectionState, arm: Arm) -> Relevance | None:
        """Return the owner's settings of an arm, None for those that serve; NotFound where there are none such."""
        number = arm.settings.relevance
        return None if number is None else self._relevance.of(name, number, served.corpus.lexical)

    def _check_settings(self, arm: Arm, served: CollectionState, version: str) -> None:
        """Raise ClickloopError where an arm wants what is not there to be served."""
        if arm.settings.rerank and not self._versions.reranks:
            raise ClickloopError(f"arm {arm.name} reranks, which is off here; set CLICKLOOP_LATE_INTERACTION")
        if arm.settings.fusion == "linear" and not served.rankers[version].model.weights:
            raise ClickloopError(f"arm {arm.name} fuses by learned weights, and version {version} has none")
