import pytest

from clickloop.cli.projects import shop
from clickloop.evaluation.report import EvaluationReport, compare
from simulator.collection import JudgedCollection
from tests.pictures import read_picture

DOCUMENTS = [
    {"id": name, "title": title, "text": "", "url": "", "fields": {}}
    for name, title in {"watch": "gps watch", "case": "phone case", "strap": "silicone strap"}.items()
]
QUERIES = {"q1": "gps watch", "q2": "cover for mobiles", "q3": "phone case"}
JUDGED = JudgedCollection(
    DOCUMENTS, QUERIES, {"test": {"q1": {"watch": 1, "strap": 0}, "q2": {"case": 1}}, "train": {"q3": {"case": 1}}}
)
RUNS = {
    "bm25": {"q1": {"watch": 1.0}, "q2": {"strap": 1.0}},
    "dense": {"q1": {"strap": 1.0}, "q2": {"case": 1.0}},
    "hybrid": {"q1": {"watch": 1.0}, "q2": {"case": 1.0}},
}
GAIN = shop.ClickGain(
    {
        moment: {"asked": {"q3": asked}, "unseen": {"q1": unseen, "q2": 0.5}}
        for moment, asked, unseen in (
            ("first ranking", 0.4, 0.5),
            ("with clicks, seconds later", 0.9, 0.5),
            ("after training", 1.0, 0.6),
        )
    },
    clicks=120,
    gate="better",
)


@pytest.fixture
def compared() -> EvaluationReport:
    return compare("shop", JUDGED, "test", shop.SYSTEMS, lambda system, _: RUNS[system], seed=0)


def test_every_query_has_its_figures_and_a_cause(compared: EvaluationReport) -> None:
    page = shop.make_page(compared, JUDGED, None, seed=0)

    assert list(page.tables[1].rows) == [
        ("gps watch", "1.000", "0.000", "1.000", "drift"),
        ("cover for mobiles", "0.000", "1.000", "1.000", "other words"),
    ]
    assert page.facts["causes"]["drift"] == 1
    assert "drift (1)" in page.notes[0]
    assert list(page.pictures) == ["systems"]


def test_what_clicks_add_is_told_for_queries_that_people_asked_and_others(compared: EvaluationReport) -> None:
    page = shop.make_page(compared, JUDGED, GAIN, seed=0)

    rows = {(row[0], row[1]): row[2:] for row in page.tables[2].rows}
    assert rows["first ranking", "1 queries that people asked"] == ("0.4000", "", "")
    assert rows["after training", "1 queries that people asked"][:2] == ("1.0000", "+0.6000")
    assert rows["after training", "2 queries that nobody asked"][:2] == ("0.5500", "+0.0500")
    assert page.facts["clicks"]["gate"] == "better"
    assert read_picture(page.pictures["clicks"]).tag.endswith("svg")


def test_some_queries_are_drawn_the_same_each_time() -> None:
    drawn = [shop.draw_queries(JUDGED, 1, seed=3).qrels for _ in range(2)]

    assert drawn[0] == drawn[1]
    assert len(drawn[0]["test"]) == 1
    assert shop.draw_queries(JUDGED, 20, seed=3).qrels["test"] == JUDGED.qrels["test"]


def test_where_both_fail_the_failure_is_explained() -> None:
    runs = {system: {"q1": {"strap": 1.0}, "q2": {"strap": 1.0}} for system in shop.SYSTEMS}
    failed = compare("shop", JUDGED, "test", shop.SYSTEMS, lambda system, _: runs[system], seed=0)

    page = shop.make_page(failed, JUDGED, None, seed=0)

    assert [row[-1] for row in page.tables[1].rows] == ["both fail: other", "both fail: unjudged"]
    assert "both fail: unjudged (1): No result among the ten was ever judged" in " ".join(page.notes)
