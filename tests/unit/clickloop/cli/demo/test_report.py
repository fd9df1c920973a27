"""The demo's report tells what happened, also when nothing was promoted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rich.console import Console

from clickloop.cli.demo.demo import Story, Swap, pick_judged
from clickloop.cli.demo.report import print_report
from foundation.statistics import bootstrap_interval
from simulator.collection import JudgedCollection
from simulator.tally import Experience


def collection() -> JudgedCollection:
    documents = [{"id": name, "title": f"Page {name}", "text": "text", "url": "", "fields": {}} for name in "abcd"]
    queries = {"q1": "first words", "q2": "second words", "q3": "third words"}
    return JudgedCollection(documents, queries, {"train": {"q1": {"a": 1}}, "test": {"q2": {"b": 1}, "q3": {"c": 1}}})


def story(**changes: Any) -> Story:
    told = Story("test pages", documents=4, searches=30, clicks=20, seconds=60.0, clock_days=2.0)
    told.before, told.after = {"q2": 0.5, "q3": 0.2}, {"q2": 0.5, "q3": 1.0}
    told.lists_before = {"q2": ["b", "a"], "q3": ["a", "c"]}
    told.lists_after = {"q2": ["b", "a"], "q3": ["c", "a"]}
    told.runs = [
        {"id": "r" * 8, "version": "v-1", "state": "refused", "report": {"end": "not better"}, "experiment": ""}
    ]
    for name, value in changes.items():
        setattr(told, name, value)
    return told


def report(told: Story) -> str:
    console = Console(record=True, width=120, force_terminal=False)
    print_report(console, told, collection(), "http://127.0.0.1:1", seed=0)
    return console.export_text()


def test_quality_before_and_after_with_an_interval() -> None:
    text = report(story())
    assert "0.3500 before, 0.7500 after: +0.4000" in text
    assert "95% interval" in text


def test_refused_candidates_and_their_reason_are_told() -> None:
    assert "not better" in report(story())


def test_a_demo_without_promotion_says_so() -> None:
    assert "nothing was swapped" in report(story())


def test_the_swap_counts_what_users_noticed() -> None:
    text = report(story(swap=Swap(served=120, failed=0, retried=0)))
    assert "120 searches served, 0 failed" in text


def test_only_changed_queries_stand_side_by_side() -> None:
    text = report(story())
    assert "third words" in text
    assert "second words" not in text.split("In a sentence")[1]


def test_commands_to_try_and_how_long_they_can_be_tried() -> None:
    run = {"id": "r" * 8, "version": "v-2", "state": "promoted", "report": {"end": "every replica serves it"}}
    text = report(story(swap=Swap(served=120, failed=0, retried=0), runs=[run, *story().runs]))
    assert text.count("curl -s") == 3
    assert """/v1/versions/rollback -H 'Content-Type: application/json' -d '{"from": "v-2"}'""" in text
    assert "until the demo ends; with --no-wait that is now" in " ".join(text.split())
    assert "still runs" not in text


def test_nothing_is_proposed_to_roll_back_where_nothing_was_promoted() -> None:
    text = report(story())
    assert text.count("curl -s") == 2
    assert "rollback" not in text


def test_the_interval_covers_the_mean_of_a_known_change() -> None:
    low, high = bootstrap_interval(np.random.default_rng(0).normal(0.1, 0.3, 400), confidence=0.95, seed=1)
    assert low < 0.1 < high
    assert high - low == pytest.approx(2 * 1.96 * 0.3 / 20, rel=0.2)


def test_judged_queries_are_held_out_and_the_same_each_time() -> None:
    assert sorted(pick_judged(collection(), 3)) == ["q2", "q3"]
    assert pick_judged(collection(), 3) == pick_judged(collection(), 3)


def test_what_users_did_and_how_they_rated_under_both_rankings() -> None:
    run = {"id": "r" * 8, "version": "v-2", "state": "promoted", "report": {"end": "every replica serves it"}}
    felt = {"v-1": Experience(200, 90, 40, 140), "v-2": Experience(100, 60, 20, 84)}
    text = " ".join(report(story(runs=[run], experiences=felt)).split())
    assert "Under the first ranking users clicked in 45% of 200 searches and gave 3.50 of 5 stars (40 ratings)" in text
    assert "Under the new one users clicked in 60% of 100 searches and gave 4.20 of 5 stars (20 ratings)" in text


def test_it_ends_with_the_verdict_in_a_sentence_and_the_lists_side_by_side() -> None:
    verdict = {"decision": "promote", "reason": "proven"}
    card = {"sentence": "The new ranking wins.", "searches": 9, "days": 1.0, "verdict": verdict}
    text = report(story(experiments=[card | {"experiment": {"plan": {"kind": "interleaving"}}}]))
    end = text.split("In a sentence")[1]
    assert "The new ranking wins." in end
    assert "third words" in end.split("The new ranking wins.")[1]
    assert "No candidate came to an experiment" in report(story()).split("In a sentence")[1]
