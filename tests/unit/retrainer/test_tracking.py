"""MLflow hears of every candidate, and a server that refuses costs nobody a candidate."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import mlflow
import pytest

from foundation.contracts import Manifest
from foundation.registry.registry import Version
from retrainer.tracking import Tracker

MANIFEST = Manifest("encoder", fusion="linear")
CANDIDATE = Version(
    collection="default",
    id=MANIFEST.id,
    parent="v-0",
    status="refused",
    reason="not better",
    manifest=MANIFEST,
    lineage={"data_digest": "abc", "labels": 12},
    metrics={"judged": 40, "change": -0.01},
    created_at=datetime(2026, 1, 5, tzinfo=UTC),
)


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")  # MLflow's own, for its store in SQL
def test_a_candidate_becomes_a_run(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'mlflow.db'}"

    Tracker(url).record(CANDIDATE)

    (run,) = mlflow.search_runs(experiment_names=["clickloop-default"], output_format="list")
    assert run.info.run_name == CANDIDATE.id
    assert run.data.params == {"data_digest": "abc", "labels": "12"}
    assert run.data.metrics == {"judged": 40.0, "change": -0.01}
    assert run.data.tags["status"] == "refused"


def test_a_server_that_refuses_costs_no_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_name: str) -> None:
        raise mlflow.exceptions.MlflowException("no")

    monkeypatch.setattr(mlflow, "set_experiment", refuse)
    Tracker("sqlite:///:memory:").record(CANDIDATE)
