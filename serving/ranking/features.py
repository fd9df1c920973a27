"""What is known of a query and its candidate documents, as a matrix that every fusion reads."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from foundation.arrays import Floats, Ints
from serving.index.corpus import Corpus
from serving.index.fields.normalised import normalise
from serving.index.fingerprint import count_bits
from serving.ranking.adaptation import Adapter, Shifted
from serving.ranking.memory import Recalled
from serving.ranking.retrieval import DENSE_CANDIDATES, FirstStage, is_near
from serving.ranking.tower.vectors import TowerVectors

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
    "memory_best",
    "memory_words_best",
    "popular",
    "title_covered",
    "title_focus",
    "length",
    "tower",
)
"""Names of the columns, in order.

bm25: log(1 + BM25). bm25_share: BM25 as a share of this query's best. text_share: the same of the text
without the title. dense: cosine of the best passage. dense_share: the same rescaled, so that the mean of
the corpus is 0 and this query's best is 1; the best is below 1 where it is hardly nearer than the mean, or no nearer
than it would be to a text without sense.
dense_mean: cosine of the document's mean. adapted and adapted_mean: dense and dense_mean under the adapted
query; the mean includes the document's residual. memory and memory_words: what users of queries alike in
meaning and in spelling chose, summed. memory_best and memory_words_best: what one of these queries says at most.
popular: what users chose under any query. title_covered: share of the query's trigrams that the title has. title_focus:
share of the title's trigrams that the query has. length: log(1 + number of passages). tower: cosine under the static
tower; 0 in a version without one.
"""

NEVER_HARMFUL = ("memory", "memory_words", "memory_best", "memory_words_best")
"""Columns of what users of similar queries chose: no fusion weighs them below 0, or it would punish popularity."""

REMEMBERED = (*NEVER_HARMFUL, "popular")
"""Columns of what users chose, under queries alike or under any."""

COLUMN = {name: index for index, name in enumerate(FEATURES)}

SHIFTED_CANDIDATES = 50
REMEMBERED_CANDIDATES = 50

_MIN_NEARNESS = 0.1
"""Cosine beyond the corpus mean from which a best passage counts as near; a filter may leave nothing near."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Documents that could answer a query.

    Attributes:
        rows: Rows of the corpus, each once.
        values: Float32 of shape (len(rows), len(names)).
        names: Names of the columns: `FEATURES`, then those of fields.
    """

    rows: list[int]
    values: Floats
    names: tuple[str, ...] = FEATURES


def gather(
    corpus: Corpus,
    first_stage: FirstStage,
    *,
    adapter: Adapter | None,
    shifted: Shifted,
    memory: Recalled,
    tower: TowerVectors | None = None,
    documents: Collection[str] = (),
    fields: tuple[str, ...] = (),
) -> Candidates:
    """Return the candidates of a query with their features.

    Args:
        shifted: The document vectors that the version's residuals move.
        memory: What users of other queries chose.
        tower: The documents as the version's static tower reads them.
        documents: Ids that must be among the candidates.
        fields: Further columns, of `serving.index.fields.normalised`.
    """
    query, allowed = first_stage.query, first_stage.allowed
    adapted = adapter.adapt(query.vector) if adapter else query.vector
    rows = dict.fromkeys((*first_stage.lexical, *first_stage.near))
    if adapter and query.has_meaning and (first_stage.makes_sense or is_near(corpus, adapted, query)):
        rows.update(dict.fromkeys(corpus.dense.search(adapted, DENSE_CANDIDATES, allowed)))
        rows.update(dict.fromkeys(_nearest_shifted(shifted, adapted)))
    far = tower.read(query) if tower else None
    if tower and far is not None and far.any():
        rows.update(dict.fromkeys(tower.search(far, allowed)))
    named = (*_best(memory.meaning), *_best(memory.spelling), *documents)
    rows.update(dict.fromkeys(row for document in named if (row := corpus.row(document)) is not None))
    alive = np.fromiter(rows, np.int64, len(rows))
    alive = alive[corpus.columns.alive[alive]]
    if allowed is not None:
        alive = alive[alive < len(allowed)]
        alive = alive[allowed[alive]]
    kept = alive.tolist()
    values = np.zeros((len(kept), len(FEATURES)), dtype=np.float32)
    if kept:
        _fill_lexical(values, kept, corpus, first_stage)
        _fill_dense(values, alive, corpus, queries=(query.vector, adapted), shifted=shifted)
        fill_memory(values, [corpus.name(row) for row in kept], memory)
        if tower and far is not None:
            values[:, COLUMN["tower"]] = tower.similarities(alive, far)
    if fields:
        values = np.hstack([values, normalise(corpus.fields, alive, fields)])
    return Candidates(kept, values, (*FEATURES, *fields))


def _best(chosen: dict[str, float]) -> list[str]:
    return sorted(chosen, key=chosen.__getitem__, reverse=True)[:REMEMBERED_CANDIDATES]


def _nearest_shifted(shifted: Shifted, adapted: Floats) -> list[int]:
    scores = shifted.vectors @ adapted
    kept = min(SHIFTED_CANDIDATES, len(scores))
    best = np.argpartition(scores, len(scores) - kept)[len(scores) - kept :] if kept else np.zeros(0, np.int64)
    rows: list[int] = shifted.rows[best].tolist()
    return rows


def _fill_lexical(values: Floats, rows: list[int], corpus: Corpus, first_stage: FirstStage) -> None:
    lexical, bits = first_stage.lexical, first_stage.trigrams
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
    values: Floats, rows: Ints, corpus: Corpus, *, queries: tuple[Floats, Floats], shifted: Shifted
) -> None:
    """Fill in what the vectors say; `queries` are the query's vector and its adapted one, without adapter the same."""
    query, adapted = queries
    counts = corpus.columns.counts[rows]
    both = np.stack(queries, axis=1) if adapted is not query else query[:, None]
    best = np.tile(corpus.dense.centre() @ both, (len(rows), 1))  # by chance, until a document is embedded
    mean = np.zeros((len(rows), both.shape[1]), np.float32)
    embedded = np.flatnonzero(counts)
    if len(embedded):
        best[embedded], mean[embedded] = corpus.compare(rows[embedded], both)
    index = shifted.index.take(rows, mode="clip")  # a row newer than the shifts clips to the last entry, -1
    moved = index >= 0
    adapted_mean = mean[:, -1].copy()
    adapted_mean[moved] = shifted.vectors[index[moved]] @ adapted
    values[:, COLUMN["dense"]] = best[:, 0]
    values[:, COLUMN["adapted"]] = best[:, -1]
    values[:, COLUMN["dense_mean"]] = mean[:, 0]
    values[:, COLUMN["adapted_mean"]] = adapted_mean
    values[:, COLUMN["length"]] = np.log1p(counts)
    centre, nearest = float(corpus.dense.centre() @ query), float(best[:, 0].max())
    share = (best[:, 0] - centre) / max(nearest - centre, _MIN_NEARNESS)
    values[:, COLUMN["dense_share"]] = np.float32(corpus.noise.certainty(nearest)) * share


def fill_memory(values: Floats, ids: Sequence[str], memory: Recalled) -> None:
    """Fill in what users chose of documents, one a row of the features, by their ids."""
    if memory.choices:
        columns = {
            "memory": memory.meaning,
            "memory_words": memory.spelling,
            "memory_best": memory.best_meaning,
            "memory_words_best": memory.best_spelling,
        }
        for name, chosen in columns.items():
            if chosen:
                values[:, COLUMN[name]] = np.log1p([chosen.get(document, 0.0) for document in ids])
        popular = sum(np.array([chosen.get(document, 0.0) for document in ids]) for chosen in memory.choices)
        values[:, COLUMN["popular"]] = np.log1p(popular)
