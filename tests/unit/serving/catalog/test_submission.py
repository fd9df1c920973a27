"""What may be stored as a document."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.contracts import Document
from foundation.errors import FieldFault
from serving.catalog.submission import read_document, read_id

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def test_other_keys_join_the_open_fields() -> None:
    sent = {"id": "a", "title": "T", "price": 3, "fields": {"tags": ["x"]}}
    assert read_document(sent) == Document("a", "T", "", "", {"price": 3, "tags": ["x"]})


@given(st.dictionaries(st.sampled_from(["id", "title", "text", "url", "fields", "size"]), anything))
def test_whatever_is_sent_is_a_document_or_names_faults(value: dict[str, Any]) -> None:
    read = read_document(value)
    if isinstance(read, Document):
        assert 1 <= len(read.id) <= 256
        assert read.title.strip() or read.text.strip()
    else:
        assert read
        assert all(fault.reason for fault in read)


@pytest.mark.parametrize("text", ["tab\t", "line\n", "return\r\n", "no-break\u00a0", "next line\u0085", "😀"])
def test_space_and_any_script_are_text(text: str) -> None:
    assert isinstance(read_document({"id": "a", "text": text}), Document)


def test_a_control_character_is_named_with_its_place() -> None:
    reason = "holds the control character U+0000 at character 3; remove it"
    assert read_document({"id": "a", "text": "ab\u0000"}) == (FieldFault("text", reason),)


@pytest.mark.parametrize("id_", ["a", "a/b c", "x" * 256, "ключ"])
def test_ids_are_any_short_text(id_: str) -> None:
    assert read_id(id_) == id_


@pytest.mark.parametrize("id_", ["", "x" * 257, "\x7f", "\u0090", 1.0, True, 10**256, None, ["a"]])
def test_other_ids_are_refused(id_: object) -> None:
    assert isinstance(read_id(id_), tuple)


@pytest.mark.parametrize("id_", [0, 7, -3, 2**62])
def test_whole_numbers_are_ids(id_: int) -> None:
    assert read_id(id_) == str(id_)
    document = read_document({"id": id_, "text": "t"})
    assert isinstance(document, Document)
    assert document.id == str(id_)


def test_null_is_absent() -> None:
    document = read_document({"id": "a", "title": None, "text": "t", "url": None, "fields": None, "price": None})
    assert document == Document(id="a", title="", text="t", url="", fields={"price": None})
    (fault,) = cast("tuple[FieldFault, ...]", read_document({"id": None, "text": "t"}))
    assert fault == FieldFault("id", "is missing")


def test_form_feed_and_vertical_tab_are_white_space() -> None:
    document = read_document({"id": "a", "title": "one\ftwo", "text": "three\vfour\n\ffive"})
    assert isinstance(document, Document)
    assert (document.title, document.text) == ("one two", "three four\n five")
    assert isinstance(read_document({"id": "a", "text": " \f\v"}), tuple)
