"""From what was searched lately to the searches and days of an experiment, and back (pure)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, get_args

from ab_testing.design.metric import Metric
from ab_testing.design.plan import MAX_ALPHA, MAX_ARMS, RECONTACT_DAYS, Kind, Test, UnitKind
from ab_testing.metrics.choice import PREFERENCE
from ab_testing.planning.history import AssumedBaseline, Baseline, Baselines, TrafficHistory
from ab_testing.stats.power import MAX_DAYS, USUAL_POWER, Trial
from foundation.errors import FieldFault, InvalidRequest

USUAL_DAYS = (7.0, 14.0, 28.0)
"""How long experiments are that are told of when nobody says what is wanted."""

_USUAL_METRICS = ("click_rate", PREFERENCE)


@dataclass(frozen=True, slots=True)
class PlanningRequest:
    """What an experiment shall find, or how large it may be. With neither, some usual lengths are told.

    Raises:
        InvalidRequest: A value is wrong; `fields` names each one.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    kind: Kind | None = field(default=None, metadata={"description": "ab or interleaving; both when null."})
    metrics: tuple[str, ...] = field(
        default=(),
        metadata={"description": "Metrics; the click rate and the preference when empty. Each counts where it fits."},
    )
    effect: float | None = field(
        default=None,
        metadata={"description": "The effect to find, in the metric's own unit and above 0; of logarithms for p95."},
    )
    lift: float | None = field(
        default=None, metadata={"description": "The same as a share of the present value; instead of `effect`."}
    )
    searches: int | None = field(default=None, metadata={"description": "Searches that may take part."})
    days: float | None = field(default=None, metadata={"description": "Days that it may last."})
    guard: bool = field(
        default=False,
        metadata={
            "description": "Whether harm beyond the effect is to be ruled out, instead of a gain found; without an "
            "effect beyond the metric's own margin."
        },
    )
    alpha: float = field(default=0.05, metadata={"description": "As in the plan of an experiment."})
    power: float = field(
        default=USUAL_POWER, metadata={"description": "Probability that the effect is found; 0.5 to 0.99."}
    )
    test: Test = field(default="sequential", metadata={"description": "As in the plan of an experiment."})
    coverage: float = field(default=1.0, metadata={"description": "Share of all units that takes part."})
    arms: int = field(default=2, metadata={"description": "Arms of equal weight."})
    unit: UnitKind = field(default="user", metadata={"description": "As in the plan of an experiment."})
    baseline: AssumedBaseline | None = field(
        default=None, metadata={"description": "Instead of the collection's own history, or where it has none."}
    )

    def __post_init__(self) -> None:
        faults = tuple(self._faults())
        if faults:
            detail = "; ".join(f"{fault.field}: {fault.reason}" for fault in faults)
            raise InvalidRequest(f"this cannot be planned: {detail}", faults)

    def _faults(self) -> Iterator[FieldFault]:
        for name, choices in (("kind", Kind), ("unit", UnitKind), ("test", Test)):
            value = getattr(self, name)
            if value is not None and value not in get_args(choices):
                yield FieldFault(name, f"is {value!r}; it must be {' or '.join(map(repr, get_args(choices)))}")
        if self.effect is not None and self.lift is not None:
            yield FieldFault("lift", "says the same as effect; give one of them")
        for name, valid, rule in self._numbers():
            if not valid:
                yield FieldFault(name, f"is {getattr(self, name)}; it must be {rule}")
        if self.baseline:
            yield from _baseline_faults(self.baseline)

    def _numbers(self) -> Iterator[tuple[str, bool, str]]:
        for name, most in (("effect", math.inf), ("lift", math.inf), ("searches", 10**12), ("days", MAX_DAYS)):
            value = getattr(self, name)
            yield name, value is None or (0 < value <= most and math.isfinite(value)), "above 0 and not endless"
        yield "alpha", 0 < self.alpha <= MAX_ALPHA, f"above 0 and at most {MAX_ALPHA}"
        yield "power", 0.5 <= self.power <= 0.99, "0.5 to 0.99"
        yield "coverage", 0 < self.coverage <= 1, "above 0 and at most 1"
        yield "arms", 2 <= self.arms <= MAX_ARMS, f"2 to {MAX_ARMS}"


@dataclass(frozen=True, slots=True)
class SampleForecast:
    """How large an experiment on one metric is, and what it finds."""

    metric: str = field(metadata={"description": "Name of the metric."})
    kind: Kind = field(metadata={"description": "ab or interleaving."})
    value: float | None = field(metadata={"description": "Its present value; null for a preference."})
    effect: float = field(metadata={"description": "The smallest effect that is found, in the metric's own unit."})
    lift: float | None = field(metadata={"description": "The same as a share of the present value."})
    searches: int | None = field(metadata={"description": "Searches of all arms; null where none are enough."})
    days: float | None = field(metadata={"description": "How long these take; null where no time is enough."})
    power: float = field(metadata={"description": "Probability that the effect is found."})

    @property
    def possible(self) -> bool:
        """Whether the effect can be found at all."""
        return self.days is not None


@dataclass(frozen=True, slots=True)
class ExperimentForecast:
    """What experiments on a collection's traffic can find."""

    history: TrafficHistory = field(metadata={"description": "What was read."})
    assumptions: tuple[str, ...] = field(metadata={"description": "What was not measured and is assumed instead."})
    samples: tuple[SampleForecast, ...] = field(metadata={"description": "One a metric and length."})
    unmeasured: tuple[str, ...] = field(
        default=(), metadata={"description": "Metrics of the request that too few units showed lately to plan for."}
    )


def forecast(request: PlanningRequest, known: Baselines) -> ExperimentForecast:
    """Return what was asked for.

    Args:
        known: The collection's own figures, or assumed ones.

    Raises:
        InvalidRequest: There is no such metric, or none that an experiment of this kind shows.
    """
    unknown = [name for name in request.metrics if name not in known.known]
    if unknown:
        reason = f"name {unknown[0]!r:.100}; known metrics are {', '.join(sorted(known.known))}"
        raise InvalidRequest(f"metrics: {reason}", (FieldFault("metrics", reason),))
    wanted = [known.known[name] for name in request.metrics or _USUAL_METRICS]
    fitting = [metric for metric in wanted if request.kind in (None, _kind_of(metric))]
    if not fitting:
        raise InvalidRequest(f"an experiment of the kind {request.kind!r} shows none of these metrics")
    samples: list[SampleForecast] = []
    for metric in fitting:
        if metric.name in known.metrics:
            trial = _trial(request, metric, sum(_kind_of(one) == _kind_of(metric) for one in fitting))
            samples += _samples(request, metric, known.metrics[metric.name], trial)
    unmeasured = tuple(metric.name for metric in fitting if metric.name not in known.metrics)
    return ExperimentForecast(known.history, known.assumptions, tuple(samples), unmeasured)


def _samples(request: PlanningRequest, metric: Metric, baseline: Baseline, trial: Trial) -> Iterator[SampleForecast]:
    effect, noise = _effect(request, metric, baseline), baseline.noise
    if effect is None:
        for days in _lengths(request, baseline):
            yield _sample(metric, baseline, trial, trial.smallest_effect(noise, days), days, trial.power)
        return
    given = [*_lengths(request, baseline)] if request.searches or request.days else []
    for days in given:
        yield _sample(metric, baseline, trial, effect, days, trial.chance(noise, effect, days))
    if not given:
        yield _sample(metric, baseline, trial, effect, trial.days_needed(noise, effect), trial.power)


def _sample(
    metric: Metric, baseline: Baseline, trial: Trial, effect: float, days: float | None, power: float
) -> SampleForecast:
    searches = None if days is None else math.ceil(trial.searches(baseline.noise, days))
    waits = RECONTACT_DAYS if metric.window == "recontact" else 0.0
    return SampleForecast(
        metric=metric.name,
        kind=_kind_of(metric),
        value=baseline.value,
        effect=effect,
        lift=_as_lift(metric, baseline, effect),
        searches=searches,
        days=None if days is None else days + waits,
        power=power,
    )


def _trial(request: PlanningRequest, metric: Metric, metrics: int) -> Trial:
    interleaved = metric.name == PREFERENCE
    share = 1 / request.arms
    return Trial(
        alpha=request.alpha,
        power=request.power,
        sequential=request.test == "sequential",
        shares=() if interleaved else (share, share),
        coverage=request.coverage,
        comparisons=1 if request.guard else metrics * (request.arms - 1),
        one_sided=request.guard,
    )


def _lengths(request: PlanningRequest, baseline: Baseline) -> Iterator[float]:
    """Yield how long the wanted experiments run."""
    if request.searches is not None:
        yield request.searches / (baseline.noise.searches_a_day * request.coverage)
    if request.days is not None:
        yield request.days
    if request.searches is None and request.days is None:
        yield from USUAL_DAYS


def _effect(request: PlanningRequest, metric: Metric, baseline: Baseline) -> float | None:
    """Return the wanted effect in the metric's own unit, of logarithms for a quantile; None where none is wanted."""
    if request.effect is not None:
        return request.effect
    lift = request.lift
    if lift is None and request.guard:
        if not metric.relative:
            return metric.margin
        lift = metric.margin
    if lift is None:
        return None
    if metric.quantile is not None:
        return math.log1p(lift)
    if not baseline.value:
        raise InvalidRequest(f"lift: {metric.name} has no present value; give an effect in its own unit")
    return lift * baseline.value


def _as_lift(metric: Metric, baseline: Baseline, effect: float) -> float | None:
    if metric.quantile is not None:
        return math.expm1(effect)
    return effect / baseline.value if baseline.value else None


def _kind_of(metric: Metric) -> Kind:
    return "interleaving" if metric.name == PREFERENCE else "ab"


def _baseline_faults(baseline: AssumedBaseline) -> Iterator[FieldFault]:
    if not 0 < baseline.searches_a_day < math.inf:
        yield FieldFault("baseline.searches_a_day", "must be above 0")
    if any(not 0 < value < 1 for value in baseline.values.values()):
        yield FieldFault("baseline.values", "must be shares between 0 and 1")
