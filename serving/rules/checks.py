"""What is wrong with settings before they are kept."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from foundation.errors import FieldFault
from foundation.language.folding import fold
from foundation.texts import NOT_TEXT
from serving.index.fields.filters import unknown_field
from serving.index.fields.values import FieldType
from serving.rules.personal_term import PersonalTerm, check_personal
from serving.rules.rule import MAX_RANK, Rule
from serving.rules.settings import FieldFeature, SynonymGroup
from serving.rules.terms import ScoreTerm, check_term, filter_faults

MAX_CHANGES = 1000
"""Settings in one request."""

MAX_BY = 100.0
MAX_QUERIES = 100
MAX_PINS = 100
MAX_HIDDEN = 1000
MAX_LIFTS = 20
MAX_WORDS = 50
MAX_VALUES = 50
MAX_CHARACTERS = 200
MAX_BANNER_BYTES = 10_000
_SAFE = ("http://", "https://", "/", "?", "#", "./", "../")


def check_changes(changes: Mapping[str, Any], types: Mapping[str, FieldType]) -> list[FieldFault]:
    """Return what is wrong with changes of one kind, by their names; None withdraws, and is never wrong.

    Args:
        types: The fields of the collection.
    """
    return [fault for name, one in changes.items() if one is not None for fault in _check(one, name, types)]


def _check(one: Any, path: str, types: Mapping[str, FieldType]) -> Iterator[FieldFault]:
    if isinstance(one, SynonymGroup):
        yield from _check_synonyms(one, path)
    elif isinstance(one, FieldFeature):
        if path not in types:
            yield FieldFault(path, unknown_field(path, types))
        if not 1 <= one.values <= MAX_VALUES:
            yield FieldFault(f"{path}.values", f"must be from 1 to {MAX_VALUES}")
    elif isinstance(one, Rule):
        yield from _check_rule(one, path, types)
    elif isinstance(one, PersonalTerm):
        yield from check_personal(one, types, path)
    else:
        yield from _check_score_term(one, path, types)


def _check_score_term(term: ScoreTerm, path: str, types: Mapping[str, FieldType]) -> Iterator[FieldFault]:
    for number in ("by", "low", "high", "full", "half_life_days", "half_km"):
        if not math.isfinite(getattr(term, number, 0.0)):
            yield FieldFault(f"{path}.{number}", "must be a number")
            return
    if not abs(term.by) <= MAX_BY:
        yield FieldFault(f"{path}.by", f"must be from -{MAX_BY:g} to {MAX_BY:g}")
    if fault := check_term(term, types, path):
        yield fault


def _check_synonyms(group: SynonymGroup, path: str) -> Iterator[FieldFault]:
    for name in ("words", "to"):
        texts: tuple[str, ...] = getattr(group, name)
        if len(texts) > MAX_WORDS:
            yield FieldFault(f"{path}.{name}", f"must be at most {MAX_WORDS}")
        for place, text in enumerate(texts):
            if reason := _fault_of_text(text):
                yield FieldFault(f"{path}.{name}[{place}]", reason)
    if len({fold(word) for word in group.words}) < (1 if group.to else 2):
        least = "at least one, beside `to`" if group.to else "at least two that differ, or some in `to`"
        yield FieldFault(f"{path}.words", f"must be {least}")


def _fault_of_text(text: str) -> str:
    if not any(map(str.isalnum, text)):
        return "must have a letter or a digit"
    if len(text) > MAX_CHARACTERS or NOT_TEXT.search(text):
        return f"must be a text of at most {MAX_CHARACTERS} characters"
    return ""


def _check_rule(rule: Rule, path: str, types: Mapping[str, FieldType]) -> Iterator[FieldFault]:
    if not rule.acts:
        yield FieldFault(path, "must do something: pin, hide, boost, bury, filter, redirect or banner")
    yield from _check_when(rule, path)
    yield from _check_sizes(rule, path)
    for place, pin in enumerate(rule.pin):
        if not 1 <= pin.rank <= MAX_RANK:
            yield FieldFault(f"{path}.pin[{place}].rank", f"must be from 1 to {MAX_RANK}")
    for name in ("boost", "bury"):
        for place, lift in enumerate(getattr(rule, name)):
            if not 0 < lift.by <= MAX_BY:
                yield FieldFault(f"{path}.{name}[{place}].by", f"must be above 0 and at most {MAX_BY:g}")
            yield from filter_faults(lift.filter, f"{path}.{name}[{place}].filter", types)
    if rule.filter is not None:
        yield from filter_faults(rule.filter, f"{path}.filter", types)
    if rule.redirect and not rule.redirect.lower().startswith(_SAFE):
        yield FieldFault(f"{path}.redirect", "must be an http or https address, or a relative one")


def _check_when(rule: Rule, path: str) -> Iterator[FieldFault]:
    for place, query in enumerate(rule.when.queries):
        if reason := _fault_of_text(query):
            yield FieldFault(f"{path}.when.queries[{place}]", reason)
    for name in ("since", "until"):
        moment = getattr(rule, name)
        if moment is not None and moment.tzinfo is None:
            yield FieldFault(f"{path}.{name}", "must have a zone, as in 2026-11-27T00:00:00Z")
            return
    if rule.since and rule.until and rule.since >= rule.until:
        yield FieldFault(f"{path}.until", "must be later than since")


def _check_sizes(rule: Rule, path: str) -> Iterator[FieldFault]:
    limits = {"pin": MAX_PINS, "hide": MAX_HIDDEN, "boost": MAX_LIFTS, "bury": MAX_LIFTS}
    for name, most in limits.items():
        if len(getattr(rule, name)) > most:
            yield FieldFault(f"{path}.{name}", f"must be at most {most}")
    if len(rule.when.queries) > MAX_QUERIES:
        yield FieldFault(f"{path}.when.queries", f"must be at most {MAX_QUERIES}")
    for name in ("redirect", "note"):
        if len(getattr(rule, name)) > 10 * MAX_CHARACTERS or NOT_TEXT.search(getattr(rule, name)):
            yield FieldFault(f"{path}.{name}", f"must be a text of at most {10 * MAX_CHARACTERS} characters")
    for name in ("banner", "filter"):
        if len(json.dumps(getattr(rule, name))) > MAX_BANNER_BYTES:
            yield FieldFault(f"{path}.{name}", f"must be at most {MAX_BANNER_BYTES} bytes as JSON")
