"""From judgments to a version with an encoder of its own: trained, exported, embedded, gated, and served."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from ab_testing.api import Assignments
from clickloop.container import Container
from clickloop.training import must_forget, train_once
from foundation.contracts import Document
from foundation.errors import Conflict
from foundation.registry.registry import Version
from foundation.settings import Settings
from retrainer.data import splits
from retrainer.gate.checks import change
from retrainer.learners.encoder import tuning
from retrainer.timetable import ErasureRetraining
from serving.live import failures
from tests.small_transformer import make_small_transformer
from tests.tiny_encoder import make_tiny_model

WORDS = ("red", "blue", "green", "round", "flat", "tall", "old", "new", "loud", "calm")
ASKED = ("crimson", "azure", "emerald", "circular", "level", "high", "ancient", "fresh", "noisy", "quiet")
FORMS = ("{0} {1}", "{1} {0}", "{0} {0} {1}", "{1} {1} {0}")
DOCUMENTS = [
    Document(f"{one}-{other}", f"{one} {other}", f"It is {one} and {other}.") for one, other in combinations(WORDS, 2)
]


def make_container(home: Path, model: Path, **changes: Any) -> Container:
    settings = Settings(home=home, model=str(model), encoder_threads=1, log_level="error", **changes)
    container = Container(settings)
    container.catalog.upsert("default", DOCUMENTS)
    return container


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    folder = tmp_path / "judged"
    (folder / "qrels").mkdir(parents=True)
    corpus, queries, qrels = [], [], ["query-id\tcorpus-id\tscore"]
    for document, asked in zip(DOCUMENTS, combinations(ASKED, 2), strict=True):
        corpus.append({"_id": document.id, "title": document.title, "text": document.text})
        for number, form in enumerate(FORMS):
            query = f"{document.id}-{number}"
            queries.append({"_id": query, "text": form.format(*asked)})
            qrels.append(f"{query}\t{document.id}\t1")
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (folder / "qrels" / "train.tsv").write_text("\n".join(qrels))
    return folder


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_judgments_become_a_version_that_serves(judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "TuningPlan", partial(tuning.TuningPlan, epochs=8, learning_rate=2e-2))
    monkeypatch.setattr(splits, "_SAME_MEANING", 0.9999)  # random weights find most texts alike
    monkeypatch.setattr(failures, "_LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(change, "MIN_OVERLAP", 0.0)  # and show anything
    monkeypatch.setattr(change, "MAX_DRIFT", 2.0)
    container = make_container(tmp_path / "home", make_small_transformer(tmp_path / "base"))
    told: list[str] = []
    found = train_once(container, "default", told.append, "encoder", judged)
    version = container.registry.get("default", found["version"])
    assert version.lineage["learners"] == "encoder"
    assert version.lineage["encoder_mrr"] > version.lineage["encoder_mrr_before"]
    assert version.manifest.encoder != container.encoder.digest
    assert version.status == "approved", version.reason
    assert any("pairs a second" in line for line in told)
    assert any("changes taken in" in line for line in told)
    assert list((container.settings.home / "tuning").iterdir()) == []

    container.build("default", version.manifest.encoder, version.manifest.encoder_form)
    container.hotswap.promote("default", version.id, "by hand")
    loader = container.make_loader(Assignments(container.engine, container.clock))
    for _ in range(3):
        loader.follow()
    assert loader.collection("default").champion == version.id

    again = train_once(container, "default", told.append, "fast", judged)  # on top of the encoder that serves now
    assert container.registry.get("default", again["version"]).manifest.encoder == version.manifest.encoder
    container.content.close()
    container.engine.dispose()


def test_an_encoder_that_learned_from_an_erased_person_is_not_built_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = make_container(tmp_path, make_tiny_model(tmp_path))
    container.hotswap.install("default", container.baseline)
    tuned = replace(container.baseline, encoder="tuned-int8")
    at = container.clock.now()
    learned = Version("default", tuned.id, "", "approved", "", tuned, {}, {}, created_at=at)
    later = replace(learned, manifest=(fast := replace(tuned, weights={"bm25": 1.0})), id=fast.id)
    for version in (learned, later):
        container.registry.register(version)
    assert not must_forget(container, later)
    monkeypatch.setattr(ErasureRetraining, "tainted", lambda *_: frozenset({learned.id}))
    assert must_forget(container, later)
    assert not must_forget(container, container.registry.get("default", container.baseline.id))
    container.engine.dispose()


def test_a_collection_that_is_too_large_keeps_its_encoder(judged: Path, tmp_path: Path) -> None:
    container = make_container(tmp_path, make_tiny_model(tmp_path), encoder_documents=44)
    with pytest.raises(Conflict, match="CLICKLOOP_ENCODER_DOCUMENTS allows 44"):
        train_once(container, "default", lambda _: None, "encoder", judged)
    container.engine.dispose()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_student_is_taught_and_judged_like_any_encoder(
    judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(splits, "_SAME_MEANING", 0.9999)  # random weights find most texts alike
    base = make_small_transformer(tmp_path / "base", layers=2)
    container = make_container(tmp_path / "home", base, student_layers=1, student_dimension=16)
    told: list[str] = []
    found = train_once(container, "default", told.append, "student", judged)
    version = container.registry.get("default", found["version"])
    assert version.status in {"approved", "refused"}
    assert version.lineage["learners"] == "student"
    assert (version.lineage["student_layers"], version.lineage["student_dimension"]) == (1, 16)
    assert 0 < version.lineage["teacher_mrr"] <= 1
    embedder = container.encoders.of(version.manifest, container.registry.artifacts.get)
    assert embedder.encoder.dimension == 16
    assert all(
        any(what in line for line in told) for what in ("teacher: step", "imitation: step", "distillation: step")
    )
    assert list((container.settings.home / "tuning").iterdir()) == []
    container.content.close()
    container.engine.dispose()
