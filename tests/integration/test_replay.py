"""Evidence can be counted again from what is stored, whole or from a moment on."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from clickloop.cli.main import app
from clickloop.container import Container
from collector.join.batch import fold_batch
from collector.join.evidence import evidence_digest
from collector.join.replay import replay
from collector.tables import evidence, impressions
from foundation.contracts import FeedbackEvent, Impression, ShownResult
from foundation.database.engine import reading, transaction
from foundation.errors import NotFound
from foundation.settings import Settings

SETTINGS = Settings(_env_file=None)
FIRST = datetime(2026, 1, 5, tzinfo=UTC)
SECOND = FIRST + timedelta(days=7)


def two_weeks() -> list[Impression | FeedbackEvent]:
    content: list[Impression | FeedbackEvent] = []
    for number, at in enumerate((FIRST, FIRST, SECOND, SECOND)):
        results = (ShownResult("a", 1, 1.0), ShownResult("b", 2, 0.5))
        content += [
            Impression("default", f"q{number}", "toner", f"u{number}", "v-1", results, at),
            FeedbackEvent("default", f"e{number}", "click", f"q{number}", "a", "", 0.0, at, at),
        ]
    return content


def spoil(engine: sa.Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(sa.update(evidence).values(users=77))
        connection.execute(sa.update(impressions).values(clicks=9))


def users(engine: sa.Engine) -> list[int]:
    statement = sa.select(evidence.c.users).where(evidence.c.document_id == "a").order_by(evidence.c.period)
    with reading(engine) as connection:
        return list(connection.execute(statement).scalars())


def test_a_replay_from_a_moment_leaves_the_weeks_before_it_alone(any_engine: sa.Engine) -> None:
    with transaction(any_engine) as connection:
        fold_batch(connection, two_weeks(), SETTINGS)
    spoil(any_engine)

    assert replay(any_engine, "default", SETTINGS, SECOND + timedelta(days=1)) == 2

    assert users(any_engine) == [77, 2]


def test_a_replay_from_a_moment_of_sound_evidence_changes_nothing(any_engine: sa.Engine) -> None:
    with transaction(any_engine) as connection:
        fold_batch(connection, two_weeks(), SETTINGS)
    before = evidence_digest(any_engine, "default")

    for moment in (FIRST - timedelta(days=90), FIRST, SECOND, SECOND + timedelta(days=90)):
        replay(any_engine, "default", SETTINGS, moment)
        assert evidence_digest(any_engine, "default") == before


@pytest.mark.parametrize("since", [(), ("--since", "2026-01-05"), ("--since", "2026-01-05T00:00:00+0100")])
def test_the_command_tells_the_digests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, since: tuple[str, ...]) -> None:
    monkeypatch.setenv("CLICKLOOP_HOME", str(tmp_path))
    container = Container(Settings())
    with transaction(container.engine) as connection:
        fold_batch(connection, two_weeks(), SETTINGS)
    sound = evidence_digest(container.engine, "default")
    spoil(container.engine)

    told = json.loads(CliRunner().invoke(app, ["replay", "--json", *since]).stdout)

    assert told["impressions"] == 4
    assert told["digest_after"] == sound != told["digest_before"]
    assert "as before" in CliRunner().invoke(app, ["replay", *since]).stdout


def test_a_collection_that_feedback_never_came_for_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKLOOP_HOME", str(tmp_path))
    nothing = CliRunner().invoke(app, ["replay"]).exception
    with transaction(Container(Settings()).engine) as connection:
        fold_batch(connection, two_weeks(), SETTINGS)
    wrong = CliRunner().invoke(app, ["replay", "--collection", "nope"]).exception

    assert isinstance(nothing, NotFound)
    assert str(nothing) == "feedback never came for collection 'default', nor for any other"
    assert isinstance(wrong, NotFound)
    assert str(wrong) == "feedback never came for collection 'nope'; there are default"


def test_a_log_is_not_replayed_from_a_moment(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["replay", "--from", str(tmp_path / "a.csv"), "--since", "2026-01-05"])

    assert result.exit_code == 2
