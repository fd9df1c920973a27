"""What an experiment compares, on whom, by which metrics and until when: its plan, frozen when it is made."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar, Literal, get_args

from ab_testing.design.arm import Arm, ArmSettings, arm_faults
from ab_testing.design.metric import MAX_WINDOW_DAYS, MetricDefinition
from foundation.errors import FieldFault, InvalidRequest
from foundation.ids import digest_json

Kind = Literal["ab", "interleaving"]
UnitKind = Literal["user", "session", "conversation", "query"]
EvidencePolicy = Literal["pinned", "shared"]
Test = Literal["sequential", "fixed"]
Assigner = Literal["clickloop", "app"]
Aim = Literal["gain", "no_harm", "holdback"]

INTERLEAVED = "interleaved"
CONTROL = "control"
MAX_ARMS = 8
MAX_INTERLEAVED = 3
RECONTACT_DAYS = 3.0
"""Days within which a user who comes back was not resolved; see `collector.fold.signals`."""
MAX_ALPHA = 0.2
_NAME_LENGTH = 200
_HASH_LENGTH = 16
_LATER: dict[str, Any] = {"definitions": {}, "assigned_by": "clickloop", "window_days": 0, "aim": "gain"}
"""Fields that the first plans lacked, and what they meant."""

_CHOICES = {
    "kind": Kind,
    "unit": UnitKind,
    "evidence": EvidencePolicy,
    "test": Test,
    "assigned_by": Assigner,
    "aim": Aim,
}


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A metric that the treatment must not harm by more than a margin."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    metric: str = field(metadata={"description": "Name of the metric; see GET /v1/metrics."})
    margin: float | None = field(
        default=None,
        metadata={
            "description": "Largest harm that is tolerated, in the metric's own unit or relative to the control "
            "as the metric says; null for the metric's own margin."
        },
    )


@dataclass(frozen=True, slots=True)
class RampStep:
    """From when on which share of the units takes part."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    after_days: float = field(metadata={"description": "Days since the start."})
    coverage: float = field(metadata={"description": "Share of all units that take part from then on."})


@dataclass(frozen=True)
class ExperimentPlan:
    """What is compared, on how much traffic and until when. Nothing of it changes after the start.

    `arms` holds the whole comparison, the control first. `control` and `treatment` are the short form for two
    versions; a plan has both forms after it is made.

    The planned end comes when both `planned_searches` and `min_days` have been reached, at the
    latest after `max_days`.

    Raises:
        InvalidRequest: A value is wrong; `fields` names each one.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    name: str = field(metadata={"description": "What people call the experiment; 1 to 200 printable characters."})
    kind: Kind = field(
        metadata={
            "description": "ab: each unit sees one arm. interleaving: every unit sees all arms, two or three, in one "
            "list; needs far fewer searches and tells only which ranking users prefer."
        }
    )
    control: str = field(default="", metadata={"description": "Short form: version id of the present ranking."})
    treatment: str = field(default="", metadata={"description": "Short form: version id of the ranking under test."})
    planned_searches: int = field(
        kw_only=True, metadata={"description": "Searches after which the experiment is decided; above 0."}
    )
    min_days: float = field(
        kw_only=True, metadata={"description": "Days before which nothing is promoted; at least 0."}
    )
    max_days: float = field(
        kw_only=True, metadata={"description": "Days after which it is decided in any case; not below min_days."}
    )
    coverage: float = field(
        default=1.0, metadata={"description": "Share of all units that take part; above 0, at most 1."}
    )
    alpha: float = field(
        default=0.05, metadata={"description": "Largest probability of a false finding; above 0, at most 0.2."}
    )
    arms: tuple[Arm, ...] = field(
        default=(), metadata={"description": "Two or more arms, the control first; instead of the short form."}
    )
    ramp: tuple[RampStep, ...] = field(
        default=(),
        metadata={"description": "Steps of a coverage that grows up to `coverage`; no step moves a unit between arms."},
    )
    unit: UnitKind = field(
        default="user",
        metadata={
            "description": "Who is assigned and counted. user: the user, a session where none is named. Searches that "
            "do not name the unit take no part. query: each search by itself."
        },
    )
    evidence: EvidencePolicy = field(
        default="pinned",
        metadata={
            "description": "pinned: both sides read the live evidence of the start, renewed weekly for both at once. "
            "shared: both read what either side's users do, which dilutes the effect."
        },
    )
    success: tuple[str, ...] = field(
        default=(), metadata={"description": "Metrics of which one must improve; the kind's own when empty."}
    )
    guardrails: tuple[Guardrail, ...] = field(
        default=(), metadata={"description": "Metrics that must not get worse by more than their margins."}
    )
    test: Test = field(
        default="sequential",
        metadata={"description": "sequential: decides at any look. fixed: decides once, at the planned end."},
    )
    recontact_days: float = field(
        default=RECONTACT_DAYS,
        metadata={
            "description": "3: a day counts for resolution when its three days in which users may come back are over. "
            "0: it counts at once, and may still change."
        },
    )
    window_days: int = field(
        default=0,
        metadata={
            "description": "Whole days that must have passed after a day of exposure before its searches count in any "
            "metric but latency, so that late clicks have come; 0: they count at once, and may still change."
        },
    )
    cuped: bool = field(
        default=False, metadata={"description": "Reduce variance by what units did in the 28 days before the start."}
    )
    surfaces: tuple[str, ...] = field(
        default=(), metadata={"description": "Surfaces whose searches take part; all when empty."}
    )
    attributes: dict[str, list[str]] = field(
        default_factory=dict,
        metadata={"description": "Attributes that a search must carry to take part, each with its accepted values."},
    )
    assigned_by: Assigner = field(
        default="clickloop",
        metadata={
            "description": "app: arms are drawn elsewhere, as by a feature flag; each search or exposure names its arm."
        },
    )
    definitions: dict[str, MetricDefinition] = field(
        default_factory=dict,
        metadata={
            "description": "The collection's own metrics by name, as they were defined when the plan was made; one "
            "that is given here holds for this plan alone."
        },
    )

    aim: Aim = field(
        default="gain",
        metadata={
            "description": "gain: promote what is proven better. no_harm: promote what won elsewhere, once "
            "no guardrail is worse than its margin. holdback: the treatment serves already; go back on proven harm."
        },
    )

    def __post_init__(self) -> None:
        if not self.arms:
            arms = (Arm("control", self.control), Arm("treatment", self.treatment))
            object.__setattr__(self, "arms", arms)  # frozen for everybody else
        faults = tuple(self._faults())
        if faults:
            detail = "; ".join(f"{fault.field}: {fault.reason}" for fault in faults)
            raise InvalidRequest(f"the experiment's plan is not valid: {detail}", faults)
        object.__setattr__(self, "control", self.arms[0].version)
        object.__setattr__(self, "treatment", self.arms[1].version)
        if not self.success:
            object.__setattr__(self, "success", ("click_rate",) if self.kind == "ab" else ("preference",))

    @property
    def arm_names(self) -> tuple[str, ...]:
        """The arms of its impressions."""
        return tuple(arm.name for arm in self.arms) if self.kind == "ab" else (INTERLEAVED,)

    def preference_of(self, treatment: str) -> str:
        """Return the name under which looks keep the preference for a treatment: its own where there are several."""
        return INTERLEAVED if len(self.arms) == 2 else treatment

    @property
    def places(self) -> tuple[str, ...]:
        """The field of the plan that names each arm's version, as the short form or the list says it."""
        short = self.arms == (Arm("control", self.control), Arm("treatment", self.treatment))
        listed = tuple(f"arms.{number}.version" for number in range(len(self.arms)))
        return ("control", "treatment") if short else listed

    @property
    def shares(self) -> tuple[float, ...]:
        """Share of the units of each arm; they add up to 1."""
        total = sum(arm.weight for arm in self.arms)
        return tuple(arm.weight / total for arm in self.arms)

    @property
    def versions(self) -> frozenset[str]:
        """The versions that a replica must hold to take part."""
        return frozenset(arm.version for arm in self.arms if arm.version)

    @cached_property
    def hash(self) -> str:
        """The first 16 digits of the digest of everything the plan says."""
        return digest_json(self.to_json())[:_HASH_LENGTH]

    def coverage_after(self, days: float) -> float:
        """Return the share of the units that take part so many days after the start."""
        reached = [step.coverage for step in self.ramp if step.after_days <= days]
        ramped = reached[-1] if reached else (0.0 if self.ramp else self.coverage)
        return min(ramped, self.coverage)

    def with_versions(self, ids: Mapping[str, str]) -> ExperimentPlan:
        """Return the plan with other names of its arms' versions.

        Args:
            ids: The new name of each version that has one.
        """
        return replace(self, arms=tuple(replace(arm, version=ids.get(arm.version, arm.version)) for arm in self.arms))

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON values, to be read by `from_json`.

        What came later than the first plans is left out where it says nothing, so that their hashes stay.
        """
        value = asdict(self)
        arms = [{name: one for name, one in arm.items() if one or name != "engine"} for arm in value["arms"]]
        for arm in arms:
            arm["settings"] = {
                name: one for name, one in arm["settings"].items() if one is not None or name != "relevance"
            }
        return {name: one for name, one in value.items() if _LATER.get(name, ...) != one} | {"arms": arms}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ExperimentPlan:
        """Return the plan that `to_json` wrote; what an older release wrote has fewer fields."""
        arms = tuple(Arm(**arm | {"settings": ArmSettings(**arm["settings"])}) for arm in value.get("arms", ()))
        parts: dict[str, Any] = {
            "arms": arms,
            "ramp": tuple(RampStep(**step) for step in value.get("ramp", ())),
            "guardrails": tuple(Guardrail(**one) for one in value.get("guardrails", ())),
            "success": tuple(value.get("success", ())),
            "surfaces": tuple(value.get("surfaces", ())),
            "definitions": {
                name: MetricDefinition.from_json(one) for name, one in value.get("definitions", {}).items()
            },
        }
        return cls(**value | parts)

    def _faults(self) -> Iterator[FieldFault]:
        if not self.name.strip() or len(self.name) > _NAME_LENGTH or not self.name.isprintable():
            yield FieldFault("name", f"must be 1 to {_NAME_LENGTH} printable characters")
        yield from self._choice_faults()
        yield from self._arms_faults()
        for name, valid, rule in self._numbers():
            if not valid:
                yield FieldFault(name, f"is {getattr(self, name)}; it must be {rule}")
        days, shares = [step.after_days for step in self.ramp], [step.coverage for step in self.ramp]
        in_range = all(day >= 0 for day in days) and all(0 < share <= 1 for share in shares)
        if not (_grows(days) and _grows(shares) and in_range):
            yield FieldFault("ramp", "must be steps of later days and larger coverages above 0 and at most 1")

    def _choice_faults(self) -> Iterator[FieldFault]:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in get_args(choices):
                known = " or ".join(map(repr, get_args(choices)))
                yield FieldFault(name, f"is {getattr(self, name)!r}; it must be {known}")
        if self.assigned_by == "app" and (self.kind != "ab" or self.coverage < 1 or self.ramp):
            yield FieldFault(
                "assigned_by", "is the app, which draws all units: it takes an A/B test of the whole coverage"
            )

        if self.aim != "gain" and (self.kind != "ab" or len(self.arms) != 2):
            yield FieldFault("aim", f"is {self.aim!r}, which takes an A/B test of two arms")

    def _arms_faults(self) -> Iterator[FieldFault]:
        if not 2 <= len(self.arms) <= (MAX_INTERLEAVED if self.kind == "interleaving" else MAX_ARMS):
            yield FieldFault(
                "arms", f"are {len(self.arms)}; A/B takes 2 to {MAX_ARMS}, interleaving 2 or {MAX_INTERLEAVED}"
            )
            return
        for place, arm in zip(self.places, self.arms, strict=True):
            yield from arm_faults(arm, place)
        if len({arm.name for arm in self.arms}) < len(self.arms) or INTERLEAVED in {arm.name for arm in self.arms}:
            yield FieldFault("arms", f"must have different names, none of them {INTERLEAVED!r}")
        if self.kind == "interleaving" and any(arm.engine for arm in self.arms):
            yield FieldFault("arms", "hold an engine outside clickloop, whose lists cannot be interleaved here")
            return
        alike = len({(arm.version, arm.settings) for arm in self.arms}) < len(self.arms)
        if self.kind == "interleaving" and alike:
            yield FieldFault(self.places[-1], "ranks like another arm; interleaving needs different rankings")

    def _numbers(self) -> Iterator[tuple[str, bool, str]]:
        yield "coverage", 0 < self.coverage <= 1, "above 0 and at most 1"
        yield "planned_searches", 0 < self.planned_searches <= 10**12, "above 0 and at most 10**12"
        yield "min_days", 0 <= self.min_days < math.inf, "at least 0"
        lasts = 0 < self.max_days < math.inf and self.max_days >= self.min_days
        yield "max_days", lasts, "above 0 and not below min_days"
        yield "alpha", 0 < self.alpha <= MAX_ALPHA, f"above 0 and at most {MAX_ALPHA}"
        closes = 0 <= self.window_days <= MAX_WINDOW_DAYS and self.window_days < self.max_days
        yield "window_days", closes, f"whole days, 0 to {MAX_WINDOW_DAYS}, and fewer than max_days"
        waits = self.recontact_days in (0, RECONTACT_DAYS)
        yield "recontact_days", waits, f"{RECONTACT_DAYS:g}, or 0 to count days at once"


def _grows(values: list[float]) -> bool:
    return all(one < later for one, later in pairwise(values))
