"""A failed query is given the reason that a careful reader would give."""

from __future__ import annotations

import pytest

from clickloop.evaluation.failures import REASONS, Texts, find_failures

DOCUMENTS = {
    "fax": "Fax machine XR-200b with tray",
    "mono": "Printing only in black, colour switched off",
    "toner": "Toner for laser devices",
} | {f"generic {number}": f"blue paper tray of kind {chr(97 + number % 26)}{number}" for number in range(200)}
TEXTS = Texts(DOCUMENTS)


@pytest.mark.parametrize(
    ("text", "relevant", "reason"),
    [
        ("tray XR-200b", "fax", "rare identifier"),
        ("printing without colour", "mono", "negation or number"),
        ("tray 500", "generic 3", "negation or number"),
        ("cartridge replacement ink", "toner", "lexical mismatch"),
        ("blue paper tray", "generic 3", "ambiguous"),
        ("toner laser", "toner", "other"),
    ],
)
def test_reasons(text: str, relevant: str, reason: str) -> None:
    (failure,) = find_failures({"q": text}, {"q": {relevant: 1}}, {"q": ["generic 0"]}, TEXTS)
    assert failure.reason == reason
    assert (failure.relevant, failure.shown) == (relevant, "generic 0")


def test_results_that_nobody_judged_are_said_to_be_so_where_judges_said_no_to_others() -> None:
    judgments = {"q": {"toner": 1}, "other": {"fax": 0, "mono": 2}}
    rankings = {"q": ["generic 0", "generic 1"], "other": ["mono"]}
    (failure,) = find_failures({"q": "toner laser", "other": "mono"}, judgments, rankings, TEXTS)
    assert failure.reason == "unjudged"


def test_a_query_with_a_relevant_document_among_ten_did_not_fail() -> None:
    ten = [f"generic {number}" for number in range(9)] + ["toner"]
    eleven = [f"generic {number}" for number in range(10)] + ["toner"]
    assert find_failures({"q": "toner"}, {"q": {"toner": 1}}, {"q": ten}, TEXTS) == []
    assert len(find_failures({"q": "toner"}, {"q": {"toner": 1}}, {"q": eleven}, TEXTS)) == 1


def test_a_query_without_results_failed_and_one_without_an_answer_did_not() -> None:
    queries = {"q": "toner laser", "none": "nothing"}
    (failure,) = find_failures(queries, {"q": {"toner": 2}, "none": {"fax": 0}}, {}, TEXTS)
    assert (failure.query, failure.shown) == ("q", "")
    assert failure.reason in REASONS
