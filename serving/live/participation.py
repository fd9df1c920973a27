"""Lets the running experiments take part here: all their arms are ready, or nobody takes part."""

from __future__ import annotations

from collections.abc import Iterator

from ab_testing.api import CHAMPION, Arm, Assignments, Experiment
from foundation.errors import ClickloopError
from serving.live.arms import ArmNeeds
from serving.live.collection_state import CollectionState
from serving.live.versions import Versions


class Participation:
    """The experiments of one replica. One thread follows, any may ask for the problems."""

    def __init__(self, assignments: Assignments, versions: Versions) -> None:
        self._assignments = assignments
        self._versions = versions
        self._problems: dict[str, dict[str, str]] = {}

    def follow(self, name: str, served: CollectionState) -> None:
        """Make the arms of a collection's running experiments ready, as far as that can be done now."""
        ready, problems = {}, {}
        for experiment in self._assignments.running(name):
            try:
                ready[experiment.id, experiment.run] = dict(self._needs(name, served, experiment))
            except ClickloopError as problem:
                problems[experiment.id] = problem.detail
        served.arrange(ready)
        self._problems[name] = problems

    def problems(self, name: str) -> dict[str, str]:
        """Return why running experiments of a collection take no part here, by id. Never blocks."""
        return self._problems.get(name, {})

    def _needs(self, name: str, served: CollectionState, experiment: Experiment) -> Iterator[tuple[str, ArmNeeds]]:
        """Yield what each arm is made of, all of it loaded.

        Raises:
            ClickloopError: An arm cannot be served here.
        """
        for arm in experiment.plan.arms:
            if not arm.external:
                version = (served.champion or served.wanted) if arm.version == CHAMPION else arm.version
                if not self._versions.hold(name, served, version):
                    raise ClickloopError(
                        f"version {version} of the experiment does not load, and nobody takes part here: "
                        f"{served.failures.problem(version)}"
                    )
                self._check_settings(arm, served, version)
                yield arm.name, ArmNeeds(version, arm.settings, served.live)

    def _check_settings(self, arm: Arm, served: CollectionState, version: str) -> None:
        """Raise ClickloopError where an arm wants what is not there to be served."""
        if arm.settings.rerank and not self._versions.reranks:
            raise ClickloopError(
                f"arm {arm.name} of the experiment reranks, which is off here, and nobody takes part; "
                "set CLICKLOOP_LATE_INTERACTION"
            )
        if arm.settings.fusion == "linear" and not served.rankers[version].model.weights:
            raise ClickloopError(
                f"arm {arm.name} of the experiment fuses by learned weights, version {version} has none, "
                "and nobody takes part here"
            )
