"""MLflow hears of every candidate, and a server that refuses costs nobody a candidate."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pytest

from retrainer.tracking.mlflow_tracker import MlflowTracker
from tests.candidates import CANDIDATE


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")  # MLflow's own, for its store in SQL
def test_a_candidate_becomes_a_run(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'mlflow.db'}"

    MlflowTracker(url).record(CANDIDATE)

    (run,) = mlflow.search_runs(experiment_names=["clickloop-default"], output_format="list")
    assert run.info.run_name == CANDIDATE.id
    assert run.data.params == {"data_digest": "abc", "labels": "12"}
    assert run.data.metrics == {"judged": 40.0, "change": -0.01}
    assert run.data.tags["status"] == "refused"


def test_a_server_that_refuses_costs_no_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_name: str) -> None:
        raise mlflow.exceptions.MlflowException("no")

    monkeypatch.setattr(mlflow, "set_experiment", refuse)
    MlflowTracker("sqlite:///:memory:").record(CANDIDATE)
