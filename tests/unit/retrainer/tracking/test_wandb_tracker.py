"""W&B keeps every candidate on disk without asking anybody, and a service that refuses costs nobody a candidate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.candidates import CANDIDATE

wandb = pytest.importorskip("wandb", reason="the extra wandb is not installed")


@pytest.fixture(autouse=True)
def nobody_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_a_candidate_becomes_a_run_on_disk(tmp_path: Path) -> None:
    from retrainer.tracking.wandb_tracker import WandbTracker  # noqa: PLC0415  needs the extra

    WandbTracker("shop search", "offline", tmp_path).record(CANDIDATE)

    (kept,) = (tmp_path / "wandb").glob("offline-run-*/*.wandb")
    written = kept.read_bytes()
    for said in (CANDIDATE.id, "shop search", "default", "refused", "not better", "data_digest", "judged", "-0.01"):
        assert said.encode() in written, said


def test_a_service_that_refuses_costs_no_candidate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from retrainer.tracking.wandb_tracker import WandbTracker  # noqa: PLC0415  needs the extra

    asked: list[dict[str, Any]] = []

    def refuse(**run: Any) -> None:
        asked.append(run)
        raise wandb.errors.CommError("no")

    monkeypatch.setattr(wandb, "init", refuse)
    WandbTracker("shop search", "online", tmp_path).record(CANDIDATE)
    assert len(asked) == 1
