"""Finds the rules that are meant for a search, by what it asks and says instead of one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from foundation.contracts import query_key
from serving.index.lexical.words import cut_words
from serving.rules.rule import Rule

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Situation:
    """What a search is, as far as rules look at it.

    Attributes:
        key: The normal form of its query, "" where everything is listed.
        attributes: What the app says of it, by name.
        place: Where it is asked, degrees north and east; None where nobody says.
    """

    key: str
    attributes: Mapping[str, str]
    surface: str
    now: datetime
    place: tuple[float, float] | None = None


class RuleBook:
    """The rules of a collection by name. A look-up takes as long as the query has words, however many rules there are.

    Rules without a query are found by one of their attributes, and those without either are looked at each time.
    """

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = {name: rule for name, rule in rules.items() if rule.enabled}
        self._by_query: dict[str, list[str]] = {}
        self._by_words: dict[Words, list[str]] = {}
        self._by_attribute: dict[tuple[str, str], list[str]] = {}
        self._others: list[str] = []
        for name, rule in self._rules.items():
            self._enter(name, rule)
        self._lengths = sorted({len(words) for words in self._by_words})

    def __len__(self) -> int:
        """Return the number of rules that are enabled."""
        return len(self._rules)

    def find(self, situation: Situation) -> list[tuple[str, Rule]]:
        """Return the rules that are meant for a search, with their names: the largest priority first, then by name."""
        names = dict.fromkeys(self._candidates(situation))
        found = [(name, rule) for name in names if _fits(rule := self._rules[name], situation)]
        return sorted(found, key=lambda one: (-one[1].priority, one[0]))

    def _enter(self, name: str, rule: Rule) -> None:
        when = rule.when
        if not when.queries:
            first = next(iter(sorted(when.attributes.items())), None)
            (self._by_attribute.setdefault(first, []) if first else self._others).append(name)
        for query in when.queries:
            if when.match == "is":
                self._by_query.setdefault(query_key(query), []).append(name)
            elif words := tuple(cut_words(query).plain):
                self._by_words.setdefault(words, []).append(name)

    def _candidates(self, situation: Situation) -> Iterator[str]:
        yield from self._by_query.get(situation.key, ())
        words = tuple(cut_words(situation.key).plain) if self._lengths else ()
        for length in self._lengths:
            for start in range(len(words) - length + 1):
                yield from self._by_words.get(words[start : start + length], ())
        for pair in situation.attributes.items():
            yield from self._by_attribute.get(pair, ())
        yield from self._others


def _fits(rule: Rule, situation: Situation) -> bool:
    when = rule.when
    return (
        rule.is_due(situation.now)
        and when.surface in {"", situation.surface}
        and all(situation.attributes.get(name) == value for name, value in when.attributes.items())
    )
