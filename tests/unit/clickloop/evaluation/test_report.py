"""A comparison tells people and programs the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from clickloop.evaluation.report import EvaluationReport, compare, print_comparison, write_report
from clickloop.evaluation.run_files import Run, read_run
from foundation.errors import InvalidRequest, NotFound
from simulator.collection import JudgedCollection

COLLECTION = JudgedCollection(
    [{"id": name, "title": f"{name} <title>", "text": f"all about {name}"} for name in ("apple", "pear", "plum")],
    {"q1": "an apple", "q2": "the pear & more", "q3": "plums"},
    {"test": {"q1": {"apple": 1}, "q2": {"pear": 1}, "q3": {"plum": 1}}},
)


def rank(system: str, queries: dict[str, str]) -> Run:
    """Return the right document on top, or the first one for everybody."""
    if system == "constant":
        return {query: {"apple": 1.0} for query in queries}
    return {query: {name: 1.0} for query, name in zip(queries, ("apple", "pear", "plum"), strict=True)}


@pytest.fixture
def comparison() -> EvaluationReport:
    return compare("fruit", COLLECTION, "test", ["constant", "right"], rank, seed=0)


def test_json_holds_measures_tests_and_reasons(comparison: EvaluationReport) -> None:
    found = json.loads(json.dumps(comparison.to_json()))
    assert found["systems"]["right"]["nDCG@10"] == 1.0
    assert found["systems"]["constant"]["nDCG@10"] == pytest.approx(1 / 3)
    (pair,) = found["differences"]
    assert (pair["first"], pair["second"], pair["wins"], pair["losses"]) == ("right", "constant", 2, 0)
    assert [row["query"] for row in pair["most_won"]] == ["the pear & more", "plums"]
    assert pair["most_lost"] == []
    assert sum(found["failures"]["constant"]["reasons"].values()) == 2


def test_the_page_and_the_runs_are_written(comparison: EvaluationReport, tmp_path: Path) -> None:
    write_report(comparison, COLLECTION, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "the pear &amp; more" in page
    assert "pear &lt;title&gt;" in page
    assert "right over constant" in page
    assert read_run(tmp_path / "out" / "right.run") == comparison.runs["right"]


def test_people_read_a_table(comparison: EvaluationReport) -> None:
    console = Console(record=True, width=120)
    print_comparison(comparison, console)
    said = console.export_text()
    assert "right over constant" in said
    assert "1.0000" in said


@pytest.mark.parametrize("systems", [[], ["right", "right"]])
def test_systems_are_named_once(systems: list[str]) -> None:
    with pytest.raises(InvalidRequest, match="once"):
        compare("fruit", COLLECTION, "test", systems, rank, seed=0)


def test_a_split_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFound, match="'dev'"):
        compare("fruit", COLLECTION, "dev", ["right"], rank, seed=0)
