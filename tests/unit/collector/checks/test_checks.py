"""What an engineer reads when feedback does not find what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from collector.checks.finding import Finding
from collector.checks.register import run_checks
from collector.join.batch import fold_batch
from collector.join.replay import replay
from collector.tables import evidence
from foundation.contracts import FeedbackEvent, Impression, ShownResult
from foundation.database.engine import reading, transaction
from foundation.settings import Settings

AT = datetime(2026, 1, 5, tzinfo=UTC)


def impression(query_id: str) -> Impression:
    return Impression("default", query_id, "toner", "u1", "v-1", (ShownResult("a", 1, 1.0),), AT)


def click(number: str, query_id: str, document_id: str = "a") -> FeedbackEvent:
    return FeedbackEvent("default", number, "click", query_id, document_id, "u1", 0.0, AT, AT)


def check(engine: sa.Engine, *content: Impression | FeedbackEvent) -> dict[str, Finding]:
    with transaction(engine) as connection:
        fold_batch(connection, content, Settings(_env_file=None))
    return {finding.name: finding for finding in run_checks(engine, "default", 7.0)}


def test_a_healthy_collection_has_no_findings(engine: sa.Engine) -> None:
    findings = check(engine, impression("q1"), click("e1", "q1"))

    assert [finding.count for finding in findings.values()] == [0] * 15
    assert [finding.of for finding in findings.values()] == [1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1]
    assert not any(finding.advice or finding.example_id for finding in findings.values())


def test_clicks_without_impression_are_found(engine: sa.Engine) -> None:
    finding = check(engine, impression("q1"), click("e1", "q1"), click("e2", "q9"))["clicks-without-impression"]

    assert (finding.count, finding.of, finding.example_id) == (1, 2, "e2")
    assert "query_id" in finding.advice


def test_clicks_on_what_was_not_shown_are_found(engine: sa.Engine) -> None:
    finding = check(engine, impression("q1"), click("e1", "q1"), click("e2", "q1", "z"))["clicks-not-shown"]

    assert (finding.count, finding.of, finding.example_id) == (1, 2, "e2")
    assert "document_id" in finding.advice


def test_searches_without_feedback_are_found(engine: sa.Engine) -> None:
    finding = check(engine, impression("q1"), impression("q2"), click("e1", "q1"))["impressions-without-feedback"]

    assert (finding.count, finding.of, finding.example_id) == (1, 2, "q2")
    assert "50%" in finding.meaning
    assert not finding.advice, "half of all is nothing unusual"


def test_silence_is_alarming(engine: sa.Engine) -> None:
    assert check(engine, impression("q1"))["impressions-without-feedback"].advice


def test_that_hits_were_seen_does_not_break_the_silence(engine: sa.Engine) -> None:
    seen = FeedbackEvent("default", "e1", "seen", "q1", "a", "u1", 0.0, AT, AT)

    assert check(engine, impression("q1"), seen)["impressions-without-feedback"].count == 1


def test_a_source_that_counts_from_another_number_is_named(engine: sa.Engine) -> None:
    sent = [replace(click(f"e{place}", "q1"), source="ubi/shop", position=place) for place in (0, 1)]

    finding = check(engine, impression("q1"), click("e9", "q1"), *sent)["positions-shifted"]

    assert (finding.count, finding.of, finding.example_id) == (1, 2, "e0")
    assert "ubi/shop" in finding.advice


def test_hits_seen_in_an_unknown_list_are_found(engine: sa.Engine) -> None:
    seen = [replace(click(f"e{query_id}", query_id), type="seen") for query_id in ("q1", "q9")]

    finding = check(engine, impression("q1"), *seen)["views-without-query"]

    assert (finding.count, finding.of, finding.example_id) == (1, 2, "eq9")
    assert "ubi_queries" in finding.advice


def test_positions_that_disagree_with_what_was_served_are_found(engine: sa.Engine) -> None:
    sent = [replace(click(f"e{place}", "q1"), source="ubi/shop", position=place) for place in (1, 7)]

    finding = check(engine, impression("q1"), *sent)["positions-disagree"]

    assert (finding.count, finding.of, finding.example_id) == (1, 2, "e7")
    assert "order served" in finding.advice


def test_a_document_shown_twice_stood_at_the_better_place(engine: sa.Engine) -> None:
    results = tuple(ShownResult(name, rank, 1.0) for rank, name in enumerate("aba", 1))
    shown = replace(impression("q1"), results=results)

    finding = check(engine, shown, replace(click("e1", "q1"), position=1, source="ubi/shop"))["positions-disagree"]

    assert (finding.count, finding.of) == (0, 1)


def test_late_events_are_kept_and_counted(engine: sa.Engine) -> None:
    late = replace(click("e2", "q1"), at=AT + timedelta(days=8), received_at=AT + timedelta(days=8))

    finding = check(engine, impression("q1"), click("e1", "q1"), late)["events-late"]

    assert (finding.count, finding.of, finding.example_id) == (1, 2, "e2")
    assert "7 days" in finding.meaning


def test_events_nobody_can_vouch_for_are_found(engine: sa.Engine) -> None:
    forged = replace(click("e2", "q1"), distrusted="unsigned")

    finding = check(engine, impression("q1"), click("e1", "q1"), forged)["events-distrusted"]

    assert (finding.count, finding.of, finding.example_id) == (1, 2, "e2")
    assert "query_id" in finding.advice


def test_events_that_say_the_same_under_another_id_are_found(engine: sa.Engine) -> None:
    other = replace(click("e3", "q1"), at=AT + timedelta(seconds=1))

    finding = check(engine, impression("q1"), click("e1", "q1"), click("e2", "q1"), other)["events-repeated"]

    assert (finding.count, finding.of) == (1, 3)
    assert finding.example_id in {"e1", "e2"}


def test_clocks_that_are_wrong_are_found_by_user(engine: sa.Engine) -> None:
    ahead = replace(click("e1", "q1"), user="ahead", at=AT + timedelta(minutes=5))
    behind = replace(click("e2", "q1"), user="behind", at=AT - timedelta(minutes=5))
    waited = replace(click("e3", "q1"), user="offline", received_at=AT + timedelta(hours=5))

    finding = check(engine, impression("q1"), ahead, behind, waited)["clocks-skewed"]

    assert (finding.count, finding.of) == (2, 3)
    assert finding.example_id in {"e1", "e2"}


def test_one_wrong_time_among_many_is_no_wrong_clock(engine: sa.Engine) -> None:
    odd = replace(click("e0", "q1"), at=AT - timedelta(minutes=5))

    assert check(engine, impression("q1"), odd, click("e1", "q1"), click("e2", "q1"))["clocks-skewed"].count == 0


def test_an_empty_collection_is_healthy(engine: sa.Engine) -> None:
    assert [finding.count for finding in check(engine).values()] == [0] * 15


def stay(number: int, value: float) -> FeedbackEvent:
    return replace(click(f"e{number}", f"q{number}"), type="dwell", value=value)


def test_stays_in_milliseconds_are_found(engine: sa.Engine) -> None:
    lists = [impression(f"q{number}") for number in range(5)]

    finding = check(engine, *lists, *(stay(number, 3000) for number in range(5)))["dwell-in-milliseconds"]

    assert (finding.count, finding.of) == (5, 5)
    assert "seconds" in finding.advice


def test_a_long_stay_among_many_is_no_milliseconds(engine: sa.Engine) -> None:
    lists = [impression(f"q{number}") for number in range(5)]

    finding = check(engine, *lists, stay(0, 3000), *(stay(number, 40) for number in range(1, 5)))

    assert finding["dwell-in-milliseconds"].count == 1
    assert not finding["dwell-in-milliseconds"].advice


def test_an_event_dated_a_year_before_its_list_is_kept_and_named_and_not_counted(engine: sa.Engine) -> None:
    early = replace(click("e1", "q1"), at=AT - timedelta(days=365))

    finding = check(engine, impression("q1"), early)["events-before-list"]

    assert (finding.count, finding.of, finding.example_id) == (1, 1, "e1")
    assert "at" in finding.advice
    assert counted(engine) == 0


def test_an_event_that_a_wrong_zone_puts_before_its_list_counts(engine: sa.Engine) -> None:
    early = replace(click("e1", "q1"), at=AT - timedelta(hours=14))

    assert check(engine, impression("q1"), early)["events-before-list"].count == 1
    assert counted(engine) == 1


def test_the_same_id_with_other_content_is_named(engine: sa.Engine) -> None:
    shown = replace(impression("q1"), results=tuple(ShownResult(name, rank, 1.0) for rank, name in enumerate("ab", 1)))
    check(engine, shown, click("e1", "q1"), click("e2", "q1"), click("e1", "q1", "b"))
    retry = replace(click("e1", "q1"), at=AT + timedelta(seconds=9))

    finding = check(engine, retry, click("e1", "q1", "b"), click("e2", "q1"))["ids-conflict"]

    assert (finding.count, finding.of, finding.example_id) == (1, 2, "e1")
    assert counted(engine) == 1, "the first one counts"
    assert replay(engine, "default", Settings(_env_file=None)) == 1


def test_query_ids_that_were_never_set_are_named(engine: sa.Engine) -> None:
    kept = check(engine, click("e1", "undefined"), click("e2", "q2"))["query-ids-unset"]
    (lately,) = (one for one in run_checks(engine, "default", 7.0, refused_unset=3) if one.name == "query-ids-unset")

    assert (kept.count, kept.of, kept.example_id) == (1, 2, "e1")
    assert (lately.count, lately.of) == (4, 5)
    assert lately.advice


def test_a_page_that_does_not_say_who_searches_is_found(engine: sa.Engine) -> None:
    nameless = [replace(impression(f"q{number}"), unit=f"q{number}") for number in range(3)]
    agents = [replace(one, query_id=f"a{one.query_id}", unit=f"a{one.query_id}", surface="agent") for one in nameless]

    finding = check(engine, impression("named"), *nameless, *agents)["searches-without-user"]

    assert (finding.count, finding.of) == (3, 4)
    assert "session" in finding.advice


def counted(engine: sa.Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(sa.select(sa.func.sum(evidence.c.users))).scalar() or 0)


def test_an_event_on_a_list_at_the_beginning_of_time_is_late_and_stored(engine: sa.Engine) -> None:
    first = replace(impression("q1"), at=datetime(1, 1, 1, tzinfo=UTC))

    assert check(engine, first, click("e1", "q1"))["events-late"].count == 1
