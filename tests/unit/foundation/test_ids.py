"""Identifiers and digests."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.ids import canonical_json, digest_bytes, digest_json, digest_lines, new_id

moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  bounds are naive by hypothesis's contract


@given(moments)
def test_an_id_is_a_uuid_of_version_7_with_its_time(at: datetime) -> None:
    parsed = uuid.UUID(new_id(at))
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert parsed.int >> 80 == int(at.timestamp() * 1000)


@given(moments, st.integers(1, 10**9))
def test_later_ids_sort_later_as_text(at: datetime, milliseconds: int) -> None:
    assert new_id(at) < new_id(at + timedelta(milliseconds=milliseconds + 1))


def test_ids_of_one_moment_differ() -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    assert len({new_id(at) for _ in range(1000)}) == 1000


def test_a_digest_is_sha256() -> None:
    # FIPS 180-2, appendix B.1
    assert digest_bytes(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_canonical_json_has_one_form() -> None:
    assert canonical_json({"b": [1, 2.5], "a": "é"}) == '{"a":"é","b":[1,2.5]}'
    assert digest_json({"a": 1, "b": 2}) == digest_json({"b": 2, "a": 1})


def test_canonical_json_has_no_nan() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json(float("nan"))


def test_lines_are_digested_one_by_one_and_in_order() -> None:
    lines = [{"b": 1, "a": 2}, {"a": 3}]
    assert digest_lines(iter(lines)) == digest_bytes(b'{"a":2,"b":1}\n{"a":3}\n')
    assert digest_lines(lines[::-1]) != digest_lines(lines)
