"""What the compatible intakes rely on: every documented form of a moment, and ids that a retry repeats."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.intake.schemas import algolia, meilisearch, metarank, ubi
from collector.intake.schemas.foreign import Fields, action_of, body_id, instant_of
from collector.intake.schemas.parsed import Parsed, Taken
from foundation.ids import BY_CONTENT
from tests.conformance import CASES

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
AT = datetime(2026, 1, 4, 10, tzinfo=UTC)
FIELDS = sorted({name for case in CASES if isinstance(case.body, dict) for name in case.body} | {"ordinal", "x"})

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(FIELDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | st.text(), inner, max_size=3),
    max_leaves=8,
)
values = json_values | st.dictionaries(st.sampled_from(FIELDS), json_values)


@pytest.mark.parametrize(
    "given",
    [
        "2026-01-04T10:00:00Z",
        "2026-01-04T10:00:00.000Z",
        "2026-01-04T11:00:00+01:00",
        "2026-01-04T11:00:00+01:00[Europe/Paris]",
        1767520800000,
        1767520800000.0,
        "1767520800000",
        1767520800,
        "1767520800",
    ],
)
def test_every_documented_form_of_a_moment_is_read(given: Any) -> None:
    assert instant_of(given) == AT


@pytest.mark.parametrize(
    "given", [None, True, "", "noon", "2026-01-04", "2026-01-04T10:00:00", -1, 1e300, float("nan"), 10**400, [], {}]
)
def test_what_names_no_moment_is_none(given: Any) -> None:
    assert instant_of(given) is None


def test_an_id_made_of_the_content_is_the_same_in_a_retry_and_no_other() -> None:
    event = {"a": 1, "b": [2]}

    assert body_id("ubi", event) == body_id("ubi", {"b": [2], "a": 1})
    assert len({body_id("ubi", event), body_id("algolia", event), body_id("ubi", event, 1), body_id("ubi", {})}) == 4
    assert len(body_id("ubi", event)) == len(BY_CONTENT) + 36


@pytest.mark.parametrize(
    ("word", "meaning"),
    [("Click", "click"), ("item-click", "click"), ("Add to cart", "conversion"), ("view", None), ("", None)],
)
def test_words_for_actions_are_understood(word: str, meaning: str | None) -> None:
    assert action_of(word) == meaning


def test_faults_name_the_path_and_are_limited() -> None:
    fields = Fields({"outer": {"inner": 3}})
    outer = fields.inner("outer")
    assert outer is not None
    outer.text("inner", 5)
    for number in range(99):
        fields.fault(f"{number}", "is wrong")

    assert fields.faults[0].field == "outer.inner"
    assert len(fields.faults) == 20


@pytest.mark.parametrize(
    "parse",
    [ubi.parse_query, ubi.parse_event, metarank.parse, algolia.parse, meilisearch.parse],
    ids=lambda one: f"{one.__module__}.{one.__name__}",
)
@given(value=values)
def test_no_json_value_is_an_exception(parse: Any, value: Any) -> None:
    parsed: Parsed = parse(value, "default", NOW)

    assert isinstance(parsed, Taken) or parsed
