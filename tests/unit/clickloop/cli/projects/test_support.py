from typing import Any

from clickloop.cli.projects import support
from clickloop.cli.projects.page import ProjectPage
from simulator.tally import Tally


def metric(name: str, before: float | None, after: float | None, estimate: float | None) -> dict[str, Any]:
    arms = {"control": before, "treatment": after}
    values = {arm: {"value": value, "low": value, "high": value} for arm, value in arms.items()}
    return {"name": name, "values": values, "evidence": [{"estimate": estimate, "low": -0.01, "high": 0.2}]}


def page_of(*metrics: dict[str, Any]) -> ProjectPage:
    card = {
        "metrics": list(metrics),
        "arms": [{"arm": "control", "units": 50, "searches": 90}, {"arm": "treatment", "units": 40, "searches": 80}],
        "verdict": {"decision": "promote", "reason": "csat is better"},
    }
    run = {"report": {"gate": "better on held-out queries"}}
    desk = support.DeskReport(
        Tally(searches=300, clicks=100), run, card, {"q1": 0.5, "q2": 0.7}, {"q1": 0.6, "q2": 0.8}
    )
    return support.make_page("help", 12, desk, seed=0)


def test_before_and_after_are_told_with_intervals() -> None:
    page = page_of(metric("csat", 3.1, 3.4, 0.3), metric("resolution", 0.5, 0.6, 0.1))

    csat, resolution, unseen = page.tables[0].rows
    assert csat == ("CSAT, stars", "3.1000", "3.4000", "+0.3000", "-0.0100 to +0.2000")
    assert resolution[1:4] == ("0.5000", "0.6000", "+0.1000")
    assert unseen[0] == "nDCG@10 of 2 queries that nobody asked"
    assert unseen[1:4] == ("0.6000", "0.7000", "+0.1000")
    assert list(page.pictures) == ["csat", "resolution"]
    assert "Verdict: promote: csat is better." in page.notes[1]


def test_too_few_people_are_said_to_be_too_few() -> None:
    csat, _ = page_of(metric("csat", None, 3.4, None)).tables[0].rows

    assert csat == ("CSAT, stars", "too few people", "3.4000", "", "")
