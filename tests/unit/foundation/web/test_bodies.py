"""Bodies of many entries: nothing good is lost, nothing bad gets in, nothing crashes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import ClickloopError, InvalidRequest, UnreadableBody
from foundation.web.bodies import MAX_DEPTH, Entry, read_entries, read_json, to_entries

JSON = "application/json"
NDJSON = "application/x-ndjson; charset=utf-8"

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def values(entries: list[Entry]) -> list[Any]:
    return [entry.value for entry in entries]


@given(st.lists(json_values, max_size=5))
def test_an_array_comes_back_as_it_was_sent(sent: list[Any]) -> None:
    entries = read_entries(json.dumps(sent).encode(), JSON, 5)
    assert values(entries) == sent
    assert [entry.index for entry in entries] == list(range(len(sent)))


@given(st.lists(json_values, min_size=1, max_size=5))
def test_lines_come_back_as_they_were_sent(sent: list[Any]) -> None:
    body = "\r\n".join(json.dumps(value) for value in sent)
    assert values(read_entries(body.encode(), NDJSON, 5)) == sent


@given(st.binary(max_size=60) | st.text('[]{}",:0123456789.eE+-NaInfity\\u d8\n', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused_by_the_tree(raw: bytes) -> None:
    for content_type in (JSON, NDJSON):
        try:
            entries = read_entries(raw, content_type, 10)
        except ClickloopError:
            continue
        json.dumps(values(entries), ensure_ascii=False, allow_nan=False).encode()


def test_an_object_is_one_entry() -> None:
    assert read_entries(b' {"id": "a"} ', JSON, 1) == [Entry(0, {"id": "a"})]


def test_a_byte_order_mark_is_no_part_of_the_body() -> None:
    assert values(read_entries(b"\xef\xbb\xbf[1]", JSON, 1)) == [1]


@pytest.mark.parametrize(
    "content_type", ["application/x-ndjson", "application/jsonl", "Application/JSONL;charset=UTF-8"]
)
def test_ndjson_is_known_by_its_content_types(content_type: str) -> None:
    assert values(read_entries(b"1\n2", content_type, 2)) == [1, 2]


@pytest.mark.parametrize("raw", [b"", b" \n", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("content_type", [JSON, NDJSON])
def test_an_empty_body_is_refused(raw: bytes, content_type: str) -> None:
    with pytest.raises(UnreadableBody, match="empty"):
        read_entries(raw, content_type, 1)


@pytest.mark.parametrize(
    ("raw", "what", "line", "column"),
    [
        (b'{"a": 1,\n}', "not JSON", 2, 1),
        (b"[1]\n[2]", "not JSON", 2, 1),
        (b'["a",\n "\xff"]', "not UTF-8", 2, 3),
        (b'["NaN",\n NaN]', "holds NaN", 2, 2),
        (b"[-Infinity]", "holds -Infinity", 1, 2),
        (b"[" * 5000, "nested deeper", 1, MAX_DEPTH + 1),
        (b'{"a":' * 5000, "nested deeper", 1, 5 * MAX_DEPTH + 1),
    ],
)
def test_a_broken_body_is_refused_with_line_and_column(raw: bytes, what: str, line: int, column: int) -> None:
    with pytest.raises(UnreadableBody, match=rf"{what}.*\(line {line}, column {column}\)"):
        read_entries(raw, JSON, 10)


@pytest.mark.parametrize("number", [b"1e999", b"-1.5E+400", b"9" * 400, b"9" * 400 + b".0"])
def test_a_number_beyond_all_measure_is_its_entrys_fault_only(number: bytes) -> None:
    entries = read_entries(b'[{"a": [' + number + b']}, {"a": 1e99}]', JSON, 10)

    assert entries[0].fault is not None
    assert "does not fit" in entries[0].fault.reason
    assert (entries[1].fault, entries[1].value) == (None, {"a": 1e99})


@pytest.mark.parametrize("raw", [b"1", b'"text"', b"null", b"true"])
def test_a_bare_value_is_no_batch(raw: bytes) -> None:
    with pytest.raises(InvalidRequest, match="neither"):
        read_entries(raw, JSON, 10)


@pytest.mark.parametrize(("raw", "content_type"), [(b"[1, 2, 3]", JSON), (b"1\n\n2\n3\n", NDJSON)])
def test_the_limit_is_named_when_it_is_passed(raw: bytes, content_type: str) -> None:
    assert len(read_entries(raw, content_type, 3)) == 3
    with pytest.raises(InvalidRequest, match="3 entries; at most 2"):
        read_entries(raw, content_type, 2)


def test_a_broken_line_keeps_its_neighbours() -> None:
    entries = read_entries(b'{"a":1}\n\n{"b":\n[NaN]\n\xff\n"\\ud800"\n{"c":3}', NDJSON, 10)
    assert values(entries) == [{"a": 1}, None, None, None, None, {"c": 3}]
    faults = [entry.fault for entry in entries if entry.fault]
    assert [fault.field for fault in faults] == ["line 3", "line 4", "line 5", "line 6"]
    assert [fault.reason.split("(")[0].strip() for fault in faults][2] == "is not UTF-8"


def test_an_entry_nested_too_deep_keeps_its_neighbours() -> None:
    deepest, deeper = "[" * MAX_DEPTH + "]" * MAX_DEPTH, "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)
    entries = read_entries(f"[{deepest}, {deeper}, 3]".encode(), JSON, 10)
    assert [entry.fault is None for entry in entries] == [True, False, True]


def test_whole_surrogate_pairs_are_characters_and_halves_are_not() -> None:
    entries = read_entries(rb'["\ud83d\ude00", {"\udfff": 1}, "\\ud800"]', JSON, 10)
    assert values(entries) == ["😀", None, "\\ud800"]


def test_of_equal_keys_the_last_counts() -> None:
    assert values(read_entries(b'{"a": 1, "a": 2}', JSON, 1)) == [{"a": 2}]


def test_a_body_that_wraps_its_entries_gives_each_its_own_fault() -> None:
    raw = b"\xef\xbb\xbf" + rb'{"events": [1, "\ud800", {"a": 2}]}'
    entries = to_entries(read_json(raw)["events"], raw)
    assert values(entries) == [1, None, {"a": 2}]
    assert [entry.fault is None for entry in entries] == [True, False, True]


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"events": [NaN]}'])
def test_a_wrapping_body_that_cannot_be_read_is_refused(raw: bytes) -> None:
    with pytest.raises(UnreadableBody):
        read_json(raw)
