"""What the edge accepts, the log accepts: every kind of record, from every route that makes one."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as property_settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from collector.intake.logged import read_checked
from collector.intake.schemas import algolia, meilisearch, metarank, native, ubi
from collector.intake.schemas.parsed import Taken
from collector.join.batch import fold_batch
from foundation.contracts import BROWSE, EVENT_TYPES, FeedbackEvent, Impression, ShownResult
from foundation.errors import UnreadableBody
from foundation.eventlog.protocol import check_sizes
from foundation.privacy.masking import Masks
from foundation.privacy.privacy import Privacy
from foundation.privacy.pseudonyms import Pseudonyms
from foundation.privacy.signing import QueryIds
from foundation.web.bodies import read_entries
from serving.http.context import ContextIn
from serving.http.search_bodies import SearchIn
from tests.feedback import SETTINGS, records_of

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
AT = "2026-01-05T11:59:00+00:00"
PRIVACY = Privacy(Pseudonyms(b"k" * 32), Masks(("US", "DE")))
QUERY_IDS = QueryIds(b"s" * 32)

Content = Sequence[Impression | FeedbackEvent]
Edge = Callable[[Any], Content]


def search(kind: type[BaseModel], value: Any) -> Content:
    """Return the impression of a search, as the searcher makes it, () when its body is refused."""
    try:
        ask: Any = kind.model_validate(value)
    except ValidationError:
        return ()
    query_id = QUERY_IDS.issue("default", NOW)
    unit = PRIVACY.person(ask.user or ask.session) or query_id
    query = PRIVACY.text(getattr(ask, "query", "") or getattr(ask, "question", "") or BROWSE)
    shown = (ShownResult("d1", 1, 0.5),)
    return (Impression("default", query_id, query, unit, "v-1", shown, NOW, surface=ask.surface),)


def take(parse: Callable[..., Any], value: Any) -> Content:
    """Return what an intake makes of a body's only entry, () when it is refused."""
    try:
        (entry,) = read_entries(json.dumps(value).encode(), "", 1)
    except UnreadableBody:
        return ()
    parsed = [entry.fault] if entry.fault else parse(entry.value, "default", NOW)
    return parsed.content if isinstance(parsed, Taken) else ()


def native_event(kind: str) -> dict[str, Any]:
    value = {"rating": 4, "dwell": 12.5, "conversion": 9.5}.get(kind)
    event = {"id": "e1", "type": kind, "query_id": "q1", "document_id": "d1", "user": "u1", "at": AT}
    named = {"name": "wished"} if kind == "custom" else {}
    return event | named | ({} if value is None else {"value": value})


SEARCH = {"query": "print envelopes", "user": "u1", "session": "s1", "surface": "page"}
QUESTION = {"question": "print envelopes", "user": "u1", "session": "s1", "surface": "context"}
UBI_QUERY = {
    "application": "shop",
    "query_id": "q1",
    "client_id": "c1",
    "user_query": "toner",
    "timestamp": AT,
    "object_id_field": "sku",
    "query_response_hit_ids": ["d1", 2],
}
UBI_EVENT = {
    "action_name": "click",
    "query_id": "q1",
    "application": "shop",
    "user_id": "u1",
    "client_id": "c1",
    "timestamp": AT,
    "event_attributes": {"object": {"object_id": "d1"}, "position": {"ordinal": 3}},
}
RANKING = {
    "event": "ranking",
    "id": "q1",
    "timestamp": "1767614340000",
    "user": "u1",
    "session": "s1",
    "fields": [{"name": "query", "value": "toner"}],
    "items": [{"id": "d1", "relevancy": 2.5}, {"id": "d2"}],
}
INTERACTION = {
    "event": "interaction",
    "id": "e1",
    "timestamp": "1767614340000",
    "user": "u1",
    "ranking": "q1",
    "item": "d1",
    "type": "click",
}
INSIGHT = {
    "eventType": "click",
    "eventName": "Clicked",
    "index": "shop",
    "userToken": "u1",
    "queryID": "0" * 32,
    "objectIDs": ["d1", "d2"],
    "positions": [1, 2],
    "timestamp": 1767614340000,
}
PURCHASE = {
    "eventType": "conversion",
    "eventName": "Bought",
    "index": "shop",
    "userToken": "u1",
    "objectIDs": ["d1"],
    "objectData": [{"queryID": "0" * 32, "price": 3.5, "quantity": 2}],
    "value": "7.0",
}
MEILI = {
    "eventType": "click",
    "eventName": "Clicked",
    "indexUid": "shop",
    "userId": "u1",
    "queryUid": "q1",
    "objectId": "d1",
    "position": 3,
}
EDGES: dict[str, tuple[Edge, dict[str, Any]]] = {
    "search": (partial(search, SearchIn), SEARCH),
    "context": (partial(search, ContextIn), QUESTION),
    **{f"native {kind}": (partial(take, native.parse), native_event(kind)) for kind in EVENT_TYPES},
    "ubi query": (partial(take, ubi.parse_query), UBI_QUERY),
    "ubi click": (partial(take, ubi.parse_event), UBI_EVENT),
    "ubi conversion": (partial(take, ubi.parse_event), UBI_EVENT | {"action_name": "add_to_cart"}),
    "metarank ranking": (partial(take, metarank.parse), RANKING),
    "metarank click": (partial(take, metarank.parse), INTERACTION),
    "metarank conversion": (partial(take, metarank.parse), INTERACTION | {"type": "purchase"}),
    "algolia click": (partial(take, algolia.parse), INSIGHT),
    "algolia conversion": (partial(take, algolia.parse), PURCHASE),
    "meilisearch click": (partial(take, meilisearch.parse), MEILI),
    "meilisearch conversion": (partial(take, meilisearch.parse), MEILI | {"eventType": "conversion"}),
}
GROWING = "ΐŉǰẞﬃİ"
"""Letters of which folding makes several."""

_letters = st.sampled_from([*GROWING, "a", " ", "\x00", "\x1b", "\ud800", "\udfff", "\u2028", "\u200b", "😀", "\xad"])
_texts = st.builds(lambda text, times: text * times, st.text(_letters, max_size=3), st.sampled_from([1, 50, 128, 700]))
_grown = st.builds(lambda letter, times: letter * times, st.sampled_from(GROWING), st.integers(1, 1000))
_moments = st.sampled_from(
    [
        "0001-01-01T00:00:00+00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59Z",
        "2026-01-05T12:09:59Z",
        "1969-12-31T23:59:59-14:00",
        0,
        -1,
        99_999_999_999,
        "253402300799999",
    ]
)
_numbers = st.sampled_from([0, -1, 1, 2.5, 999_999, -999_999, 1_000_001, 2**63, 10**299, 1e300, 5e-324, 1e15, -0.0])
_others: st.SearchStrategy[Any] = st.sampled_from([None, True, [], {}, "12", "1.5"])
ODD = {str: st.one_of(_grown, _texts), int: _numbers, float: _numbers}
"""Odd values of a kind that the edge may take."""
ODDER = st.one_of(_texts, _moments, _numbers, _others)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield the path of every single value inside a JSON value, and the value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inner:
        yield from leaves(item, (*path, name))
    if path and not isinstance(value, dict | list):
        yield path, value


def put(value: Any, path: tuple[Any, ...], odd: Any) -> None:
    for name in path[:-1]:
        value = value[name]
    value[path[-1]] = odd


def keep(engine: sa.Engine, content: Content) -> None:
    """Take content through the log into the database, as the collector does; raises what would be a dead letter."""
    records = records_of(*map(PRIVACY.conceal, content))
    check_sizes(records)
    taken = [read_checked(record) for record in records]
    with engine.connect() as connection:
        fold_batch(connection, taken, SETTINGS)
        connection.rollback()  # the disk need not have it


@pytest.mark.parametrize("name", EDGES)
def test_every_kind_of_record_is_taken(engine: sa.Engine, name: str) -> None:
    edge, good = EDGES[name]

    content = edge(good)
    keep(engine, content)

    assert content


@pytest.mark.parametrize("name", ["search", "context", "ubi query", "metarank ranking"])
def test_a_query_that_grows_when_folded_is_measured_as_it_is_kept(engine: sa.Engine, name: str) -> None:
    edge, good = EDGES[name]
    path = next(path for path, _ in leaves(good) if path[-1] in {"query", "question", "user_query", "value"})

    for length in (40, 45, 46, 200):
        body = copy.deepcopy(good)
        put(body, path, "\ufdfa" * length)  # 18 letters of 33 bytes
        content = edge(body)
        keep(engine, content)
        assert bool(content) == (length <= 45)


def grow(name: str, ids: list[str]) -> Content:
    """Return what an edge that takes lists makes of one of `ids`, with everything else as long as it may be."""
    edge, good = EDGES[name]
    field = "query_response_hit_ids" if name == "ubi query" else "items"
    shown: list[Any] = (
        ids if name == "ubi query" else [{"id": id_, "relevancy": -1.2345678901234567e-200} for id_ in ids]
    )
    more = {"user_query": "\x1b" * 1500} if name == "ubi query" else {}
    assert field in good
    return edge(good | more | {field: shown})


@pytest.mark.parametrize("name", ["ubi query", "metarank ranking"])
@pytest.mark.parametrize("letter", ["😀", "a", '"', "\\", "é"])
def test_a_list_is_measured_as_it_is_kept(name: str, letter: str) -> None:
    accepted, refused = 0, 0
    for length in (3, 190, 200, 205, 210, 215, 220, 256):
        content = grow(name, [f"{number:03}{letter * (length - 3)}" for number in range(1000)])
        check_sizes(records_of(*map(PRIVACY.conceal, content)))
        accepted, refused = accepted + bool(content), refused + (not content)

    assert accepted
    assert bool(refused) == (letter == "😀")


def test_a_list_of_our_own_is_never_too_large() -> None:
    shown = tuple(ShownResult("😀" * 256, 1000 + rank, -1.2345678901234567e-200, "a" * 64) for rank in range(100))
    longest = Impression("c" * 64, "q" * 128, "\x1b" * 1500, "u" * 256, "v" * 64, shown, NOW, "e" * 64)

    check_sizes(records_of(longest))


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_an_event_is_never_too_large(kind: Any) -> None:
    longest = FeedbackEvent("c", "😀" * 128, kind, "😀" * 128, "😀" * 256, "😀" * 256, 1.0, NOW, NOW, "😀" * 128)

    check_sizes(records_of(longest))


@pytest.mark.parametrize("name", EDGES)
@property_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_the_edge_accepts_the_log_accepts(engine: sa.Engine, name: str, data: st.DataObject) -> None:
    edge, good = EDGES[name]
    body = copy.deepcopy(good)
    paths = list(leaves(good))
    for path, value in data.draw(st.lists(st.sampled_from(paths), min_size=1, max_size=2, unique=True)):
        put(body, path, data.draw(st.one_of(ODD[type(value)], ODDER)))

    if content := edge(body):
        keep(engine, content)
