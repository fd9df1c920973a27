"""What an owner has said of a collection's relevance, as JSON values by kind and name, and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Literal, get_args

from pydantic import TypeAdapter, ValidationError

from foundation.telemetry.logs import get_log
from serving.index.lexical.synonyms import Expansions, Synonyms
from serving.rules.personal_term import PersonalTerm
from serving.rules.rule import Rule
from serving.rules.rule_book import RuleBook
from serving.rules.terms import ScoreTerm, Term

Kind = Literal["synonyms", "rule", "term", "feature"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MAX_ITEMS: Mapping[Kind, int] = {"synonyms": 10_000, "rule": 5_000, "term": 20, "feature": 20}
"""Most of a collection by kind."""

_log = get_log("relevance")

ItemKey = tuple[Kind, str]
Items = Mapping[ItemKey, dict[str, Any]]
"""Settings as they are stored: JSON objects by kind and name."""


@dataclass(frozen=True, slots=True)
class SynonymGroup:
    """Words and phrases that mean the same."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    words: tuple[str, ...] = field(metadata={"description": "Words or phrases; each is searched for as the others."})
    to: tuple[str, ...] = field(
        default=(), metadata={"description": "One way: whoever asks for one of `words` also finds these, not back."}
    )

    def rules(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return what else is searched for, by what is asked."""
        if self.to:
            return [(word, self.to) for word in self.words]
        return [(word, tuple(other for other in self.words if other != word)) for word in self.words]


@dataclass(frozen=True, slots=True)
class FieldFeature:
    """A field of documents from which training learns, beside text and clicks."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    values: int = field(
        default=12, metadata={"description": "Of keywords: how many of the most frequent ones count one by one."}
    )


READERS: Mapping[Kind, TypeAdapter[Any]] = {
    "synonyms": TypeAdapter(SynonymGroup),
    "rule": TypeAdapter(Rule),
    "term": TypeAdapter(Term),
    "feature": TypeAdapter(FieldFeature),
}


@dataclass(frozen=True, slots=True)
class Relevance:
    """One revision of the settings, ready to be used.

    Attributes:
        number: The revision, 0 where nothing was ever said.
        terms: Of the score, by name, but for the personal one.
        personal: What a person's earlier choices may move, None for nothing.
        synonyms: Of all groups.
        expansions: The same as the collection's indexes read them; None without any.
    """

    number: int = 0
    book: RuleBook = field(default_factory=partial(RuleBook, {}))
    terms: tuple[tuple[str, ScoreTerm], ...] = ()
    personal: PersonalTerm | None = None
    synonyms: Synonyms = field(default_factory=Synonyms)
    expansions: Expansions | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing of a search, whoever asks."""
        return not (len(self.book) or self.terms or self.synonyms.rules)

    @property
    def orders(self) -> bool:
        """Whether it says anything of what is listed where, whoever asks; synonyms say what is found."""
        return bool(len(self.book) or self.terms)


NO_RELEVANCE = Relevance()


def read_features(items: Items) -> dict[str, int]:
    """Return the fields that are features, with how many of their values count one by one."""
    return {name: READERS[kind].validate_python(one).values for (kind, name), one in items.items() if kind == "feature"}


def read_relevance(number: int, items: Items) -> Relevance:
    """Return a stored revision ready to be used, but for its synonyms, which an index reads.

    What another release stored and this one cannot read is left out, and logged: all else acts.
    """
    read: dict[Kind, dict[str, Any]] = {kind: {} for kind in KINDS}
    for (kind, name), content in sorted(items.items()):
        try:
            read[kind][name] = READERS[kind].validate_python(content)
        except (ValidationError, KeyError) as problem:
            _log.error("relevance_setting_unreadable", revision=number, kind=kind, name=name, problem=str(problem))
    groups: list[SynonymGroup] = list(read["synonyms"].values())
    terms: dict[str, Term] = read["term"]
    return Relevance(
        number=number,
        book=RuleBook(read["rule"]),
        terms=tuple((name, one) for name, one in terms.items() if not isinstance(one, PersonalTerm)),
        personal=next((one for one in terms.values() if isinstance(one, PersonalTerm)), None),
        synonyms=Synonyms(tuple(rule for group in groups for rule in group.rules())),
    )
