"""The metrics of a plan: delivered ones and those that it defines, which must improve or must not get worse."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from ab_testing.design.metric import Metric
from ab_testing.design.plan import ExperimentPlan, Guardrail
from ab_testing.metrics.metrics import METRICS
from foundation.errors import FieldFault, InvalidRequest

PREFERENCE = "preference"


def known_metrics(plan: ExperimentPlan) -> Mapping[str, Metric]:
    """Return the metrics that a plan may name, by name: the delivered ones and those that it defines."""
    if not plan.definitions:
        return METRICS
    return METRICS | {name: definition.to_metric(name) for name, definition in plan.definitions.items()}


def guardrails_of(plan: ExperimentPlan) -> tuple[Guardrail, ...]:
    """Return the plan's guardrails, or the usual ones of an A/B test, each with its margin."""
    chosen = plan.guardrails or tuple(Guardrail(name) for name in _usual_guardrails(plan))
    known = known_metrics(plan)
    return tuple(one if one.margin is not None else Guardrail(one.metric, known[one.metric].margin) for one in chosen)


def metrics_of(plan: ExperimentPlan) -> tuple[str, ...]:
    """Return the names of all metrics that the plan's verdict rests on, each once."""
    return tuple(dict.fromkeys((*plan.success, *(one.metric for one in guardrails_of(plan)))))


def check_metrics(plan: ExperimentPlan) -> None:
    """Refuse a plan whose metrics do not exist or do not fit its kind.

    Raises:
        InvalidRequest: A metric is wrong; `fields` names each place.
    """
    faults = tuple(_faults(plan))
    if faults:
        detail = "; ".join(f"{fault.field}: {fault.reason}" for fault in faults)
        raise InvalidRequest(f"the experiment's metrics are not valid: {detail}", faults)


def _usual_guardrails(plan: ExperimentPlan) -> Iterator[str]:
    if plan.kind == "ab":
        yield from ("p95_latency", "zero_result_rate")
        if "csat" in plan.success:
            yield "rating_response_rate"


def _faults(plan: ExperimentPlan) -> Iterator[FieldFault]:
    guarded, known = [one.metric for one in plan.guardrails], known_metrics(plan)
    for place, names in (("success", list(plan.success)), ("guardrails", guarded)):
        unknown = [name for name in names if name not in known]
        if unknown:
            all_names = ", ".join(sorted(known))
            yield FieldFault(place, f"name {', '.join(map(repr, unknown))[:200]}; known metrics are {all_names}")
        if len(set(names)) < len(names):
            yield FieldFault(place, "name a metric twice")
    if any(one.margin is not None and not 0 < one.margin < math.inf for one in plan.guardrails):
        yield FieldFault("guardrails", "must have margins above 0")
    if any(name in known and known[name].higher_is_better is None for name in plan.success):
        yield FieldFault("success", "names a metric that should stay as it is; make it a guardrail")
    yield from _kind_faults(plan, guarded)


def _kind_faults(plan: ExperimentPlan, guarded: list[str]) -> Iterator[FieldFault]:
    if plan.kind == "ab":
        if PREFERENCE in (*plan.success, *guarded):
            yield FieldFault("success", "measures a preference, which only interleaving shows")
        return
    if plan.success != (PREFERENCE,) or guarded:
        yield FieldFault("success", "must be the preference alone: in interleaved lists nothing else belongs to an arm")
