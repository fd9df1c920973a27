"""Past queries ranked by another version, from the log that the service keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console
from typer.testing import CliRunner

from clickloop.cli.main import app
from clickloop.cli.whatif.commands import print_changes
from clickloop.container import Container
from clickloop.whatif import find_versions, what_if
from collector.join.batch import fold_batch
from foundation.contracts import Document, FeedbackEvent, Impression, ShownResult
from foundation.database.engine import transaction
from foundation.errors import NotFound
from foundation.registry.registry import Version
from retrainer.gate.off_policy import OffPolicyEstimate
from retrainer.whatif.changes import WhatIf

WORDS = ("alpha", "beta", "gamma", "delta")
DOCUMENTS = [Document(word, word, f"All about {word}, and alpha.") for word in WORDS]
DAY = timedelta(days=1)


@pytest.fixture
def place(parts: Container) -> Container:
    parts.catalog.upsert("default", DOCUMENTS)
    parts.hotswap.install("default", parts.baseline)
    by_meaning = replace(parts.baseline, fusion="linear", weights={"bm25": -3.0, "dense": 0.0})
    at = parts.clock.now()
    parts.registry.register(Version("default", by_meaning.id, "", "approved", "", by_meaning, {}, {}, at))
    return parts


def ask(place: Container, people: int) -> None:
    at = place.clock.now() - timedelta(hours=1)
    records: list[Impression | FeedbackEvent] = []
    for number in range(people):
        shown = tuple(ShownResult(word, rank, 1.0, "control", 0.5) for rank, word in enumerate(WORDS, start=1))
        name = f"q{number}"
        interleaved = Impression(
            "default", name, "Alpha", f"u{number}", "v", shown, at, "e-1", "interleaved", drawn_by=f"u{number}", run=1
        )
        click = FeedbackEvent("default", f"{name}/c", "click", name, "alpha", "", 0.0, at, at)
        records += [interleaved, click]
    with transaction(place.engine) as connection:
        fold_batch(connection, records, place.settings)


def look(place: Container, since: timedelta = DAY) -> tuple[WhatIf, OffPolicyEstimate]:
    other = next(one for one in place.registry.list("default") if one.id != place.baseline.id)
    versions = find_versions(place, "default", "", other.id)
    return what_if(place, "default", versions, place.clock.now() - since, limit=10, progress=lambda _: None)


def test_what_changes_is_told_by_searches_and_what_interleaved_clicks_say(place: Container) -> None:
    ask(place, people=150)
    found, estimate = look(place)
    assert (found.asked, found.searches) == (1, 150)
    assert found.queries[0].query == "alpha"
    assert found.queries[0].before[0] == "alpha"
    assert found.queries[0].after[0] != "alpha"
    assert estimate.lists == 150
    assert estimate.change < 0  # everybody clicked what the other version moves down
    console = Console(record=True, width=120)
    print_changes(console, found, estimate)
    assert "1 queries, asked 150 times: 0% of the searches get the same results" in console.export_text()


def test_the_same_version_changes_nothing(place: Container) -> None:
    ask(place, people=150)
    versions = find_versions(place, "default", "", place.baseline.id)
    found, estimate = what_if(place, "default", versions, place.clock.now() - DAY, limit=10, progress=lambda _: None)
    assert (found.unchanged, found.moved, found.queries) == (1.0, 0.0, [])
    assert (estimate.change, estimate.coverage) == (0.0, 1.0)


def test_queries_of_few_people_and_of_other_days_are_not_asked(place: Container) -> None:
    with pytest.raises(NotFound, match="no query was asked by"):
        look(place)
    ask(place, people=1)
    with pytest.raises(NotFound, match="no query was asked by"):
        look(place)
    ask(place, people=50)
    with pytest.raises(NotFound):
        look(place, since=timedelta(minutes=1))


def test_an_unknown_version_is_named(place: Container) -> None:
    with pytest.raises(NotFound, match="v-nothing"):
        find_versions(place, "default", "", "v-nothing")


def test_a_day_that_is_none_is_refused() -> None:
    result = CliRunner().invoke(app, ["whatif", "v-1", "--since", "yesterday"])
    assert result.exit_code == 2
    assert "--since" in result.output
