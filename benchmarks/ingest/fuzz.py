"""Bar 7: what two hundred thousand spoilt bodies do to the intakes, and to the good events among them."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from benchmarks.harness.fixtures import drain
from benchmarks.harness.load import Shot, Volley, shoot
from benchmarks.harness.report import Bar, at_most
from benchmarks.harness.server import Server
from benchmarks.search.service import resident_mib
from clickloop.container import Container
from collector.tables import events
from foundation.database.engine import reading

BODIES = 200_000
QUICK_BODIES = 4_000
_CLIENTS = 8
_PER_SECOND = 2000  # more than is answered: a volley ends by time, and every body is new until then
_VOLLEY_S = 20.0
_QUICK_VOLLEY_S = 2.0
_NEIGHBOURS = 4000

GOOD_BODIES: dict[str, Any] = {
    "/v1/events": [
        {"id": "e", "type": "click", "query_id": "q", "document_id": "d", "user": "u", "at": "2026-01-05T10:00:00Z"},
        {"id": "f", "type": "rating", "query_id": "q", "document_id": "d", "value": 5},
    ],
    "/ubi_queries": [
        {
            "application": "shop",
            "query_id": "q",
            "client_id": "c",
            "user_query": "red shoes",
            "timestamp": "2026-01-05T10:00:00Z",
            "query_response_id": "r",
            "query_response_hit_ids": ["a", "b"],
        }
    ],
    "/ubi_events": [
        {
            "application": "shop",
            "action_name": "click",
            "query_id": "q",
            "client_id": "c",
            "timestamp": "2026-01-05T10:00:00Z",
            "event_attributes": {"object": {"object_id": "a"}, "position": {"ordinal": 1}},
        }
    ],
    "/feedback": [
        {
            "event": "ranking",
            "id": "r",
            "timestamp": "1767607200000",
            "user": "u",
            "fields": [{"name": "query", "value": "red shoes"}],
            "items": [{"id": "a", "relevancy": 2.0}, {"id": "b"}],
        },
        {"event": "interaction", "id": "i", "timestamp": "1767607200000", "ranking": "r", "type": "click", "item": "a"},
    ],
    "/1/events?x-algolia-application-id=app&x-algolia-api-key=key": {
        "events": [
            {
                "eventType": "click",
                "eventName": "opened",
                "index": "shop",
                "userToken": "u",
                "queryID": "0" * 32,
                "objectIDs": ["a"],
                "positions": [1],
            }
        ]
    },
    "/events": {"eventType": "click", "eventName": "opened", "indexUid": "shop", "queryUid": "q", "objectId": "a"},
}
"""A good body of every intake, to be spoilt."""

_NASTY: tuple[Any, ...] = (
    *(None, True, "", " ", "\x00", "\ud800", "😀" * 50, "a" * 5000, "-1", "NaN", "2026-13-45T99:99:99Z", "' OR 1=1 --"),
    *(0, -1, 2**63, 10**300, 1e308, -0.0, [], {}, [[]], {"a": None}, [None] * 50, {"": {"": {}}}),
)

Tell = Callable[[str], None]


def measure(
    server: Server, container: Container, seed: int, quick: bool, tell: Tell
) -> tuple[list[Bar], dict[str, Any]]:
    """Return how a service over an empty home takes bodies that were spoilt at random."""
    chance = random.Random(seed)
    seconds = _QUICK_VOLLEY_S if quick else _VOLLEY_S
    wanted = QUICK_BODIES if quick else BODIES
    neighbours = [f"neighbour-{number}" for number in range(_NEIGHBOURS)]
    mixed = [[spoil(GOOD_BODIES["/v1/events"][0], chance), _good(name)] for name in neighbours]
    shots = _check_neighbours(server, mixed, seconds)
    resident = [resident_mib(server.process_id)]
    sent = 0
    while sent < wanted:
        for path, good in GOOD_BODIES.items():
            bodies = [spoil_body(good, chance) for _ in range(int(seconds * _PER_SECOND))]
            volley = shoot(server.url, path, bodies, clients=_CLIENTS, seconds=seconds)
            shots += volley.shots
            sent += len(volley.shots)
            resident.append(resident_mib(server.process_id))
        tell(f"{sent} bodies")
    statuses: dict[str, int] = {}
    for shot in shots:
        statuses[str(shot.status)] = statuses.get(str(shot.status), 0) + 1
    drain(container)
    lost = len(set(neighbours) - _stored(container))
    crashes = sum(shot.status >= 500 and shot.status != 503 for shot in shots)
    settled = resident[min(len(GOOD_BODIES), len(resident) - 1)]  # after a first round over every intake
    return [
        at_most("ingest.7", f"replies of {sent} spoilt bodies that are a 500", crashes, 0),
        at_most("ingest.7", "of them without an answer within 30 s", sum(shot.status == 0 for shot in shots), 0),
        at_most("ingest.7", f"of {_NEIGHBOURS} good events beside a spoilt one, lost", lost, 0),
        at_most("ingest.7", "growth of resident memory, share", max(0.0, max(resident) / settled - 1), 0.1),
    ], {"statuses": dict(sorted(statuses.items())), "resident MiB": [round(one) for one in resident]}


def spoil(good: Any, chance: random.Random) -> Any:
    """Return a JSON value with one to three things wrong, or none by chance."""
    spoilt = copy.deepcopy(good)
    for _ in range(chance.randint(1, 3)):
        spoilt = _spoil_once(spoilt, chance)
    return spoilt


def spoil_body(good: Any, chance: random.Random) -> str:
    """Return a body, one byte a character: JSON with wrong content, or bytes that are hardly JSON."""
    body = json.dumps(spoil(good, chance)).encode()
    for _ in range(chance.choice((0, 0, 0, 1, 2, 8))):
        place = chance.randrange(len(body) + 1)
        junk = bytes(chance.choices(range(256), k=chance.randint(0, 4)))
        body = body[:place] + junk + body[place + chance.randint(0, 3) :]
    if chance.random() < 0.02:
        body = body[: chance.randrange(len(body) + 1)]
    if chance.random() < 0.01:
        body = b"[" * chance.choice((50, 500, 50_000)) + body
    return body.decode("latin-1")


def _spoil_once(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict) and value and chance.random() < 0.85:
        name = chance.choice(list(value))
        what = chance.random()
        if what < 0.15:
            del value[name]
        elif what < 0.25:
            value[chance.choice(("", "unknown", "__proto__", name.upper()))] = value[name]
        else:
            value[name] = _spoil_once(value[name], chance)
        return value
    if isinstance(value, list) and value and chance.random() < 0.85:
        place = chance.randrange(len(value))
        value[place] = _spoil_once(value[place], chance)
        if chance.random() < 0.1:
            value.extend(copy.deepcopy(value))
        return value
    return copy.deepcopy(chance.choice(_NASTY))


def _good(name: str) -> dict[str, Any]:
    return {"id": name, "type": "click", "query_id": "q", "document_id": "d"}


def _check_neighbours(server: Server, bodies: list[Any], seconds: float) -> list[Shot]:
    """Send every body once at least."""
    sent: list[Shot] = []
    while len(sent) < len(bodies):
        volley: Volley = shoot(server.url, "/v1/events", bodies[len(sent) :], clients=_CLIENTS, seconds=seconds)
        sent += volley.shots
    return sent


def _stored(container: Container) -> set[str]:
    with reading(container.engine) as connection:
        return set(connection.execute(sa.select(events.c.id).where(events.c.id.like("neighbour-%"))).scalars())
