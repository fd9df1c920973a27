from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.search.recipes.tutorial import TutorialSearch

AXES = ("printer", "paper", "password")
DOCUMENTS = [{"id": word, "title": word, "text": f"All about the {word} of the house"} for word in AXES]


class Encoder:
    """Stands for the model: one axis a word."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def encode(self, texts: list[str], **_: object) -> Any:
        return np.array([[float(word in text) for word in AXES] for text in texts], np.float32)


@pytest.fixture
def search(monkeypatch: pytest.MonkeyPatch) -> TutorialSearch:
    monkeypatch.setattr("benchmarks.search.recipes.tutorial.SentenceTransformer", Encoder)
    return TutorialSearch(DOCUMENTS)


def test_words_and_meaning_are_fused_by_their_ranks(search: TutorialSearch) -> None:
    scores = search.search("the password please", depth=3)
    assert next(iter(scores)) == "password"
    assert scores["password"] == pytest.approx(2 / 61)


def test_a_collection_smaller_than_the_depth_gives_nobody_points_for_missing_places(search: TutorialSearch) -> None:
    scores = search.search("printer", depth=100)
    assert next(iter(scores)) == "printer"
    assert sum(scores.values()) == pytest.approx(2 * (1 / 61 + 1 / 62 + 1 / 63))
