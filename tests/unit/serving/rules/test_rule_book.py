"""Rules are found by what a search asks and says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.contracts import query_key
from serving.rules.rule import Rule, When
from serving.rules.rule_book import RuleBook, Situation

NOW = datetime(2026, 11, 27, tzinfo=UTC)
DAY = timedelta(days=1)


def situation(query: str = "", surface: str = "page", **attributes: str) -> Situation:
    return Situation(query_key(query), attributes, surface, NOW)


def names(rules: dict[str, Rule], asked: Situation) -> list[str]:
    return [name for name, _ in RuleBook(rules).find(asked)]


def rule(*queries: str, **other: Any) -> Rule:
    return Rule(when=When(queries=queries), hide=("a",), **other)


@pytest.mark.parametrize(("query", "found"), [("Laser  TONER", True), ("laser", False), ("laser toner black", False)])
def test_a_whole_query_is_meant_in_its_normal_form(query: str, found: bool) -> None:
    assert names({"one": rule("laser toner")}, situation(query)) == (["one"] if found else [])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("cheap laser toner!", True),
        ("LÁSER-toner", True),
        ("toner laser", False),
        ("laserjet toner", False),
        ("", False),
    ],
)
def test_words_inside_a_query_are_meant_beside_each_other(query: str, found: bool) -> None:
    inside = Rule(when=When(queries=("laser toner",), match="contains"), hide=("a",))
    assert names({"one": inside}, situation(query)) == (["one"] if found else [])


def test_all_that_is_named_must_hold() -> None:
    named = Rule(when=When(queries=("toner",), attributes={"country": "at"}, surface="page"), hide=("a",))
    assert names({"one": named}, situation("toner", country="at", plan="pro")) == ["one"]
    assert names({"one": named}, situation("toner", country="de")) == []
    assert names({"one": named}, situation("toner", "agent", country="at")) == []


def test_a_rule_without_a_query_is_meant_for_all_that_say_so() -> None:
    rules = {"at": Rule(when=When(attributes={"country": "at"}), hide=("a",)), "all": Rule(hide=("a",))}
    assert names(rules, situation("anything", country="at")) == ["all", "at"]
    assert names(rules, situation()) == ["all"]


def test_a_rule_acts_from_its_beginning_until_its_end() -> None:
    dates = {
        "past": rule("toner", until=NOW),
        "now": rule("toner", since=NOW, until=NOW + DAY),
        "to come": rule("toner", since=NOW + DAY),
        "off": rule("toner", enabled=False),
    }
    assert names(dates, situation("toner")) == ["now"]


def test_the_more_important_goes_first() -> None:
    rules = {"b": rule("toner"), "a": rule("toner"), "z": rule("toner", priority=5)}
    assert names(rules, situation("toner")) == ["z", "a", "b"]


Match = Literal["is", "contains"]
WORDS = st.sampled_from(["laser", "toner", "ink", "paper"])
PHRASES = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)


@given(st.lists(st.tuples(PHRASES, st.sampled_from(get_args(Match))), max_size=12), PHRASES)
def test_it_finds_what_looking_at_each_rule_finds(wanted: list[tuple[str, Match]], query: str) -> None:
    rules = {
        f"r{number:02}": Rule(when=When(queries=(phrase,), match=match), hide=("a",))
        for number, (phrase, match) in enumerate(wanted)
    }
    meant = [
        f"r{number:02}"
        for number, (phrase, match) in enumerate(wanted)
        if (phrase == query if match == "is" else f" {phrase} " in f" {query} ")
    ]
    assert names(rules, situation(query)) == meant
