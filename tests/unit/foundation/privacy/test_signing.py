from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.privacy.signing import QueryIds

NOW = datetime(2026, 1, 5, tzinfo=UTC)
IDS = QueryIds(b"a secret")


def test_an_issued_id_is_known_to_every_process_with_the_secret() -> None:
    query_id = IDS.issue("default", NOW)

    assert IDS.issued("default", query_id)
    assert QueryIds(b"a secret").issued("default", query_id)


def test_an_issued_id_is_a_uuid_of_version_7_that_sorts_by_time() -> None:
    ids = [IDS.issue("default", NOW + timedelta(milliseconds=step)) for step in range(200)]

    assert {uuid.UUID(one).version for one in ids} == {7}
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_an_id_holds_for_its_collection_and_secret_only() -> None:
    query_id = IDS.issue("default", NOW)

    assert not IDS.issued("other", query_id)
    assert not QueryIds(b"another secret").issued("default", query_id)


@given(place=st.integers(0, 35), digit=st.sampled_from("0123456789abcdef"))
def test_a_changed_digit_is_noticed(place: int, digit: str) -> None:
    query_id = IDS.issue("default", NOW)
    changed = query_id[:place] + digit + query_id[place + 1 :]

    assert IDS.issued("default", changed) == (changed == query_id)


@given(st.text())
def test_any_other_text_is_no_issued_id(text: str) -> None:
    assert not IDS.issued("default", text)


@pytest.mark.parametrize("other", ["é" * 36, "0" * 36, ""])
def test_texts_of_the_length_are_no_issued_ids(other: str) -> None:
    assert not IDS.issued("default", other)
