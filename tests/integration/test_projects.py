"""The guide's projects from a folder to their page and pictures."""

from __future__ import annotations

import json
from functools import partial
from itertools import combinations
from pathlib import Path

import pytest

from clickloop.cli.projects import clauses
from clickloop.container import Container
from foundation.settings import Settings
from retrainer.data import splits
from retrainer.learners.encoder import tuning
from simulator.collection import JudgedCollection, write_beir
from tests.pictures import read_picture
from tests.small_transformer import make_small_transformer
from tests.tiny_encoder import make_tiny_model

WORDS = ("red", "blue", "green", "round", "flat", "tall", "old", "new", "loud", "calm")
ASKED = ("crimson", "azure", "emerald", "circular", "level", "high", "ancient", "fresh", "noisy", "quiet")
FORMS = ("{0} {1}", "{1} {0}", "{0} {0} {1}", "{1} {1} {0}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A judged folder in which every document is asked for in words of its own."""
    documents = [
        {
            "id": f"{one}-{other}",
            "title": f"{one} {other}",
            "text": f"It is {one} and {other}.",
            "url": "",
            "fields": {},
        }
        for one, other in combinations(WORDS, 2)
    ]
    queries: dict[str, str] = {}
    qrels: dict[str, dict[str, dict[str, int]]] = {"train": {}, "test": {}}
    for place, (document, asked) in enumerate(zip(documents, combinations(ASKED, 2), strict=True)):
        for number, form in enumerate(FORMS):
            query = f"{document['id']}-{number}"
            queries[query] = form.format(*asked)
            qrels["test" if (place + number) % 4 == 0 else "train"][query] = {str(document["id"]): 1}
    write_beir(JudgedCollection(documents, queries, qrels), tmp_path / "judged")
    return tmp_path / "judged"


def make_container(home: Path, model: Path) -> Container:
    return Container(Settings(home=home, model=str(model), encoder_threads=1, log_level="error"))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_retriever_is_tuned_and_compared_on_unseen_queries(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "TuningPlan", partial(tuning.TuningPlan, epochs=8, learning_rate=2e-2))
    monkeypatch.setattr(splits, "_SAME_MEANING", 0.9999)  # random weights find most texts alike
    container = make_container(tmp_path / "home", make_small_transformer(tmp_path / "base"))
    page = clauses.run(container, folder, tmp_path / "out", seed=0, tell=lambda _: None)
    means = page.facts["systems"]
    assert list(means) == ["bm25", "dense", "rrf", "dense, tuned", "rrf, tuned", "version"]
    assert means["dense, tuned"]["RR@10"] > means["dense"]["RR@10"] + 0.05
    assert (tmp_path / "out" / "report.html").exists()

    page.write(tmp_path / "out")
    written = (tmp_path / "out" / "page.md").read_text()
    assert "| dense, tuned |" in written
    assert "(retriever.svg)" in written
    assert read_picture((tmp_path / "out" / "retriever.svg").read_text()).tag.endswith("svg")
    assert json.loads((tmp_path / "out" / "facts.json").read_text())["training"]["learners"] == "encoder"
    container.engine.dispose()


def test_a_retriever_that_learned_nothing_says_why(folder: Path, tmp_path: Path) -> None:
    (folder / "qrels" / "train.tsv").write_text("red-blue-1\tred-blue\t1\n")
    container = make_container(tmp_path, make_tiny_model(tmp_path))
    page = clauses.run(container, folder, tmp_path / "out", seed=0, tell=lambda _: None)
    assert list(page.facts["systems"]) == ["bm25", "dense", "rrf"]
    assert page.notes[0].startswith("Nothing was changed: ")
    container.engine.dispose()
