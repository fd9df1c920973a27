"""Meilisearch's analytics events, by the page on its events endpoint."""

from __future__ import annotations

from typing import Any

from tests.conformance.case import Case

CLICK = {
    "eventType": "click",
    "eventName": "Search Result Clicked",
    "indexUid": "products",
    "userId": "u1",
    "queryUid": "019a01b7-a1c2-7782-a410-bb1274c81393",
    "objectId": "0",
    "position": 0,
}


def _good(sent: str, becomes: str, expect: Any = None, kind: str = "click", **changes: Any) -> Case:
    return Case("Meilisearch", sent, CLICK | changes, becomes, 201, (kind,), expect or {})


def _bad(sent: str, becomes: str = "refused", *, status: int = 400, message: str = "", **changes: Any) -> Case:
    body = {name: value for name, value in (CLICK | changes).items() if value is not ...}
    return Case("Meilisearch", sent, body, becomes, status, message=message)


MEILISEARCH: tuple[Case, ...] = (
    _good("`eventType`: click", "a click"),
    _good("`eventType`: conversion", "a conversion", kind="conversion", eventType="conversion"),
    _good("`eventName`", "checked, not kept"),
    _good("`indexUid`", "checked, not kept: the request names the collection"),
    _good("`userId`", "who did it", {"user": "u1"}),
    _good("`queryUid`", "the list it belongs to", {"query_id": "019a01b7-a1c2-7782-a410-bb1274c81393"}),
    _good("`objectId`", "the document", {"document_id": "0"}),
    _good("`objectId` as a number", "the document", {"document_id": "42"}, objectId=42),
    _good("`objectName`", "checked, not kept", objectName="A toner"),
    _good("`position`", "the position, counted from 0", {"position": 1}),
    Case(
        "Meilisearch",
        "`X-MS-USER-ID`",
        {name: value for name, value in CLICK.items() if name != "userId"},
        "who did it, without `userId`",
        201,
        ("click",),
        {"user": "u2"},
        headers={"X-MS-USER-ID": "u2"},
    ),
    _bad("no `queryUid`", "ignored: belongs to no search", status=201, queryUid=...),
    _bad("no `objectId`", "ignored", status=201, objectId=...),
    _bad("no `eventType`", message='"code":"bad_request"', eventType=...),
    _bad("any other `eventType`", message='"type":"invalid_request"', eventType="view"),
    _bad("no `eventName`", eventName=...),
    _bad("no `indexUid`", indexUid=...),
    _bad("no user at all", message="userId", userId=...),
    _bad("`position` that is no whole number", position="first"),
    Case("Meilisearch", "a body that is not JSON", "{", "refused", 400, message="malformed_payload"),
)
