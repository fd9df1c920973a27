from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import ArtifactDamaged
from serving.index.fields.filters import parse_filter
from serving.index.fields.request import SortKey
from serving.index.fields.table import FieldSummary, FieldTable
from serving.index.fields.values import FieldType

TYPES: dict[str, FieldType] = {
    "app": "keyword",
    "size": "number",
    "on": "date",
    "open": "boolean",
    "by.name": "keyword",
}
DAYS = [f"2024-0{month}-1{day}" for month in (1, 2) for day in (1, 2)]
OWN_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "app": st.sampled_from(["a", "b", "c", "A", ""]),
    "size": st.sampled_from([-1, 0, 0.5, 2, 2.0, 10**6]),
    "on": st.sampled_from([*DAYS, "2024-01-11T01:00:00+01:00", "2024-01-11T12:00:00"]),
    "open": st.booleans(),
    "by.name": st.sampled_from(["x", "y"]),
}
ODD = st.sampled_from([None, [], [None], {"deep": 1}, [{"deep": "x"}], [[1]], "z" * 600])


def a_field(name: str) -> st.SearchStrategy[Any]:
    own = OWN_VALUES[name]
    return own | st.lists(own, max_size=3) | ODD | st.one_of(*OWN_VALUES.values())


@st.composite
def some_documents(draw: st.DrawFn) -> list[dict[str, Any]]:
    flat = st.fixed_dictionaries({}, optional={name: a_field(name) for name in TYPES if name != "by.name"})
    nested = st.none() | a_field("by.name")
    fields = draw(st.lists(st.tuples(flat, nested), max_size=12))
    return [document if name is None else document | {"by": {"name": name}} for document, name in fields]


def a_leaf(name: str) -> st.SearchStrategy[Any]:
    wanted = OWN_VALUES[name] | st.none()
    leaves = st.builds(lambda value: {name: value}, wanted | st.lists(wanted, max_size=3))
    if TYPES[name] in {"number", "date"}:
        bounds = st.dictionaries(st.sampled_from(["gt", "gte", "lt", "lte"]), OWN_VALUES[name], min_size=1)
        leaves |= st.builds(lambda value: {name: value}, bounds)
    return leaves | st.just({"exists": name})


FILTERS = st.recursive(
    st.one_of(*map(a_leaf, TYPES)),
    lambda inner: (
        st.builds(lambda parts: {"all": parts}, st.lists(inner, max_size=3))
        | st.builds(lambda parts: {"any": parts}, st.lists(inner, max_size=3))
        | st.builds(lambda part: {"not": part}, inner)
        | st.builds(lambda one, other: one | other, inner, inner)
    ),
    max_leaves=6,
)


def plain(value: Any, name: str) -> Any:
    """What a value of a field compares as, None when it is of another type; written without the engine's readers."""
    kind = TYPES[name]
    if kind == "date":
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) and value.startswith("2024-") else None
        except ValueError:
            return None
        return moment and (moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if kind == "keyword":
        return value if isinstance(value, str) and len(value) <= 512 else None
    wanted = bool if kind == "boolean" else (int, float)
    return value if isinstance(value, wanted) and isinstance(value, bool) == (kind == "boolean") else None


def values_of(document: dict[str, Any], name: str) -> list[Any]:
    held: Any = document
    for step in name.split("."):
        held = held.get(step) if isinstance(held, dict) else None
    found = [plain(one, name) for one in (held if isinstance(held, list) else [held])]
    return list(dict.fromkeys(one for one in found if one is not None))


def holds(document: dict[str, Any], filter_: dict[str, Any]) -> bool:
    return all(entry_holds(document, key, wanted) for key, wanted in filter_.items())


def entry_holds(document: dict[str, Any], key: str, wanted: Any) -> bool:
    if key in {"all", "any"}:
        return (all if key == "all" else any)(holds(document, part) for part in wanted)
    if key == "not":
        return not holds(document, wanted)
    if key == "exists":
        return bool(values_of(document, wanted))
    values = values_of(document, key)
    if isinstance(wanted, dict):
        return any(all(inside(value, bound, plain(limit, key)) for bound, limit in wanted.items()) for value in values)
    choices = wanted if isinstance(wanted, list) else [wanted]
    return any((not values) if choice is None else plain(choice, key) in values for choice in choices)


def inside(value: Any, bound: str, limit: Any) -> bool:
    return bool({"gt": value > limit, "gte": value >= limit, "lt": value < limit, "lte": value <= limit}[bound])


def table_of(documents: list[dict[str, Any]], declared: dict[str, FieldType] | None = None) -> FieldTable:
    table = FieldTable(declared)
    for row, document in enumerate(documents):
        table.add(row, document)
    return table


def matching(table: FieldTable, filter_: dict[str, Any], rows: int) -> list[int]:
    return np.flatnonzero(table.mask(parse_filter(filter_, table.types), rows)).tolist()


def reopened(documents: list[dict[str, Any]], saved: int) -> FieldTable:
    """A table of which the first `saved` documents were stored and opened again."""
    with TemporaryDirectory() as folder:
        table_of(documents[:saved], TYPES).save(Path(folder) / "fields")
        table = FieldTable.open(Path(folder) / "fields")
    for row, document in enumerate(documents[saved:], saved):
        table.add(row, document)
    return table


@settings(max_examples=300)
@given(documents=some_documents(), filter_=FILTERS)
def test_a_mask_is_what_asking_every_document_gives(documents: list[dict[str, Any]], filter_: dict[str, Any]) -> None:
    found = matching(table_of(documents, TYPES), filter_, len(documents))
    assert found == [row for row, document in enumerate(documents) if holds(document, filter_)]


@given(documents=some_documents(), filter_=FILTERS, data=st.data())
def test_rows_added_during_a_search_are_not_part_of_it(
    documents: list[dict[str, Any]], filter_: dict[str, Any], data: st.DataObject
) -> None:
    seen = data.draw(st.integers(0, len(documents)))
    assert matching(table_of(documents, TYPES), filter_, seen) == matching(
        table_of(documents[:seen], TYPES), filter_, seen
    )


@given(documents=some_documents(), name=st.sampled_from(sorted(TYPES)), data=st.data())
def test_facets_count_documents_by_value(documents: list[dict[str, Any]], name: str, data: st.DataObject) -> None:
    rows = data.draw(st.permutations(range(len(documents))))[: data.draw(st.integers(0, 12))]
    limit = data.draw(st.integers(0, 4))
    counted = Counter(value for row in rows for value in values_of(documents[row], name))
    expected = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]
    found = table_of(documents, TYPES).count(name, np.array(rows, np.int64), limit)
    assert [(plain(value, name), count) for value, count in found] == expected


def test_a_few_of_many_rows_are_counted_as_all_of_them_are() -> None:
    documents: list[dict[str, Any]] = [{"size": row % 7, "app": ["a", "b"][: row % 3]} for row in range(2000)]
    table = table_of(documents)
    few = np.array([1999, 3, 700, 1001])
    for name in ("size", "app"):
        counted = Counter(value for row in few for value in values_of(documents[row], name))
        assert dict(table.count(name, few, 10)) == counted
        assert dict(table.count(name, np.arange(2000), 10)) == Counter(
            value for document in documents for value in values_of(document, name)
        )


@given(documents=some_documents(), name=st.sampled_from(sorted(TYPES)), descending=st.booleans(), data=st.data())
def test_sorting_keeps_the_order_of_equals_and_puts_the_absent_last(
    documents: list[dict[str, Any]], name: str, descending: bool, data: st.DataObject
) -> None:
    rows = data.draw(st.permutations(range(len(documents))))
    present = [row for row in rows if values_of(documents[row], name)]
    best = max if descending else min
    expected = sorted(present, key=lambda row: best(values_of(documents[row], name)), reverse=descending)
    expected += [row for row in rows if row not in present]
    ordered = table_of(documents, TYPES).arrange([SortKey(name, descending)], np.array(rows, np.int64))
    assert ordered.tolist() == expected


@settings(max_examples=60)
@given(documents=some_documents(), filter_=FILTERS, data=st.data())
def test_a_stored_table_answers_the_same_and_takes_more(
    documents: list[dict[str, Any]], filter_: dict[str, Any], data: st.DataObject
) -> None:
    whole, stored = table_of(documents, TYPES), reopened(documents, data.draw(st.integers(0, len(documents))))
    rows = np.array(data.draw(st.permutations(range(len(documents)))), np.int64)
    assert matching(stored, filter_, len(documents)) == matching(whole, filter_, len(documents))
    assert (stored.types, stored.misfits, stored.rows) == (whole.types, whole.misfits, whole.rows)
    for name in TYPES:
        assert stored.count(name, rows, 3) == whole.count(name, rows, 3)
        assert (
            stored.arrange([SortKey(name, True)], rows).tolist() == whole.arrange([SortKey(name, True)], rows).tolist()
        )


def test_the_first_value_with_a_type_decides_and_others_are_counted() -> None:
    table = table_of([{"size": None}, {"size": [None, 3]}, {"size": "large"}, {"size": [4, "four"]}])
    assert table.types == {"size": "number"}
    assert table.misfits == {"size": 2}
    assert matching(table, {"exists": "size"}, 4) == [1, 3]
    assert table.summary(np.array([True, True, True, False])) == {"size": FieldSummary("number", 1, 2)}


def test_a_declaration_goes_before_what_documents_hold() -> None:
    table = table_of([{"code": "2024-01-01"}, {"code": "x"}], {"code": "keyword"})
    assert matching(table, {"code": ["x", "2024-01-01"]}, 2) == [0, 1]


def test_a_field_that_was_read_otherwise_needs_a_new_table() -> None:
    table = table_of([{"code": "2024-01-01"}])
    assert table.declare({"code": "date", "later": "number"})
    assert not table.declare({"code": "keyword", "other": "number"})
    assert table.types == {"code": "date", "later": "number"}


def test_the_same_field_inside_an_object_and_by_its_dotted_name_is_one() -> None:
    table = table_of([{"vendor": {"name": "Acme"}, "vendor.name": "Bolt"}, {"vendor": [{"name": "Cord"}]}])
    assert table.types == {"vendor.name": "keyword"}
    assert table.count("vendor.name", np.array([0, 1]), 5) == [("Acme", 1), ("Bolt", 1), ("Cord", 1)]


def test_fields_beyond_what_is_kept_are_counted_and_harm_none() -> None:
    table = table_of([{f"f{number}": 1 for number in range(1001)} | {"n" * 257: 1}])
    assert (len(table.types), table.left_out) == (1000, 2)


def test_rows_come_in_order() -> None:
    table = table_of([{}, {}])
    with pytest.raises(ValueError, match="row 1 cannot be added behind row 1"):
        table.add(1, {"a": 1})


def test_a_field_that_there_is_not_fits_nothing() -> None:
    table = FieldTable()
    rows = np.arange(3)
    absent = parse_filter({"app": ["x", None]}, {"app": "keyword"}), parse_filter({"exists": "app"}, {"app": "keyword"})
    assert [table.mask(condition, 3).tolist() for condition in absent] == [[True] * 3, [False] * 3]
    assert table.count("app", rows, 3) == []
    assert table.arrange([SortKey("app", True)], rows).tolist() == [0, 1, 2]


def test_several_keys_sort_by_the_first_then_the_next() -> None:
    table = table_of([{"app": "b", "size": 1}, {"app": "a", "size": 1}, {"app": "b", "size": 2}, {"size": 9}])
    keys = [SortKey("app"), SortKey("size", descending=True)]
    assert table.arrange(keys, np.array([0, 1, 2, 3])).tolist() == [1, 2, 0, 3]


@pytest.mark.parametrize("harm", ["fields.json", "number.rows.npy", "number.values.npy"])
def test_a_damaged_table_is_refused(tmp_path: Path, harm: str) -> None:
    table_of([{"size": 1}, {"size": 2}]).save(tmp_path)
    data = (tmp_path / harm).read_bytes()
    (tmp_path / harm).write_bytes(data[: len(data) - 8])
    with pytest.raises(ArtifactDamaged, match="does not hold a whole table"):
        FieldTable.open(tmp_path)


def test_readers_see_whole_rows_while_others_are_added() -> None:
    table = table_of([{"tags": ["first", "last"]}])
    both = parse_filter({"tags": "first"}, table.types), parse_filter({"tags": "last"}, table.types)
    problems: list[Exception] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                rows = table.rows
                assert table.mask(both[0], rows).all()
                assert table.mask(both[1], rows).all()
                assert table.arrange([SortKey("tags", True)], np.arange(rows)).tolist() == list(range(rows))
            except Exception as problem:  # noqa: BLE001  handed to the test
                problems.append(problem)
                return

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for row in range(1, 1500):
        table.add(row, {"tags": ["first", f"between {row}", "last"], f"own {row % 50}": row})
    done.set()
    for reader in readers:
        reader.join()
    assert problems == []
