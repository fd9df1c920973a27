"""What a team's log amounts to, row by row, and what is said of the rows that cannot be taken."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickloop.cli.history.entries import EVENTS, SEARCHES, EntryReader
from clickloop.cli.history.log_columns import parse_columns
from clickloop.cli.history.reader import LogReader, ReadRows
from clickloop.cli.importing.formats.source import Row
from foundation.errors import InvalidRequest

NOW = datetime(2026, 1, 5, tzinfo=UTC)
SEARCH = {"query_id": "q1", "query": "toner", "user": "u1", "at": "2025-03-01T10:00:00Z", "results": ["a", "b"]}
EVENT = {"query_id": "q1", "type": "click", "document_id": "a", "at": "2025-03-01T10:00:05Z"}


def shown(rank: int, clicked: int = 0, **other: Any) -> dict[str, Any]:
    told = {"query_id": "q1", "query": "toner", "user": "u1", "at": "2025-03-01T10:00:00Z"}
    return told | {"document_id": f"d{rank}", "rank": rank, "clicked": clicked} | other


def read(*rows: dict[str, Any], columns: str = "", zone: str = "", between: str = "") -> list[ReadRows]:
    reading = EntryReader(
        parse_columns([columns] if columns else []), "default", NOW, ZoneInfo(zone) if zone else None, between
    )
    told = [Row(f"a.csv line {number}", row) for number, row in enumerate(rows, 2)]
    return list(LogReader(reading).read(told))


def sent(found: list[ReadRows]) -> list[tuple[str, dict[str, Any]]]:
    return [(one.path, json.loads(one.body)) for each in found for one in each.outgoing]


def refused(found: list[ReadRows]) -> list[str]:
    return [str(refusal) for each in found for refusal in each.refusals]


def test_a_search_and_its_click_go_where_the_service_takes_them() -> None:
    (first, search), (second, event) = sent(read(SEARCH, EVENT))

    assert (first, second) == (SEARCHES, EVENTS)
    assert search["query_response_hit_ids"] == ["a", "b"]
    assert (search["user_query"], search["client_id"], search["query_id"]) == ("toner", "u1", "q1")
    assert (event["type"], event["document_id"], event["query_id"]) == ("click", "a", "q1")


def test_the_same_log_makes_the_same_ids() -> None:
    assert read(SEARCH, EVENT, shown(1, query_id="q2")) == read(SEARCH, EVENT, shown(1, query_id="q2"))
    nameless = {name: value for name, value in SEARCH.items() if name != "query_id"}
    assert sent(read(nameless)) == sent(read(nameless))


@pytest.mark.parametrize(
    ("written", "between"), [("a b", ""), ("a|b", "|"), ("a, b", ","), ('["a", "b"]', ""), (["a", "b"], "")]
)
def test_results_are_a_list_or_separated_text(written: Any, between: str) -> None:
    ((_, search),) = sent(read(SEARCH | {"results": written}, between=between))

    assert search["query_response_hit_ids"] == ["a", "b"]


def test_columns_have_the_names_that_the_map_gives_them() -> None:
    row = {"q": "toner", "session": 7, "when": 1_740_823_200_000, "hits": "a b", "price": 3}

    ((_, search),) = sent(read(row, columns="query=q,user=session,at=when,results=hits"))

    assert (search["user_query"], search["client_id"]) == ("toner", "7")
    assert search["timestamp"] == "2025-03-01T10:00:00+00:00"


def test_a_time_without_zone_is_in_the_zone_that_was_named() -> None:
    local = SEARCH | {"at": "2025-07-01 12:00:00"}

    assert "a.csv line 2: at must be ISO 8601" in refused(read(local))[0]
    ((_, search),) = sent(read(local, zone="Europe/Berlin"))
    assert search["timestamp"] == "2025-07-01T10:00:00+00:00"


def test_rows_of_one_list_become_a_search_and_its_clicks() -> None:
    (found,) = read(shown(2), shown(1, 1), shown(3, 1))

    (_, search), *clicks = sent([found])
    assert search["query_response_hit_ids"] == ["d1", "d2", "d3"]
    assert [(path, click["document_id"]) for path, click in clicks] == [(EVENTS, "d1"), (EVENTS, "d3")]
    assert found.rows == 3


def test_lists_without_query_id_are_told_apart_by_query_user_and_moment() -> None:
    rows = [{name: value for name, value in shown(1, 1, user=user).items() if name != "query_id"} for user in "uvw"]

    ids = {search["query_id"] for path, search in sent(read(*rows)) if path == SEARCHES}

    assert len(ids) == 3


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([shown(1), shown(3)], "rank must count"),
        ([shown(11), shown(12)], "rank must count"),
        ([shown(1), shown(1)], "rank must count"),
        ([shown(1) | {"rank": "first"}], "rank must count"),
        ([shown(1) | {"clicked": "maybe"}], "clicked must be 0 or 1"),
        ([shown(1), shown(2, query="ink")], "query differs"),
        ([shown(1, document_id=None)], "document_id is required"),
    ],
)
def test_a_list_that_hides_something_is_refused_as_a_whole(rows: list[dict[str, Any]], reason: str) -> None:
    found = read(*rows)

    assert sent(found) == []
    assert refused(found)[0].startswith(f"a.csv line 2: {reason}")


def test_ranks_may_count_from_zero() -> None:
    (_, search), *_ = sent(read(shown(0), shown(1)))

    assert search["query_response_hit_ids"] == ["d0", "d1"]


def test_rows_of_one_list_that_stand_apart_are_told() -> None:
    found = read(shown(1), shown(1, query_id="q2"), shown(2))

    assert "sort the file" in refused(read(shown(1), shown(1, query_id="q2"), shown(1)))[0]
    assert len(refused(found)) == 1


def test_a_search_that_comes_twice_is_told() -> None:
    assert refused(read(SEARCH, SEARCH)) == ["a.csv line 3: query_id appears a second time"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"at": "noon"}, "when must be ISO 8601"),
        ({"at": "2030-01-01T00:00:00Z"}, "when lies more than 10 minutes ahead"),
        ({"document_id": None}, "document_id is required"),
        ({"document_id": "x" * 257}, "document_id must have 1 to 256 characters"),
        ({"type": "rating", "value": "9"}, "value must be a whole number of stars"),
    ],
)
def test_faults_name_the_column_of_the_file(changes: dict[str, Any], told: str) -> None:
    event = {name: value for name, value in (EVENT | changes).items() if value is not None}
    row = {"when" if name == "at" else name: value for name, value in event.items()}

    (line,) = refused(read(row, columns="at=when"))

    assert line.startswith(f"a.csv line 2: {told}")


def test_what_teaches_nothing_is_counted_by_its_reason() -> None:
    found = read(EVENT | {"type": "hover"}, {"type": "click", "document_id": "a", "at": EVENT["at"]})

    assert [dict(one.ignored) for one in found] == [
        {"nothing is learned from 'hover'": 1},
        {"it belongs to no search": 1},
    ]


def test_values_of_text_are_numbers() -> None:
    ((_, event),) = sent(read(EVENT | {"type": "dwell", "value": "12.5"}))

    assert event["value"] == 12.5


def test_a_row_that_is_nothing_is_told() -> None:
    assert refused(read({"query": "toner"})) == [
        "a.csv line 2: row is neither a search with results, an event with a type, nor a shown document with a rank"
    ]


@pytest.mark.parametrize("written", ["query", "query=a,query=b", "colour=x", "query="])
def test_a_map_that_says_nothing_is_refused(written: str) -> None:
    with pytest.raises(InvalidRequest, match="--map"):
        parse_columns([written])


def test_a_file_without_a_telling_column_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="results"):
        parse_columns([]).check(["query", "user"], "a.csv")


def test_a_column_of_the_map_that_no_file_has_is_named_with_those_there_are() -> None:
    columns = parse_columns(["results=hits,document_id=sku"])
    columns.check_map(["query", "hits", "type", "sku"], "a.csv, b.csv")
    with pytest.raises(InvalidRequest, match=r"'sku', which is not in a\.csv, b\.csv; there are query, hits$"):
        columns.check_map(["query", "hits", "query"], "a.csv, b.csv")


@pytest.mark.parametrize("cell", ["d0-0|d0-1|d0-2", "a;b", " a,b "])
def test_a_cell_that_may_be_many_ids_or_one_asks_what_is_between(cell: str) -> None:
    (told,) = refused(read(SEARCH | {"results": cell}))

    assert "--between ' ' takes it as one id" in told
    assert told.startswith("a.csv line 2: results holds ")
    ((_, search),) = sent(read(SEARCH | {"results": cell}, between=" "))
    assert search["query_response_hit_ids"] == [cell.strip()]


@given(st.lists(st.sampled_from([SEARCH, EVENT, shown(1), shown(2), shown(1, query_id="q3"), {}]), max_size=12))
def test_every_row_is_settled_in_order(rows: list[dict[str, Any]]) -> None:
    numbers = [found.rows for found in read(*rows)]

    assert numbers == sorted(set(numbers))
    assert numbers[-1:] == ([len(rows)] if rows else [])
