"""Columns become documents as the map says."""

from __future__ import annotations

import pytest

from clickloop.cli.importing.column_map import parse_map
from foundation.errors import InvalidRequest


def test_columns_are_renamed_joined_and_kept_as_fields() -> None:
    columns = parse_map(["id=sku, title=name", "text=short+long,cost=price"])
    row = {"sku": 7, "name": "Lamp", "short": "Bright.", "long": "Very.", "price": 5, "colour": "red", "url": "/7"}
    assert columns.read(row) == {
        "id": "7",
        "title": "Lamp",
        "text": "Bright.\n\nVery.",
        "cost": 5,
        "colour": "red",
        "url": "/7",
    }


def test_ids_titles_and_urls_are_joined_their_own_way() -> None:
    columns = parse_map(["id=lang+n,title=a+b,url=base+n"])
    assert columns.read({"lang": "en", "n": 3, "a": "A", "b": None, "base": "/p/"}) == {
        "id": "en/3",
        "title": "A",
        "url": "/p/3",
    }


def test_without_a_map_the_columns_are_the_parts_and_nulls_are_not_there() -> None:
    columns = parse_map([])
    assert columns.read({"_id": 5, "title": None, "text": "t", "n": None}) == {"id": "5", "text": "t", "n": None}
    assert columns.read({"id": True, "_id": "x"}) == {"id": True, "_id": "x"}


def test_the_mapped_column_wins_over_one_of_the_parts_name() -> None:
    row = {"id": "1", "title": "short", "headline": "long"}
    assert parse_map(["title=headline"]).read(row)["title"] == "long"
    assert parse_map(["title=headline,label=title"]).read(row) == {"id": "1", "title": "long", "label": "short"}


def test_columns_that_make_text_are_known() -> None:
    columns = parse_map(["id=sku,rank=title,text=body+n"])
    assert [columns.makes_text(name) for name in ("sku", "body", "n", "url", "_id")] == [True] * 5
    assert [columns.makes_text(name) for name in ("title", "price")] == [False, False]


@pytest.mark.parametrize("written", ["id", "id=", "=a", "id=a+", "id=a,,title=b", ""])
def test_a_map_that_cannot_be_read_is_told_how_to_write_it(written: str) -> None:
    with pytest.raises(InvalidRequest, match="id=sku,title=name"):
        parse_map([written])


def test_a_part_is_named_once() -> None:
    with pytest.raises(InvalidRequest, match=r"'text' twice.*text=one\+other"):
        parse_map(["text=a", "text=b"])


def test_a_file_without_the_columns_is_told_at_once() -> None:
    with pytest.raises(InvalidRequest, match=r"a.csv has no column 'name'; it has sku, price"):
        parse_map(["id=sku,title=name"]).check(["sku", "price"], "a.csv")
    with pytest.raises(InvalidRequest, match="--map id=COLUMN"):
        parse_map([]).check(["sku"], "a.csv")
    parse_map([]).check(["_id"], "a.csv")


def test_columns_that_no_row_has_are_found() -> None:
    columns = parse_map(["id=sku,text=descriptoin"])
    columns.read({"sku": "1", "description": "t"})
    assert columns.unseen() == ["descriptoin"]
