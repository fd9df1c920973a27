"""What an app relies on when it reports from the background: nothing lost, nothing doubled, nothing unsaid."""

from __future__ import annotations

import logging
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from clickloop.client import (
    Client,
    Counts,
    EventsRefused,
    QueueFull,
    Undelivered,
)
from tests.unit.clickloop.client.conftest import Script, problem, put_off

ROOT = Path(__file__).parents[4]
NOWHERE = "http://127.0.0.1:9"


def sent(script: Script) -> list[dict[str, Any]]:
    return [event for batch in script.batches for event in batch]


def test_events_carry_what_was_reported_and_ids_of_their_own(script: Script) -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    with Client(script.url, "help", key="k-1") as client:
        ids = [
            client.click("q1", "a", user="u1", at=at),
            client.rate("q1", "a", 4),
            client.dwell("q1", "a", 12.5),
            client.convert("q1", "a"),
            client.convert("q1", "a", 9.9),
            client.resolve("q1"),
            client.resolve("q1", "a", resolved=False),
            client.seen("q1", "a"),
            client.abandon("q1"),
            client.custom("wish", "q1", "a", 2.5),
            client.report("click", "q2", "b", event_id="mine"),
        ]
    events = sent(script)
    assert [event["id"] for event in events] == ids
    assert {UUID(name).version for name in ids[:-1]} == {7}
    assert events[0] == {
        "id": ids[0],
        "type": "click",
        "query_id": "q1",
        "document_id": "a",
        "user": "u1",
        "at": "2026-01-05T00:00:00+00:00",
    }
    assert [event.get("value") for event in events] == [None, 4, 12.5, None, 9.9, None, None, None, None, 2.5, None]
    assert [event["type"] for event in events[5:9]] == ["resolved", "unresolved", "seen", "abandon"]
    assert (events[9]["type"], events[9]["name"]) == ("custom", "wish")
    assert script.headers[0]["clickloop-collection"] == "help"
    assert script.headers[0]["authorization"] == "Bearer k-1"


def test_every_kind_of_event_may_carry_an_id_of_the_apps_own(script: Script) -> None:
    with Client(script.url) as client:
        ids = [
            client.seen("q1", "a", event_id="1"),
            client.click("q1", "a", event_id="2"),
            client.dwell("q1", "a", 12.5, event_id="3"),
            client.rate("q1", "a", 4, event_id="4"),
            client.convert("q1", "a", 9.9, event_id="order-7"),
            client.resolve("q1", event_id="6"),
            client.abandon("q1", event_id="7"),
        ]
    assert ids == [event["id"] for event in sent(script)] == ["1", "2", "3", "4", "order-7", "6", "7"]


def test_no_collection_is_named_where_none_was_given(script: Script) -> None:
    with Client(script.url, key="k-1") as client:
        client.click("q1", "a")
    assert "clickloop-collection" not in script.headers[0]


def test_events_travel_in_batches(script: Script) -> None:
    with Client(script.url, at_once=200, linger_s=30) as client:
        for number in range(500):
            client.click("q1", str(number))
        client.flush()
        assert client.counts == Counts(accepted=500)
    assert [event["document_id"] for event in sent(script)] == [str(number) for number in range(500)]
    assert len(script.batches) <= 5


def test_a_first_event_does_not_wait_long_for_others(script: Script) -> None:
    with Client(script.url, linger_s=0.05) as client:
        client.click("q1", "a")
        while client.counts.waiting:
            pass
    assert len(sent(script)) == 1


def test_what_was_not_acknowledged_is_sent_again_under_the_same_id(script: Script) -> None:
    script.say(problem(503), (500, {}), problem(404), (202, {"surprise": 1}))
    with Client(script.url) as client:
        name = client.click("q1", "a")
        client.flush()
        assert client.counts == Counts(accepted=1)
    assert [event["id"] for event in sent(script)] == [name] * 5


@pytest.mark.parametrize("retry_after", ["\u00b2", "soon", "-1"])
def test_a_moment_to_come_back_that_cannot_be_read_ends_no_delivery(script: Script, retry_after: str) -> None:
    script.retry_after = retry_after
    script.say(problem(503))
    with Client(script.url) as client:
        client.click("q1", "a")
        client.flush(5.0)
        assert client.counts == Counts(accepted=1)


def test_refused_events_are_logged_with_the_reason_and_hold_up_nobody(
    script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "clickloop.client"), Client(script.url) as client:
        client.click("q1", "good")
        client.click("q1", "bad")
        client.flush()
        assert client.counts == Counts(accepted=1, refused=1)
    assert "document_id is bad" in caplog.text


def test_what_came_too_soon_is_sent_again_no_earlier_than_told_and_holds_up_nobody(
    script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    script.replies.append(put_off("busy", wait_s=2))
    with caplog.at_level(logging.WARNING, "clickloop.client"), Client(script.url, strict=True) as client:
        early = client.click("q1", "busy")
        client.click("q1", "a")
        while not client.counts.accepted:
            pass
        assert client.counts == Counts(accepted=1, waiting=1)
        client.click("q1", "b")
        client.flush()
        assert client.counts == Counts(accepted=3)
    assert [[event["document_id"] for event in batch] for batch in script.batches] == [["busy", "a"], ["b"], ["busy"]]
    assert script.batches[2][0]["id"] == early
    assert script.moments_s[2] - script.moments_s[0] >= 2
    assert "put off 1 events" in caplog.text


def test_what_came_too_soon_takes_its_place_in_the_queue(script: Script) -> None:
    script.replies.append(put_off("0", "1", wait_s=60))
    client = Client(script.url, capacity=2, linger_s=0.1)
    client.click("q1", "0")
    client.click("q1", "1")
    while not script.batches:
        pass
    client.click("q1", "2")
    assert client.counts == Counts(overflowed=1, waiting=2)
    with pytest.raises(Undelivered, match=r"2 events still wait for .* the service put off 2 events"):
        client.close(timeout_s=0.5)
    assert len(script.batches) == 1


def test_refused_events_are_raised_in_strict_mode(script: Script) -> None:
    client = Client(script.url, strict=True)
    client.click("q1", "bad")
    with pytest.raises(EventsRefused, match="document_id is bad") as caught:
        client.flush()
    assert len(caught.value.refusals) == 1
    client.flush()  # they are raised once
    client.click("q1", "bad")
    with pytest.raises(EventsRefused):
        client.close()


def test_batches_that_are_too_large_are_halved_until_they_fit(script: Script) -> None:
    script.say(problem(413), problem(422, "at most 1 entries are taken at once"))
    with Client(script.url, linger_s=30) as client:
        for number in range(4):
            client.click("q1", str(number))
        client.flush()
        assert client.counts == Counts(accepted=4)
    assert [len(batch) for batch in script.batches] == [4, 2, 1, 1, 1, 1]


def test_an_event_that_is_too_large_alone_is_refused(script: Script) -> None:
    script.say(problem(413, "the body is longer than 10 bytes"))
    with Client(script.url) as client:
        client.click("q1", "a")
        client.flush()
        assert client.counts == Counts(refused=1)


def test_a_full_queue_is_counted_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    client = Client(NOWHERE, capacity=2)
    with caplog.at_level(logging.ERROR, "clickloop.client"):
        for number in range(5):
            client.click("q1", str(number))
    assert client.counts == Counts(overflowed=3, waiting=2)
    assert len([line for line in caplog.records if "was not taken" in line.message]) == 1
    with pytest.raises(Undelivered, match="2 events still wait"):
        client.close(timeout_s=0.1)


def test_a_full_queue_raises_in_strict_mode() -> None:
    client = Client(NOWHERE, capacity=1, strict=True)
    client.click("q1", "a")
    with pytest.raises(QueueFull, match='"document_id": "b"'):
        client.click("q1", "b")
    with pytest.raises(Undelivered):
        client.close(timeout_s=0.1)


def test_closing_says_why_events_are_lost(script: Script) -> None:
    script.say(*[problem(401, "the key is unknown")] * 50)
    client = Client(script.url)
    client.click("q1", "a")
    with pytest.raises(Undelivered, match=r"1 events still wait for .* 401 the key is unknown"):
        client.close(timeout_s=0.5)
    client.close()  # does nothing
    with pytest.raises(Undelivered, match="closed"):
        client.click("q1", "b")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_would_spoil_its_batch_is_refused_at_once(script: Script, value: float) -> None:
    with Client(script.url) as client:
        with pytest.raises(ValueError, match="JSON"):
            client.dwell("q1", "a", value)
        with pytest.raises(ValueError, match="zone"):
            client.click("q1", "a", at=datetime(2026, 1, 5))  # noqa: DTZ001  that is the point
    assert not sent(script)


def test_a_process_that_forgets_to_close_says_what_it_lost() -> None:
    program = f"from clickloop.client import Client; Client({NOWHERE!r}).click('q1', 'a')"
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert "1 events undelivered" in done.stderr
