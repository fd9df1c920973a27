"""What a definition of a metric must be, and how a plan takes those of its collection."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import get_args

from ab_testing.design.metric import MAX_SENTENCE, MAX_TERMS, MAX_WINDOW_DAYS, MetricDefinition, Role, unit_of_sum
from ab_testing.design.plan import ExperimentPlan
from ab_testing.metrics.metrics import METRICS
from collector.api import SIGNALS, CustomSignals, custom_signal
from foundation.contracts import EVENT_NAME
from foundation.errors import FieldFault, InvalidRequest

MAX_METRICS = 20
"""Metrics that a collection may define."""
MAX_EVENTS = 20
"""Names of custom events that all its metrics may count."""

NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
_MAX_MARGIN = 1e9
_INTERLEAVED = ("preferred", "offered", "wins", "losses", "ties")


def with_definitions(plan: ExperimentPlan, own: Mapping[str, MetricDefinition]) -> ExperimentPlan:
    """Return a plan that holds the collection's definitions, so that later changes of them change nothing in it.

    Those that the plan gives itself come before them. Interleaved lists belong to no arm, so such a plan holds none.

    Raises:
        InvalidRequest: A definition that the plan gives is wrong.
    """
    check_definitions(plan.definitions)
    return replace(plan, definitions={**own, **plan.definitions} if plan.kind == "ab" else {})


def check_definitions(given: Mapping[str, MetricDefinition]) -> None:
    """Refuse definitions that are wrong, or too many.

    Args:
        given: All definitions of a collection, or of a plan, by name.

    Raises:
        InvalidRequest: `fields` names each place.
    """
    faults = tuple(_faults(given))
    if faults:
        detail = "; ".join(f"{fault.field} {fault.reason}" for fault in faults)
        raise InvalidRequest(f"the metric is not valid: {detail}", faults)


def _faults(given: Mapping[str, MetricDefinition]) -> Iterator[FieldFault]:
    for name, one in given.items():
        if not NAME.fullmatch(name):
            yield FieldFault("name", f"{name!r:.100} must be a small letter, then up to 47 of a to z, 0 to 9 and _")
        elif name in METRICS:
            yield FieldFault("name", f"{name!r} is a delivered metric; choose another name")
        yield from _faults_of(one)
    if len(given) > MAX_METRICS:
        yield FieldFault("name", f"would be one of {len(given)} metrics; a collection has {MAX_METRICS} at most")
    events = {event for one in given.values() for event in one.events}
    if len(events) > MAX_EVENTS:
        yield FieldFault(
            "numerator", f"counts one of {len(events)} custom events; a collection has {MAX_EVENTS} at most"
        )


def _faults_of(given: MetricDefinition) -> Iterator[FieldFault]:
    if not given.sentence.strip() or len(given.sentence) > MAX_SENTENCE or not given.sentence.isprintable():
        yield FieldFault("sentence", f"must be 1 to {MAX_SENTENCE} printable characters")
    if given.role not in get_args(Role):
        yield FieldFault("role", f"must be one of {', '.join(get_args(Role))}")
    if not 0 < given.margin <= _MAX_MARGIN:
        yield FieldFault("margin", f"must be above 0 and at most {_MAX_MARGIN:g}")
    if not 0 <= given.window_days <= MAX_WINDOW_DAYS:
        yield FieldFault("window_days", f"must be whole days, 0 to {MAX_WINDOW_DAYS}")
    for side, terms in (("numerator", given.numerator), ("denominator", given.denominator)):
        if not 1 <= len(terms) <= MAX_TERMS or len(set(terms)) < len(terms):
            yield FieldFault(side, f"must be 1 to {MAX_TERMS} different signals")
        elif wrong := [term for term in terms if not _is_signal(term)]:
            known = ", ".join(name for name in SIGNALS if name not in _INTERLEAVED)
            parts = ", ".join(f"NAME.{part}" for part in CustomSignals._fields)
            yield FieldFault(side, f"names {wrong[0]!r:.100}; there are {known}, and {parts} of a custom event NAME")
        elif len({unit_of_sum([term]) for term in terms}) > 1:
            yield FieldFault(side, "adds signals of different units, such as money and numbers of searches")


def _is_signal(term: str) -> bool:
    named = custom_signal(term)
    if named is None:
        return term in SIGNALS and term not in _INTERLEAVED
    return bool(EVENT_NAME.fullmatch(named[0])) and named[1] in CustomSignals._fields
