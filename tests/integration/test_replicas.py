"""Two replicas rank alike, however the changes of the catalog came to each."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

from foundation.arrays import Floats
from foundation.contracts import Document, Manifest
from foundation.ids import digest_bytes
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.index.lexical.index import LexicalIndex
from serving.index.lexical.storage import share_index
from serving.index.snapshot import LEXICAL, IndexSnapshot
from serving.ranking.model import load_model
from serving.ranking.pipeline import Ranker
from tests.plain_embedder import PlainEmbedder

DIMENSION = 48
DOCUMENTS = 300
CHANGES = 1000
QUERIES = 500
WORDS = [
    f"{one}{two}{three}" for one in "bdfgklmnprst" for two in ("a", "e", "io", "u") for three in ("n", "rt", "st", "lm")
]


def embed(texts: list[str]) -> Floats:
    """Return a vector of each text by its words alone."""
    vectors = [sum((_vector(word) for word in text.lower().split()), _vector("")) for text in texts]
    units: Floats = np.array([one / np.linalg.norm(one) for one in vectors], np.float32)
    return units


def _vector(word: str) -> Floats:
    seed = int(digest_bytes(word.encode())[:8], 16)
    drawn: Floats = np.random.default_rng(seed).standard_normal(DIMENSION).astype(np.float32)
    return drawn


EMBEDDER = PlainEmbedder(embed)
MODEL = load_model(Manifest(encoder="words"), lambda _: b"", embed, DIMENSION)


def write(rng: random.Random) -> str:
    """Return a text whose words are as unequally frequent as those of a language."""
    return " ".join(WORDS[min(int(rng.paretovariate(0.6)), len(WORDS)) - 1] for _ in range(rng.randint(2, 40)))


def make_changes(seed: int) -> list[Document]:
    rng = random.Random(seed)
    texts: dict[str, tuple[str, str]] = {}
    changes: list[Document] = []
    for number in range(1, DOCUMENTS + CHANGES + 1):
        kind = rng.random() if number > DOCUMENTS else 0.0
        name = f"d{number}" if kind < 0.4 else rng.choice(sorted(texts))
        deleted = kind > 0.7
        if deleted:
            texts.pop(name)
        else:
            same_as_another = texts and rng.random() < 0.05  # documents that tie
            texts[name] = rng.choice(sorted(texts.values())) if same_as_another else (write(rng)[:40], write(rng))
        title, text = texts.get(name, ("", ""))
        changes.append(Document(id=name, title=title, text=text, change=number, deleted=deleted))
    return changes


def take_in(corpus: Corpus, changes: list[Document], batch: Callable[[], int]) -> Corpus:
    start = 0
    while start < len(changes):
        end = start + batch()
        corpus.apply(changes[start:end], EMBEDDER)
        start = end
    return corpus


def seal(corpus: Corpus, folder: Path) -> None:
    """Write a corpus whose words are in `folder` as a snapshot."""
    corpus.lexical.compact()
    corpus.lexical.close()
    corpus.seal(folder)


def over_snapshot(folder: Path, changes: list[Document], batch: Callable[[], int]) -> Corpus:
    """Return a replica that began with a snapshot and took in what came after."""
    share_index(folder / LEXICAL, folder / "copy")
    corpus = Corpus(DIMENSION, IndexSnapshot.open(folder), LexicalIndex(folder / "copy"))
    corpus.calibrate(EMBEDDER)
    return take_in(corpus, [one for one in changes if one.change > corpus.change], batch)


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> list[Corpus]:
    folder = tmp_path_factory.mktemp("snapshot")
    changes = make_changes(11)
    sizes = random.Random(5)
    half = DOCUMENTS + CHANGES // 2
    seal(take_in(Corpus(DIMENSION, lexical=LexicalIndex(folder / LEXICAL)), changes[:half], lambda: 211), folder)
    return [
        take_in(Corpus(DIMENSION), changes, lambda: len(changes)),
        take_in(Corpus(DIMENSION), changes, lambda: sizes.randint(1, 60)),
        over_snapshot(folder, changes, lambda: sizes.randint(1, 200)),
    ]


def test_replicas_give_the_same_order_and_the_same_scores(replicas: list[Corpus]) -> None:
    rng = random.Random(7)
    first, *others = [Ranker(corpus, MODEL) for corpus in replicas]
    for _ in range(QUERIES):
        words = [rng.choice(WORDS) for _ in range(rng.randint(1, 4))]
        text = " ".join(word[:-1] if rng.random() < 0.1 else word for word in words)
        query = Query(text, text, embed([text])[0])
        expected = first.search(query, 10).hits
        for other in others:
            found = other.search(query, 10).hits
            assert [hit.document_id for hit in found] == [hit.document_id for hit in expected], text
            assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-6)


def test_replicas_correct_slips_alike(replicas: list[Corpus]) -> None:
    rng = random.Random(8)
    slips = [word[:at] + word[at + 1 :] for word in WORDS for at in [rng.randrange(len(word))]]
    corrected = [[corpus.lexical.correct(slip) for slip in slips] for corpus in replicas]

    assert corrected[0] == corrected[1] == corrected[2]


def test_replicas_know_the_same_noise(replicas: list[Corpus]) -> None:
    first, *others = replicas
    assert first.noise.usual > -1
    for other in others:
        assert astuple(other.noise) == pytest.approx(astuple(first.noise), abs=1e-6)
        assert other.dense.centre().tolist() == first.dense.centre().tolist()
