"""Orders candidates by what is known of them: the engine's own order, then evidence, memory and learned features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foundation.arrays import Doubles, Flags, Floats
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.index.fields.normalised import normalise
from serving.index.fields.table import FieldTable
from serving.index.fingerprint import count_bits, fingerprint
from serving.order.candidates import Candidate, engine_prior
from serving.ranking.click_boost import add_boosts
from serving.ranking.features import COLUMN, FEATURES, REMEMBERED, fill_memory
from serving.ranking.fusion import fuse_learned
from serving.ranking.memory import Recalled
from serving.ranking.pipeline import RankedHit, Ranker, Ranking
from serving.ranking.retrieval import retrieve
from serving.ranking.stage_timer import StageTimer


def order_candidates(
    candidates: Sequence[Candidate],
    k: int,
    *,
    ranker: Ranker,
    query: Query,
    timer: StageTimer,
    owner: Doubles | None = None,
) -> Ranking:
    """Return the best `k` of an engine's candidates.

    Without evidence the answer is the engine's own order, whatever the text says: nothing shows that another one is
    better. What moves a document is what people chose: under this query (click boost), under queries like it
    (memory), and what a version has learned from both, of documents in the catalog by all of their features. What is
    not known of a document counts as the mean of those of which it is.

    Args:
        candidates: In the engine's order, each id once.
        owner: What the owner's settings add to each, in log-odds; None for nothing.
    """
    memory = ranker.recall(query)
    boosts = ranker.read_boosts(query)
    timer.end("memory")
    engine = engine_prior(candidates)
    learned = _weigh(candidates, ranker, query, memory)
    timer.end("features")
    shaped = np.zeros(len(candidates)) if owner is None else owner
    before = (engine + learned + shaped).astype(np.float32)
    places = {one.id: place for place, one in enumerate(candidates)}
    boosted = add_boosts(before, boosts, places)
    parts = {"engine": engine, "learned": learned, "owner": shaped, "evidence": (boosted - before).astype(np.float64)}
    ranking = rank_by(candidates, boosted.astype(np.float64), parts, k)
    timer.end("fuse")
    return ranking


def keep_order(candidates: Sequence[Candidate], k: int) -> Ranking:
    """Return the first `k` candidates as the engine has them, as where nothing is known of the collection."""
    engine = engine_prior(candidates)
    return rank_by(candidates, engine, {"engine": engine}, k)


def rank_by(candidates: Sequence[Candidate], scores: Doubles, parts: dict[str, Doubles], k: int) -> Ranking:
    """Return the best `k` candidates by their scores; of equal ones the engine's first."""
    best = np.argsort(-scores, kind="stable")[:k].tolist()
    told = {name: values.tolist() for name, values in parts.items()}
    hits = [
        RankedHit(
            row=place,
            document_id=candidates[place].id,
            score=float(scores[place]),
            parts={name: values[place] for name, values in told.items()},
        )
        for place in best
    ]
    return Ranking(hits, list(range(len(candidates))))


def _weigh(candidates: Sequence[Candidate], ranker: Ranker, query: Query, memory: Recalled) -> Doubles:
    """Return what was learned of each candidate; only a version with learned weights reads more than its memory."""
    fields = ranker.model.fields
    values = np.zeros((len(candidates), len(FEATURES) + len(fields)), np.float32)
    if ranker.model.fusion == "linear":
        _fill_known(values, candidates, ranker, query)
    fill_memory(values, [one.id for one in candidates], memory)
    if fields:
        values[:, len(FEATURES) :] = normalise(table_of(candidates, ranker.corpus), np.arange(len(candidates)), fields)
    names = (*FEATURES, *fields)
    weighed: Doubles = fuse_learned(values, ranker.model.fusion, ranker.model.weights, names).astype(np.float64)
    return weighed


def table_of(candidates: Sequence[Candidate], corpus: Corpus) -> FieldTable:
    """Return the fields of candidates by their place: as they were sent, else as the catalog has them."""
    table = FieldTable(corpus.fields.types)
    for place, one in enumerate(candidates):
        row = None if one.fields else corpus.row(one.id)
        table.add(place, one.fields if row is None else corpus.document(row).fields)
    return table


def _fill_known(values: Floats, candidates: Sequence[Candidate], ranker: Ranker, query: Query) -> None:
    """Fill in the features of documents in the catalog, and of the others their titles and the mean."""
    corpus = ranker.corpus
    known = _features_of_known(candidates, ranker, query)
    places = {one.id: place for place, one in enumerate(candidates)}
    filled = np.zeros(len(candidates), np.bool_)
    for row, features in known:
        place = places[corpus.name(row)]
        values[place], filled[place] = features, True
    if filled.any():
        values[~filled] = values[filled].mean(axis=0)
    values[:, [COLUMN[name] for name in REMEMBERED]] = 0.0  # of all alike, by id
    _fill_titles(values, candidates, filled, query)


def _features_of_known(candidates: Sequence[Candidate], ranker: Ranker, query: Query) -> list[tuple[int, Floats]]:
    """Return row and features of the candidates that the catalog has."""
    corpus: Corpus = ranker.corpus
    rows = [row for one in candidates if (row := corpus.row(one.id)) is not None]
    if not rows:
        return []
    allowed = np.zeros(max(rows) + 1, np.bool_)
    allowed[rows] = True
    names = [corpus.name(row) for row in rows]
    found = ranker.candidates(retrieve(corpus, query, allowed), names)
    return list(zip(found.rows, found.values, strict=True))


def _fill_titles(values: Floats, candidates: Sequence[Candidate], filled: Flags, query: Query) -> None:
    """Compare the query with the titles that were sent of documents outside the catalog."""
    titled = [place for place, one in enumerate(candidates) if one.title and not filled[place]]
    if not titled:
        return
    asked = fingerprint(query.words)
    titles = np.stack([fingerprint(candidates[place].title) for place in titled])
    both = count_bits(titles & asked)
    values[titled, COLUMN["title_covered"]] = both / max(float(count_bits(asked)), 1.0)
    values[titled, COLUMN["title_focus"]] = both / np.maximum(count_bits(titles), 1.0)
