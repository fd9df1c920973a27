"""What an engineer reads when feedback does not find what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import sqlalchemy as sa

from collector.checks import Finding, run_checks
from collector.store import fold_batch
from foundation.contracts import FeedbackEvent, Impression, ShownResult
from foundation.db import transaction
from foundation.settings import Settings

AT = datetime(2026, 1, 5, tzinfo=UTC)


def impression(query_id: str) -> Impression:
    return Impression("default", query_id, "toner", "u1", "v-1", (ShownResult("a", 1, 1.0),), AT)


def click(number: str, query_id: str, document_id: str = "a") -> FeedbackEvent:
    return FeedbackEvent("default", number, "click", query_id, document_id, "u1", 0.0, AT, AT)


def check(engine: sa.Engine, *content: Impression | FeedbackEvent) -> dict[str, Finding]:
    with transaction(engine) as connection:
        fold_batch(connection, content, Settings(_env_file=None))
    return {finding.name: finding for finding in run_checks(engine, "default")}


def test_a_healthy_collection_has_no_findings(engine: sa.Engine) -> None:
    findings = check(engine, impression("q1"), click("e1", "q1"))

    assert [finding.count for finding in findings.values()] == [0, 0, 0, 0]
    assert [finding.of for finding in findings.values()] == [1, 1, 1, 0]
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


def test_an_empty_collection_is_healthy(engine: sa.Engine) -> None:
    assert [finding.count for finding in check(engine).values()] == [0, 0, 0, 0]
