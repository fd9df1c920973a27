"""Fine-tuning learns what pairs say, goes on after a kill, and never leaves an encoder worse than before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from foundation.arrays import Floats
from retrainer.learners.encoder.pairs import TrainingPair
from retrainer.learners.encoder.tuning import TunedEncoder, TuningPlan, tune_encoder

pytestmark = pytest.mark.usefixtures("one_thread")

ANSWERS = ("card", "loan", "visa", "cash", "rate", "bank", "tax", "rent")
ASKED = ("plastic", "credit", "travel", "money", "interest", "house", "duty", "flat")
PLAN = TuningPlan(epochs=8, batch=8, at_once=8, learning_rate=2e-2, save_every=5)


def pairs(prefix: str) -> list[TrainingPair]:
    return [
        TrainingPair(f"{prefix} {asked}", f"about the {answer}", 1.0)
        for asked, answer in zip(ASKED, ANSWERS, strict=True)
    ]


def tune(base: Path, folder: Path, plan: TuningPlan = PLAN, told: list[str] | None = None) -> TunedEncoder:
    learned, held_out = pairs("my") + pairs("our"), pairs("a")
    told = [] if told is None else told
    return tune_encoder(base, learned, held_out, folder=folder, plan=plan, seed=3, progress=told.append)


def encode(model: Path, texts: list[str]) -> Floats:
    vectors: Floats = SentenceTransformer(str(model)).encode(texts, show_progress_bar=False)
    return vectors


def test_it_learns_and_says_how_far_it_is(base: Path, tmp_path: Path) -> None:
    told: list[str] = []
    tuned = tune(base, tmp_path / "tuning", told=told)
    assert tuned.share > 0
    assert tuned.quality[tuned.share] > tuned.quality[0.0] + 0.3
    assert any("step 2 of 16" in line for line in told)
    assert (tuned.model / "model.safetensors").exists()
    assert (tuned.model / "tokenizer.json").exists()


def test_low_rank_changes_are_merged_into_plain_weights(base: Path, tmp_path: Path) -> None:
    plan = replace(PLAN, learning_rate=3e-2, low_rank=True)
    tuned = tune(base, tmp_path / "tuning", plan)
    assert tuned.quality[tuned.share] > tuned.quality[0.0]
    assert not np.allclose(encode(tuned.model, ["my card"]), encode(base, ["my card"]))


@pytest.mark.parametrize("low_rank", [False, True])
def test_what_was_learned_before_a_kill_is_gone_on_with(base: Path, tmp_path: Path, low_rank: bool) -> None:
    plan = replace(PLAN, low_rank=low_rank)

    class Killed(BaseException):
        pass

    def kill(line: str) -> None:
        if "step 11 of" in line:
            raise Killed

    learned, held_out, folder = pairs("my") + pairs("our"), pairs("a"), tmp_path / "tuning"
    with pytest.raises(Killed):
        tune_encoder(base, learned, held_out, folder=folder, plan=plan, seed=3, progress=kill)
    half_written = folder / "checkpoints" / "checkpoint-99"
    half_written.mkdir()
    (half_written / "trainer_state.json").write_text('{"global_st')
    told: list[str] = []
    tuned = tune(base, folder, plan, told)
    steps = [line for line in told if "step" in line]
    assert "step 11 of" in steps[0]
    whole = tune(base, tmp_path / "whole", plan)
    assert tuned.steps == whole.steps
    np.testing.assert_allclose(encode(tuned.model, ["my card"]), encode(whole.model, ["my card"]), atol=1e-3)


def test_it_stops_when_its_time_is_over(base: Path, tmp_path: Path) -> None:
    tuned = tune(base, tmp_path / "tuning", TuningPlan(epochs=12, batch=8, limit_s=0.0))
    assert tuned.steps == 1


def test_an_encoder_that_got_no_better_stays_as_it_was(base: Path, tmp_path: Path) -> None:
    tuned = tune(base, tmp_path / "tuning", TuningPlan(epochs=1, batch=8, learning_rate=0.0))
    assert tuned.share == 0.0
    np.testing.assert_allclose(encode(tuned.model, ["my card"]), encode(base, ["my card"]), atol=1e-6)
