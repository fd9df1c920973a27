"""Train, gate, plan, prove, promote, watch: one step at a time, each recorded before the next.

Any process may take the next step of a run. A step that was lost half way is begun again, and finds what was done:
experiments by their names, promotions and rollbacks by the moves of the pointer. What follows what is said by
`retrainer.autopilot.path`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from ab_testing.api import Experiment, Experiments, Planner, Verdict, affordable
from foundation.access.actors import AUTOPILOT
from foundation.clock import Clock
from foundation.database.leases import LeaseLost
from foundation.errors import Conflict
from foundation.registry.registry import Registry
from foundation.sections import LearningSettings
from retrainer.autopilot.path import STAGES, NextStep, Stage, Standing, next_move, next_promotion
from retrainer.autopilot.pauses import Pauses
from retrainer.autopilot.plans import PathPlan, alpha_of, plan_path
from retrainer.hotswap import HotSwap
from retrainer.runs import Run, Runs

Training = Literal["running", "finished", "failed"]

PATH = "path"
"""The entry of a run's report that holds the plan of its way."""

_YEAR = timedelta(days=365)
_UNPAUSED = frozenset({"train", "holdback"})
"""Steps that a pause does not hold up: one shows nothing to anybody, the other protects people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Autopilot:
    """Takes the next step of training runs.

    Attributes:
        train: Starts the training of a run or tells how it stands, and does not block. When it is "finished", the run
            in the table names its version.
    """

    runs: Runs
    registry: Registry
    experiments: Experiments
    planner: Planner
    hotswap: HotSwap
    pauses: Pauses
    settings: LearningSettings
    clock: Clock
    train: Callable[[Run], Training]

    def advance(self, run: Run) -> Run:
        """Take the next step of a run if it can be taken now, and return the run as it stands.

        While the collection is paused, a training goes on to its gate, and a holdback to its end; all else waits.
        """
        if run.state != "active" or (run.step not in _UNPAUSED and self.pauses.of(run.collection)):
            return run
        for stage in STAGES:
            if run.step == stage:
                return self._prove(run, stage)
        steps = {"train": self._step_train, "plan": self._step_plan, "promote": self._step_promote}
        return steps[run.step](run)

    def _step_train(self, run: Run) -> Run:
        state = self.train(run)
        if state == "running":
            return run
        run = self.runs.get(run.collection, run.id)
        if state == "failed":
            why = str(run.report.get("problem", "the training process died; see its log"))
            return self.runs.end(run, "failed", why)
        version = self.registry.get(run.collection, run.version)
        if version.status == "refused":
            return self.runs.end(run, "refused", version.reason)
        if not run.autopilot:
            return self.runs.end(run, "approved", version.reason)
        return self.runs.advance(run, "plan", report={"gate": version.reason})

    def _step_plan(self, run: Run) -> Run:
        """Plan the whole way before anybody sees the candidate: nothing is started that cannot decide."""
        since = self.clock.now() - _YEAR
        spent = self.experiments.alphas_spent(run.collection, AUTOPILOT, since)
        budget = self.settings.false_promotions_a_year
        if not affordable(budget, spent, alpha_of(self.settings)):
            why = f"not tested: the {budget:g} false promotions of a year are spent by {len(spent)} experiments"
            return self.runs.end(run, "approved", why)
        gain = float(self.registry.get(run.collection, run.version).metrics.get("change", 0.0))
        control = self.registry.champion(run.collection)
        path = plan_path(self.settings, self.planner.read(run.collection), gain, control)
        if isinstance(path, str):
            return self.runs.end(run, "approved", f"not tested: {path}")
        return self.runs.advance(run, "interleave", report={PATH: path.to_json()})

    def _prove(self, run: Run, stage: Stage) -> Run:
        path = PathPlan.from_json(run.report[PATH])
        name = f"autopilot {run.id}" if stage == "interleave" else f"autopilot {run.id} {stage}"
        experiment = self.experiments.find_named(run.collection, name)
        verdict = self._verdict_of(experiment)
        move = next_move(stage, self._stand(run, path, verdict))
        if move.action == "experiment":
            return self._let_run(run, stage, experiment or self._create(run, path, stage, name))
        if verdict is not None and move.action != "roll_back":
            report = {"verdict": verdict.decision, "why": verdict.reason}
            run = self.runs.advance(run, stage, report=report | {stage: report})
        return self._take(run, path, move)

    def _create(self, run: Run, path: PathPlan, stage: Stage, name: str) -> Experiment:
        return self.experiments.create(run.collection, path.experiment(stage, name, run.version), AUTOPILOT)

    def _let_run(self, run: Run, stage: Stage, experiment: Experiment) -> Run:
        if experiment.state == "draft":
            try:
                experiment = self.experiments.start(run.collection, experiment.id, AUTOPILOT)
            except Conflict:
                return run  # others take the traffic; this one waits its turn
        return run if run.experiment == experiment.id else self.runs.advance(run, stage, experiment=experiment.id)

    def _verdict_of(self, experiment: Experiment | None) -> Verdict | None:
        """Return how an experiment ended; None before its end, which the schedule's looks bring."""
        if experiment is None or experiment.state not in {"stopped", "decided"}:
            return None
        return self.experiments.report(experiment.collection, experiment.id).verdict

    def _stand(self, run: Run, path: PathPlan, verdict: Verdict | None) -> Standing:
        last = next(iter(self.registry.moves(run.collection, 1)), None)
        undone = last is not None and (last.kind, last.version, last.previous, last.actor) == (
            *("rollback", path.control),
            *(run.version, AUTOPILOT),
        )
        return Standing(
            version=run.version,
            control=path.control,
            champion=last.version if last else path.control,
            moved=last.reason if last else "",
            undone=undone,
            verdict=verdict,
            proof=path.proof,
            watched="holdback" in path.stages,
        )

    def _take(self, run: Run, path: PathPlan, move: NextStep) -> Run:
        if move.action == "advance":
            return self.runs.advance(run, move.to)
        if move.action == "roll_back":
            return self._roll_back(run, path, move.why)
        if move.refused and self.registry.get(run.collection, run.version).status != "refused":
            self.hotswap.refuse(run.collection, run.version, f"experiment: {move.why}", AUTOPILOT)
        return self.runs.end(run, move.end, move.why)

    def _roll_back(self, run: Run, path: PathPlan, why: str) -> Run:
        reason = f"its holdback: {why}"
        try:
            self.hotswap.rollback(run.collection, reason, AUTOPILOT, expected=run.version, to=path.control)
        except LeaseLost:
            raise
        except Conflict:
            return run  # somebody moves the pointer at this moment; the next look sees where to
        return run  # and this rollback

    def _step_promote(self, run: Run) -> Run:
        path = PathPlan.from_json(run.report[PATH])
        standing = self._stand(run, path, None)
        moves = self.registry.moves(run.collection)
        promoted = any(one.version == run.version and one.at >= run.updated_at for one in moves)
        move = next_promotion(standing, promoted=promoted)
        if move.action == "promote":
            return self._promote(run, path)
        if standing.champion != run.version:
            return self._take(run, path, move)
        return self._await_replicas(run, path, move)

    def _promote(self, run: Run, path: PathPlan) -> Run:
        """Make the candidate the champion, once the holdback of the one before has ended."""
        if any(other.id != run.id and other.step == "holdback" for other in self.runs.active_of(run.collection)):
            return run
        why = f"won experiment {run.experiment}"
        try:
            self.hotswap.promote(run.collection, run.version, why, AUTOPILOT, expected=path.control)
        except LeaseLost:
            raise
        except Conflict:
            return run  # somebody moves the pointer at this moment; the next look sees where to
        return self._step_promote(run)

    def _await_replicas(self, run: Run, path: PathPlan, move: NextStep) -> Run:
        behind = self.hotswap.behind(run.collection)
        if behind is None:
            return run  # they are asked again with the next look
        problems = [f"{replica.name}: {replica.problem or 'still at ' + replica.version}" for replica in behind]
        ended = "every replica serves it" if not behind else f"these replicas do not serve it: {'; '.join(problems)}"
        if move.action == "advance":
            return self.runs.advance(run, "holdback", report={"promoted": ended})
        return self._take(run, path, NextStep("end", end="promoted", why=ended))
