"""Train, gate, experiment, verdict, promote: one step at a time, each recorded before the next.

Any process may take the next step of a run. A step that was lost half way is begun again, and finds what was done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from ab_testing.api import CHAMPION, Experiment, ExperimentPlan, Experiments, alpha_within, experiments_a_year
from foundation.access.actors import AUTOPILOT
from foundation.database.leases import LeaseLost
from foundation.errors import Conflict
from foundation.registry.champion_moves import ChampionMove
from foundation.registry.registry import Registry
from foundation.sections import LearningSettings
from retrainer.hotswap import HotSwap
from retrainer.runs import Run, Runs

Training = Literal["running", "finished", "failed"]


USUAL_ALPHA = 0.05
"""Level of an automatic experiment where no yearly number of false promotions is set."""


def alpha_of(settings: LearningSettings) -> float:
    """Return the alpha of automatic experiments that keeps to the yearly number of false promotions."""
    if settings.false_promotions_a_year is None:
        return USUAL_ALPHA
    return alpha_within(settings.false_promotions_a_year, experiments_a_year(settings.schedule_hours))


class Autopilot:
    """Takes the next step of training runs.

    Args:
        train: Starts the training of a run or tells how it stands, and does not block. When it is "finished", the run
            in the table names its version.
    """

    def __init__(
        self,
        runs: Runs,
        registry: Registry,
        experiments: Experiments,
        hotswap: HotSwap,
        settings: LearningSettings,
        train: Callable[[Run], Training],
    ) -> None:
        self._runs = runs
        self._registry = registry
        self._experiments = experiments
        self._hotswap = hotswap
        self._settings = settings
        self._train = train

    def advance(self, run: Run) -> Run:
        """Take the next step of a run if it can be taken now, and return the run as it stands."""
        steps = {"train": self._step_train, "experiment": self._step_experiment}
        steps |= {"watch": self._step_watch, "promote": self._step_promote}
        return steps[run.step](run) if run.state == "active" else run

    def _step_train(self, run: Run) -> Run:
        state = self._train(run)
        if state == "running":
            return run
        run = self._runs.get(run.collection, run.id)
        if state == "failed":
            why = str(run.report.get("problem", "the training process died; see its log"))
            return self._runs.end(run, "failed", why)
        version = self._registry.get(run.collection, run.version)
        if version.status == "refused":
            return self._runs.end(run, "refused", version.reason)
        if not run.autopilot:
            return self._runs.end(run, "approved", version.reason)
        return self._runs.advance(run, "experiment", report={"gate": version.reason})

    def _step_experiment(self, run: Run) -> Run:
        name = f"autopilot {run.id}"
        known = [one for one in self._experiments.list(run.collection) if one.plan.name == name]
        experiment = known[0] if known else self._create(run, name)
        if experiment.state == "draft":
            try:
                experiment = self._experiments.start(run.collection, experiment.id, AUTOPILOT)
            except Conflict:
                return run  # another experiment runs; this one waits its turn
        return self._runs.advance(run, "watch", experiment=experiment.id)

    def _create(self, run: Run, name: str) -> Experiment:
        """Make the candidate's experiment, against whichever version is the champion when it starts."""
        plan = ExperimentPlan(
            name=name,
            kind="interleaving",
            control=CHAMPION,
            treatment=run.version,
            planned_searches=self._settings.experiment_searches,
            min_days=min(1.0, self._settings.experiment_days),
            max_days=self._settings.experiment_days,
            alpha=alpha_of(self._settings),
        )
        return self._experiments.create(run.collection, plan, AUTOPILOT)

    def _step_watch(self, run: Run) -> Run:
        if self._experiments.get(run.collection, run.experiment).state == "running":
            return run  # the schedule looks at it, and ends it when its test says so
        card = self._experiments.report(run.collection, run.experiment)
        stopped = card.experiment.state == "stopped"
        why = "the experiment was stopped by hand" if stopped else card.verdict.reason
        report = {"verdict": card.verdict.decision, "why": why}
        if card.verdict.decision == "promote" and card.experiment.state == "decided":
            return self._runs.advance(run, "promote", report=report)
        self._hotswap.refuse(run.collection, run.version, f"experiment: {why}", AUTOPILOT)
        run = self._runs.advance(run, "watch", report=report)
        return self._runs.end(run, "dropped", why)

    def _step_promote(self, run: Run) -> Run:
        moves = self._registry.moves(run.collection)
        if not moves or moves[0].version != run.version:
            return self._promote(run, moves)
        return self._await_replicas(run)

    def _promote(self, run: Run, moves: list[ChampionMove]) -> Run:
        """Make the candidate the champion, unless somebody decided otherwise since its experiment began."""
        if any(move.version == run.version and move.at >= run.updated_at for move in moves):
            why = f"promoted, and replaced by {moves[0].version} since: {moves[0].reason}"
            return self._runs.end(run, "promoted", why)
        control = self._experiments.get(run.collection, run.experiment).plan.control
        if moves and moves[0].version != control:
            why = f"it won against {control}, and the champion is {moves[0].version} by now: {moves[0].reason}"
            return self._runs.end(run, "dropped", why)
        why = f"won experiment {run.experiment}"
        try:
            self._hotswap.promote(run.collection, run.version, why, AUTOPILOT, expected=control)
        except LeaseLost:
            raise
        except Conflict:
            return run  # somebody moves the pointer at this moment; the next look sees where to
        return self._await_replicas(run)

    def _await_replicas(self, run: Run) -> Run:
        behind = self._hotswap.behind(run.collection)
        if behind is None:
            return run  # they are asked again with the next look
        problems = [f"{replica.name}: {replica.problem or 'still at ' + replica.version}" for replica in behind]
        ended = "every replica serves it" if not behind else f"these replicas do not serve it: {'; '.join(problems)}"
        return self._runs.end(run, "promoted", ended)
