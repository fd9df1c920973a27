"""Where a candidate stands on its way to all traffic, and what comes next (pure).

    interleave -> compare -> promote -> holdback -> done

With interleaving alone, `promote` follows `interleave` and ends the way. Every step is decided by the verdict of its
experiment and by the champion at that moment. A champion that somebody moved ends the way: what was compared with it
serves no longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ab_testing.api import Verdict

Proof = Literal["full", "interleaving"]
Stage = Literal["interleave", "compare", "holdback"]
"""Steps that have an experiment."""

End = Literal["promoted", "rolled_back", "dropped"]
STAGES: tuple[Stage, ...] = ("interleave", "compare", "holdback")


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known when a step is taken.

    Attributes:
        control: The champion that the candidate is compared with.
        champion: The one that serves now.
        moved: Why that one serves, by the last move of the pointer.
        undone: Whether the last move is a rollback from the candidate to the control that the autopilot made.
        verdict: How this step's experiment ended; None before that.
        proof: What the candidate must pass.
        watched: Whether a holdback follows a promotion.
    """

    version: str
    control: str
    champion: str
    moved: str
    undone: bool = False
    verdict: Verdict | None = None
    proof: Proof = "full"
    watched: bool = True


@dataclass(frozen=True, slots=True)
class NextStep:
    """What is done next.

    Attributes:
        action: experiment: make or start this step's experiment, or wait for it. advance: go on with the step `to`.
            promote: make the candidate the champion. roll_back: make the control the champion again. end: see `end`.
        refused: Whether the candidate is refused for good, for `why`.
    """

    action: Literal["experiment", "advance", "promote", "roll_back", "end"]
    to: Literal["compare", "promote", "holdback"] = "promote"
    end: End = "dropped"
    why: str = ""
    refused: bool = False


def next_move(stage: Stage, at: Standing) -> NextStep:
    """Return what follows at a step with an experiment."""
    return _after_promotion(at) if stage == "holdback" else _before_promotion(stage, at)


def next_promotion(at: Standing, *, promoted: bool) -> NextStep:
    """Return what follows once everything is proven.

    Args:
        promoted: Whether this run made the candidate the champion already, whoever serves now.
    """
    if at.champion == at.version:
        return NextStep("advance", "holdback") if at.proof == "full" and at.watched else NextStep("end", end="promoted")
    if promoted:
        return NextStep("end", end="promoted", why=f"promoted, and replaced by {at.champion} since: {at.moved}")
    if at.champion != at.control:
        return _overtaken(at, "won")
    return NextStep("promote")


def _before_promotion(stage: Stage, at: Standing) -> NextStep:
    if at.champion == at.version:
        return NextStep("end", end="promoted", why=f"promoted before its proof ended: {at.moved}")
    if at.champion != at.control:
        return _overtaken(at, "was tested")
    if at.verdict is None:
        return NextStep("experiment")
    if at.verdict.decision == "promote":
        return NextStep("advance", "compare" if stage == "interleave" and at.proof == "full" else "promote")
    stopped = at.verdict.decision == "stopped"
    why = f"the experiment was stopped: {at.verdict.reason}" if stopped else at.verdict.reason
    return NextStep("end", end="dropped", why=why, refused=True)


def _after_promotion(at: Standing) -> NextStep:
    if at.champion != at.version:
        if at.undone:
            return NextStep("end", end="rolled_back", why=at.moved)
        return NextStep("end", end="promoted", why=f"promoted, and replaced by {at.champion} since: {at.moved}")
    if at.verdict is None:
        return NextStep("experiment")
    if at.verdict.decision == "rollback":
        return NextStep("roll_back", why=at.verdict.reason)
    told = {"stopped": "its holdback was stopped", "invalid": "its holdback cannot be trusted"}
    return NextStep("end", end="promoted", why=f"{told.get(at.verdict.decision, 'it stays')}: {at.verdict.reason}")


def _overtaken(at: Standing, did: str) -> NextStep:
    why = f"it {did} against {at.control}, and the champion is {at.champion} by now: {at.moved}"
    return NextStep("end", end="dropped", why=why)
