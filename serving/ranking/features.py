"""What is known of a query and its candidate documents, as a matrix that every fusion reads."""

from __future__ import annotations

from collections.abc import Collection, Container
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.index.fingerprint import Bits, count_bits, fingerprint
from serving.ranking.adaptation import Adapter, Residuals
from serving.ranking.memory import QueryMemory
from serving.ranking.stage_timer import StageTimer

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

FEATURES = (
    "bm25",
    "bm25_share",
    "text_share",
    "dense",
    "dense_share",
    "dense_mean",
    "adapted",
    "adapted_mean",
    "memory",
    "memory_words",
    "title_covered",
    "title_focus",
    "length",
)
"""Names of the columns, in order.

bm25, log(1 + BM25); bm25_share, BM25 by the best of this query; text_share,
the same of the text without the title; dense, cosine of the best passage;
dense_share, the same rescaled so that the corpus mean is 0 and the best is 1, or less than 1 where the
best is no nearer than most; dense_mean, cosine of the document's mean; adapted and adapted_mean, the
same two under the adapted query, with the document's residual in the second; memory and memory_words,
choices of users of queries alike in meaning and in spelling; title_covered and title_focus, share
of the query's trigrams that the title has, and of the title's that the query has; length, log(1 + number
of passages).
"""

COLUMN = {name: place for place, name in enumerate(FEATURES)}

LEXICAL_CANDIDATES = 150
TEXT_SCORES = 400
DENSE_CANDIDATES = 200
SHIFTED_CANDIDATES = 50
REMEMBERED_CANDIDATES = 50

_MIN_NEARNESS = 0.1
"""Cosine beyond the corpus mean from which a best passage is near: under filters it may be nearer to nothing."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Documents that could answer a query.

    Attributes:
        rows: Rows of the corpus, each once.
        values: Float32 of shape (len(rows), len(FEATURES)).
    """

    rows: list[int]
    values: Floats


class Representation(Protocol):
    """What a version knows beyond the corpus; implemented by `serving.ranking.model.RankingModel`."""

    @property
    def adapter(self) -> Adapter | None: ...  # noqa: D102  described by RankingModel
    @property
    def residuals(self) -> Residuals | None: ...  # noqa: D102  described by RankingModel
    @property
    def memory(self) -> QueryMemory: ...  # noqa: D102  described by RankingModel


@dataclass(frozen=True, slots=True)
class Shifted:
    """The shifted document vectors of one version over one state of a corpus.

    Attributes:
        rows: Rows of the documents that moved, shape (n,).
        vectors: Their unit vectors, float32 of shape (n, dimension).
        place: Place in `vectors` by corpus row, -1 for the others; the last entry stands for newer rows.
    """

    rows: Ints
    vectors: Floats
    place: Ints


def shift_documents(corpus: Corpus, residuals: Residuals | None) -> Shifted:
    """Return d' = unit(d + e) for the documents of the corpus that have a residual."""
    found = [
        (row, place)
        for place, document in enumerate(residuals.ids if residuals else ())
        if (row := corpus.row(document)) is not None
    ]
    rows = np.array([row for row, _ in found], dtype=np.int64)
    moved = corpus.means(rows)
    if residuals is not None and found:
        moved = moved + residuals.shifts[[place for _, place in found]]
    place = np.full(len(corpus.columns.starts) + 1, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    return Shifted(rows, (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32), place)


@dataclass(frozen=True, slots=True)
class FirstStage:
    """What a corpus says of a query whatever the version; learners ask again and again.

    Attributes:
        lexical: BM25 by row, best first.
        text: BM25 of the text alone by row.
        near: Rows of the nearest passages, best first.
        spelling: Trigram bitmap of the query.
    """

    lexical: dict[int, float]
    text: dict[int, float]
    near: list[int]
    spelling: Bits


def read(corpus: Corpus, query: Query, allowed: Flags | None = None, timer: StageTimer | None = None) -> FirstStage:
    """Return what the lexical and the dense index say of a query.

    Args:
        allowed: When given, rows that count.
        timer: Takes the time of each index.
    """
    timer = timer or StageTimer()
    lexical = corpus.lexical.search(query.text, LEXICAL_CANDIDATES, allowed)
    text = corpus.lexical.search(query.text, TEXT_SCORES, allowed, fields=("text",))
    timer.end("lexical")
    near = corpus.dense.search(query.vector, DENSE_CANDIDATES, allowed) if query.has_meaning else []
    timer.end("dense")
    return FirstStage(lexical, text, near, fingerprint(query.text))


@dataclass(frozen=True, slots=True)
class RankingContext:
    """What the moment adds to a version: fresher memory, keys to leave out, rows allowed.

    Attributes:
        live: Memory of queries whose evidence is newer than the version's own memory.
        live_keys: Their keys; the version's memory of them is left out.
        without: Query keys that no memory may use.
        documents: Ids that must be among the candidates, as those with own evidence.
        allowed: When given, only these rows may be candidates.
        first_stage: What the corpus says of the query, when it has been read before.
    """

    live: QueryMemory | None = None
    live_keys: Container[str] = ()
    without: Container[str] = ()
    documents: Collection[str] = ()
    allowed: Flags | None = None
    first_stage: FirstStage | None = None


def gather(
    corpus: Corpus, version: Representation, shifted: Shifted, query: Query, context: RankingContext
) -> Candidates:
    """Return the candidates of a query with their features."""
    first_stage = context.first_stage or read(corpus, query, context.allowed)
    adapted = version.adapter.adapt(query.vector) if version.adapter else query.vector
    meaning, spelling = _recall(version, query, context)
    rows = dict.fromkeys((*first_stage.lexical, *first_stage.near))
    if version.adapter and query.has_meaning:
        rows.update(dict.fromkeys(corpus.dense.search(adapted, DENSE_CANDIDATES, context.allowed)))
        rows.update(dict.fromkeys(_nearest_shifted(shifted, adapted)))
    for document in (*_best(meaning), *_best(spelling), *context.documents):
        row = corpus.row(document)
        if row is not None:
            rows[row] = None
    found = np.fromiter(rows, np.int64, len(rows))
    found = found[corpus.columns.alive[found]]
    if context.allowed is not None:
        found = found[found < len(context.allowed)]
        found = found[context.allowed[found]]
    kept = found.tolist()
    values = np.zeros((len(kept), len(FEATURES)), dtype=np.float32)
    if kept:
        _fill_lexical(values, kept, corpus, first_stage)
        _fill_dense(values, kept, corpus, query.vector, adapted, shifted)
        _fill_memory(values, kept, corpus, meaning, spelling)
    return Candidates(kept, values)


def _recall(
    version: Representation, query: Query, context: RankingContext
) -> tuple[dict[str, float], dict[str, float]]:
    meaning, spelling = version.memory.recall(query.key, query.vector, context.live_keys, context.without)
    if context.live is not None:
        live_meaning, live_spelling = context.live.recall(query.key, query.vector, context.without)
        meaning, spelling = _sum(meaning, live_meaning), _sum(spelling, live_spelling)
    return meaning, spelling


def _sum(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    return {document: one.get(document, 0.0) + other.get(document, 0.0) for document in one | other}


def _best(chosen: dict[str, float]) -> list[str]:
    return sorted(chosen, key=chosen.__getitem__, reverse=True)[:REMEMBERED_CANDIDATES]


def _nearest_shifted(shifted: Shifted, adapted: Floats) -> list[int]:
    scores = shifted.vectors @ adapted
    kept = min(SHIFTED_CANDIDATES, len(scores))
    best = np.argpartition(scores, len(scores) - kept)[len(scores) - kept :] if kept else np.zeros(0, np.int64)
    rows: list[int] = shifted.rows[best].tolist()
    return rows


def _fill_lexical(values: Floats, rows: list[int], corpus: Corpus, first_stage: FirstStage) -> None:
    lexical, bits = first_stage.lexical, first_stage.spelling
    scores = np.array([lexical.get(row, 0.0) for row in rows], dtype=np.float32)
    values[:, COLUMN["bm25"]] = np.log1p(scores)
    values[:, COLUMN["bm25_share"]] = scores / max(max(lexical.values(), default=0.0), 1e-9)
    text = np.array([first_stage.text.get(row, 0.0) for row in rows], dtype=np.float32)
    values[:, COLUMN["text_share"]] = text / max(max(first_stage.text.values(), default=0.0), 1e-9)
    titles = corpus.columns.titles[rows]
    both = count_bits(titles & bits)
    values[:, COLUMN["title_covered"]] = both / max(float(count_bits(bits)), 1.0)
    values[:, COLUMN["title_focus"]] = both / np.maximum(count_bits(titles), 1.0)


def _fill_dense(
    values: Floats, rows: list[int], corpus: Corpus, query: Floats, adapted: Floats, shifted: Shifted
) -> None:
    places = np.asarray(rows, np.int64)
    counts = corpus.columns.counts[places]
    both = np.stack([query, adapted], axis=1)
    best = np.tile(corpus.dense.centre() @ both, (len(rows), 1))  # by chance, until a document is embedded
    mean = np.zeros((len(rows), 2), np.float32)
    embedded = np.flatnonzero(counts)
    if len(embedded):
        best[embedded], mean[embedded] = corpus.compare(places[embedded], both)
    place = shifted.place.take(places, mode="clip")  # a row newer than the shifts clips to the last, -1
    moved = place >= 0
    mean[moved, 1] = shifted.vectors[place[moved]] @ adapted
    values[:, COLUMN["dense"]] = best[:, 0]
    values[:, COLUMN["adapted"]] = best[:, 1]
    values[:, COLUMN["dense_mean"]] = mean[:, 0]
    values[:, COLUMN["adapted_mean"]] = mean[:, 1]
    values[:, COLUMN["length"]] = np.log1p(counts)
    centre = float(corpus.dense.centre() @ query)
    values[:, COLUMN["dense_share"]] = (best[:, 0] - centre) / max(float(best[:, 0].max()) - centre, _MIN_NEARNESS)


def _fill_memory(
    values: Floats, rows: list[int], corpus: Corpus, meaning: dict[str, float], spelling: dict[str, float]
) -> None:
    if not meaning and not spelling:
        return
    ids = [corpus.name(row) for row in rows]
    values[:, COLUMN["memory"]] = np.log1p([meaning.get(name, 0.0) for name in ids])
    values[:, COLUMN["memory_words"]] = np.log1p([spelling.get(name, 0.0) for name in ids])
