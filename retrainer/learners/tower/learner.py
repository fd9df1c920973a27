"""Learns a static tower for a corpus, from the word vectors of the encoder of the settings."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from sentence_transformers import SentenceTransformer

from foundation.arrays import Floats, Ints
from retrainer.learners.adapter import Judgments
from retrainer.learners.tower.training import learn_table
from serving.index.corpus import Corpus
from serving.ranking.tower.pieces import WordPieces, text_of
from serving.ranking.tower.static_tower import StaticTower

DIMENSION = 256
"""Of the tower's vectors: what a search compares and a version carries grows with it."""

_TOKENIZER = "tokenizer.json"


class TowerLearner:
    """Learns towers over one corpus, each from the same beginning; its documents are cut into pieces once.

    Args:
        base: Folder of the encoder whose word vectors are taken.
    """

    def __init__(self, base: Path, corpus: Corpus) -> None:
        self._base = base
        self._corpus = corpus
        self._pieces = WordPieces((base / _TOKENIZER).read_text(encoding="utf-8"))

    def learn(self, judgments: Judgments, seed: int) -> StaticTower:
        """Return the tower that labels teach; see `LearnsTower.learn`."""
        ids, changes, documents = self._documents
        queries = self._pieces.share(list(judgments.keys))
        tower = StaticTower(learn_table(self._start, queries, documents, judgments, seed), self._pieces)
        return tower.with_documents(ids, changes, tower.pool(documents))

    @cached_property
    def _documents(self) -> tuple[list[str], Ints, csr_array]:
        """Ids, change numbers and shares of pieces of the corpus' documents."""
        ids = self._corpus.ids()
        rows = [row for name in ids if (row := self._corpus.row(name)) is not None]
        texts = [text_of(self._corpus.document(row)) for row in rows]
        return ids, self._corpus.columns.changes[rows].astype(np.int64), self._pieces.share(texts)

    @cached_property
    def _start(self) -> Floats:
        """The encoder's word vectors in fewer dimensions, those of pieces that many documents have made shorter.

        A piece counts by the root of its inverse document frequency, as a share of that of a piece in one document.
        """
        model: Floats = _read_words(self._base)[: self._pieces.size]
        centred = model - model.mean(axis=0)
        _, directions = np.linalg.eigh(centred.T @ centred)
        kept = centred @ directions[:, ::-1][:, :DIMENSION]
        _, _, documents = self._documents
        having = np.bincount(documents.indices, minlength=self._pieces.size)[: len(kept)] + 1
        count = documents.shape[0] + 1
        rare = np.sqrt(np.log(1 + count / having) / np.log(1 + count))
        length = float(np.linalg.norm(kept, axis=1).mean())
        return np.ascontiguousarray(kept * rare[:, None] / max(length, 1e-9), np.float32)


def _read_words(base: Path) -> Floats:
    """Return the vectors of an encoder's word pieces, float32 of shape (pieces, dimension)."""
    transformer: Any = SentenceTransformer(str(base), device="cpu", local_files_only=True)[0]
    words: Floats = transformer.auto_model.get_input_embeddings().weight.detach().float().numpy()
    return words
