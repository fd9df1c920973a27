"""Metarank's events field by field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.conformance.case import Case

AT = datetime(2026, 1, 4, 10, tzinfo=UTC)
MS = "1767520800000"
TITLE = {"name": "title", "value": "Toner"}
ITEM = {"event": "item", "id": "i1", "timestamp": MS, "item": "a", "fields": [TITLE]}
USER = {"event": "user", "id": "u1", "timestamp": MS, "user": "anna"}
RANKING = {
    "event": "ranking",
    "id": "r1",
    "timestamp": MS,
    "fields": [{"name": "query", "value": "toner"}],
    "items": [{"id": "a"}, {"id": "b"}],
}
INTERACTION = {"event": "interaction", "id": "e1", "timestamp": MS, "item": "b", "type": "click", "ranking": "r1"}


def _good(
    base: dict[str, Any], sent: str, becomes: str, kinds: tuple[str, ...] = (), expect: Any = None, **changes: Any
) -> Case:
    items = {"a": {"title": "Toner"}} if base is ITEM else {}
    return Case(
        f"Metarank {base['event']}",
        sent,
        base | changes,
        becomes,
        kinds=kinds,
        expect=expect or {},
        items=items,
        message='"status":"ok"',
    )


def _item(sent: str, becomes: str, **changes: Any) -> Case:
    return _good(ITEM, sent, becomes, **changes)


def _value(sent: str, value: Any) -> Case:
    body = ITEM | {"fields": [{"name": "x", "value": value}]}
    return Case("Metarank item", sent, body, "a field of the document", items={"a": {"x": value}})


def _shown(sent: str, becomes: str, expect: Any = None, **changes: Any) -> Case:
    return _good(RANKING, sent, becomes, ("impression",), expect, **changes)


def _done(sent: str, becomes: str, expect: Any = None, kind: str = "click", **changes: Any) -> Case:
    return _good(INTERACTION, sent, becomes, (kind,), expect, **changes)


def _bad(base: dict[str, Any], sent: str, *, becomes: str = "refused", status: int = 422, **changes: Any) -> Case:
    body = {name: value for name, value in (base | changes).items() if value is not ...}
    return Case(f"Metarank {base['event']}", sent, body, becomes, status)


METARANK: tuple[Case, ...] = (
    _item("`event`: item", "properties of a document"),
    _item("`event`: metadata", "the same", event="metadata"),
    _item("`item`", "the document"),
    _item("`id`", "checked, not kept", id="any"),
    _item("`timestamp` in milliseconds as text", "checked: the last to arrive counts"),
    _item("`tenant`", "checked, not kept", tenant="t1"),
    _item("`fields[].name`: title, text, url", "the document's own"),
    _value("`fields[].value`: boolean", True),
    _value("`fields[].value`: number", 112.767),
    _value("`fields[].value`: string", "red"),
    _value("`fields[].value`: strings", ["animation", "comedy"]),
    _value("`fields[].value`: numbers", [1, 2.5]),
    _good(USER, "`event`: user", "ignored: nothing is kept of users"),
    _good(USER, "`user`, `fields`", "the same", fields=[{"name": "age", "value": 33}]),
    _shown("`event`: ranking", "an impression, version `external`", {"version": "external"}),
    _shown("`id`", "its id", {"query_id": "r1"}),
    _shown("`timestamp` in milliseconds as text", "when it was shown", {"at": AT}),
    _shown("`timestamp` as a number", "the same", {"at": AT}, timestamp=int(MS)),
    _shown("`timestamp` as ISO 8601", "the same", {"at": AT}, timestamp="2026-01-04T11:00:00+01:00"),
    _shown("`timestamp` with Java's name of the zone", "the same", {"at": AT},
           timestamp="2026-01-04T11:00:00+01:00[Europe/Paris]"),
    _shown("`user`", "whom caps count", {"unit": "anna"}, user="anna", session="s1"),
    _shown("`session`", "whom caps count, without `user`", {"unit": "s1"}, session="s1"),
    _shown("`fields`: query", "the query", {"query": "toner"}),
    _shown("`items[].id`", "what was shown, rank 1 first"),
    _shown("`items[].relevancy`", "the score", items=[{"id": "a", "relevancy": 2.1}, {"id": "b", "relevancy": 1}]),
    _shown("`items[].fields`", "checked; relevancy is the score",
           items=[{"id": "a", "fields": [{"name": "relevancy", "value": 2.1}]}]),
    _shown("`items[].label`", "checked, not kept", items=[{"id": "a", "label": 1}, {"id": "b", "label": "0"}]),
    _done("`event`: interaction", "an event"),
    _done("`id`", "its id", {"id": "e1"}),
    _done("`ranking`", "the list it belongs to", {"query_id": "r1"}),
    _done("`item`", "the document", {"document_id": "b"}),
    _done("`timestamp`", "when", {"at": AT}),
    _done("`user`", "who did it", {"user": "anna"}, user="anna", session="s1"),
    _done("`session`", "who did it, without `user`", {"user": "s1"}, session="s1"),
    _done("`type`: click", "a click"),
    _done("`type`: purchase, like, add_to_cart", "a conversion", kind="conversion", type="purchase"),
    _done("`fields`", "checked, not kept", fields=[{"name": "shipping", "value": "DHL"}]),
    Case("Metarank", "an array", [RANKING, INTERACTION], "each entry on its own", kinds=("impression", "click")),
    _bad(ITEM, "an item without fields", becomes="ignored", status=200, fields=...),
    _bad(RANKING, "no query among `fields`", becomes="ignored", status=200, fields=...),
    _bad(INTERACTION, "no `ranking`", becomes="ignored: belongs to no search", status=200, ranking=...),
    _bad(INTERACTION, "any other `type`", becomes="ignored", status=200, type="impression"),
    _bad(ITEM, "any other `event`", event="rank"),
    _bad(ITEM, "no `event`", event=...),
    _bad(ITEM, "no `id`", id=...),
    _bad(ITEM, "no `timestamp`", timestamp=...),
    _bad(ITEM, "`timestamp` that is none", timestamp="yesterday"),
    _bad(ITEM, "no `item`", item=...),
    _bad(ITEM, "`fields[].value` null", fields=[{"name": "x", "value": None}]),
    _bad(ITEM, "`fields[].value` an object", fields=[{"name": "x", "value": {}}]),
    _bad(ITEM, "`fields[].value` of mixed types", fields=[{"name": "x", "value": [1, "a"]}]),
    _bad(ITEM, "`fields[]` without `name`", fields=[{"value": 1}]),
    _bad(USER, "no `user`", user=...),
    _bad(RANKING, "no `items`", items=...),
    _bad(RANKING, "`items` empty", items=[]),
    _bad(RANKING, "`items[]` without `id`", items=[{"relevancy": 1}]),
    _bad(RANKING, "`items[].label` that is no whole number", items=[{"id": "a", "label": "good"}]),
    _bad(INTERACTION, "no `item`", item=...),
    _bad(INTERACTION, "no `type`", type=...),
    Case("Metarank", "a body that is not JSON", "{", "refused", 400),
)  # fmt: skip
