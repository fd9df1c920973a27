"""What the owner's settings make of one search: what is listed, what is moved, what is put where, what is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from foundation.arrays import Doubles, Flags, Ints
from foundation.errors import InvalidRequest
from serving.index.fields.filters import AllOf, Condition, HasId, Not, parse_filter
from serving.index.fields.values import FieldType
from serving.index.lexical.synonyms import Expansions
from serving.rules.placement import PlacedPin
from serving.rules.rule import Lift, Rule
from serving.rules.rule_book import Situation
from serving.rules.settings import Relevance
from serving.rules.terms import FieldsByRow, ScoreTerm, check_term, lets_through, weigh


@dataclass(frozen=True, slots=True)
class AppliedRule:
    """A rule that was meant for a search.

    Attributes:
        name: Its name, of a term of the score too.
        effects: What it does, by the words that a rule says it with.
        problem: Why a part of it has no effect, "" where all has.
    """

    name: str
    effects: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Shaping:
    """What settings make of one search.

    Attributes:
        number: The revision of the settings, 0 for none.
        expansions: Synonyms that the words are searched for with.
        condition: What alone is listed, None for everything.
        pins: What is put where, the most important first; each document once.
        lifts: What is moved, with how far in log-odds.
        terms: Terms of the score, that fit the fields.
        situation: The search as rules and terms see it.
        redirect: Address that the page is told to open instead of the hits, "" without a rule that names one.
        banners: What the page should show, in the order of the rules.
        applied: The rules behind all this.
    """

    number: int = 0
    expansions: Expansions | None = None
    condition: Condition | None = None
    pins: tuple[PlacedPin, ...] = ()
    lifts: tuple[tuple[Condition, float], ...] = ()
    terms: tuple[ScoreTerm, ...] = ()
    situation: Situation | None = None
    redirect: str = ""
    banners: tuple[Mapping[str, Any], ...] = ()
    applied: tuple[AppliedRule, ...] = ()

    @property
    def moves(self) -> bool:
        """Whether any score is another for it."""
        return bool(self.lifts or self.terms)

    def narrow(self, corpus: FieldsByRow, allowed: Flags | None) -> Flags | None:
        """Return which of the rows that may be listed are, bool by row; None allows all."""
        if self.condition is None:
            return allowed
        mask = corpus.matching(self.condition)
        if allowed is None:
            return mask
        length = min(len(mask), len(allowed))
        met: Flags = mask[:length] & allowed[:length]
        return met

    def lift(self, corpus: FieldsByRow, rows: Ints) -> Doubles:
        """Return what is added to the scores of documents, in log-odds, shape (len(rows),)."""
        total = np.zeros(len(rows))
        for condition, by in self.lifts:
            total += by * lets_through(condition, corpus, rows)
        situation = self.situation
        if situation is not None:
            for term in self.terms:
                total += weigh(term, corpus, rows, situation)
        return total


NO_SHAPING = Shaping()


@dataclass(slots=True)
class _Gathered:
    """What the rules say together, as it is gathered."""

    types: Mapping[str, FieldType]
    conditions: list[Condition] = field(default_factory=list)
    lifts: list[tuple[Condition, float]] = field(default_factory=list)
    pins: dict[str, PlacedPin] = field(default_factory=dict)
    problem: str = ""

    def filters(self, given: Iterable[Lift], sign: float) -> None:
        for one in given:
            condition = self.read(one.filter)
            self.lifts += [(condition, sign * one.by)] if condition is not None else []

    def read(self, given: Any) -> Condition | None:
        try:
            return parse_filter(given, self.types)
        except InvalidRequest as problem:
            self.problem = problem.detail
            return None


def shape(relevance: Relevance, situation: Situation, corpus: FieldsByRow) -> Shaping:
    """Return what settings make of one search. A filter that does not fit the fields any more has no effect."""
    if relevance.is_empty:
        return NO_SHAPING
    gathered = _Gathered(corpus.fields.types)
    rules = relevance.book.find(situation)
    applied = tuple(_apply(name, rule, gathered) for name, rule in rules)
    terms = dict(relevance.terms)
    faults = {name: check_term(term, gathered.types, "term") for name, term in terms.items()}
    idle = tuple(AppliedRule(name, (), f"{fault.field} {fault.reason}") for name, fault in faults.items() if fault)
    conditions = gathered.conditions
    return Shaping(
        number=relevance.number,
        expansions=relevance.expansions,
        condition=AllOf(tuple(conditions)) if conditions else None,
        pins=tuple(gathered.pins.values()),
        lifts=tuple(gathered.lifts),
        terms=tuple(term for name, term in terms.items() if faults[name] is None),
        situation=situation,
        redirect=next((rule.redirect for _, rule in rules if rule.redirect), ""),
        banners=tuple(rule.banner for _, rule in rules if rule.banner is not None),
        applied=(*applied, *idle),
    )


def _apply(name: str, rule: Rule, gathered: _Gathered) -> AppliedRule:
    gathered.problem = ""
    for pin in rule.pin:
        gathered.pins.setdefault(pin.id, PlacedPin(name, pin.id, pin.rank))
    if rule.hide:
        gathered.conditions.append(Not(HasId(rule.hide)))
    if rule.filter is not None and (condition := gathered.read(rule.filter)) is not None:
        gathered.conditions.append(condition)
    gathered.filters(rule.boost, 1.0)
    gathered.filters(rule.bury, -1.0)
    return AppliedRule(name, tuple(_effects(rule)), gathered.problem)


def _effects(rule: Rule) -> Iterator[str]:
    for effect in ("pin", "hide", "boost", "bury", "redirect"):
        if getattr(rule, effect):
            yield effect
    for effect in ("filter", "banner"):
        if getattr(rule, effect) is not None:
            yield effect
