"""Measures a candidate beside its champion, each loaded from its artifacts as a replica would."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from collector.api import InterleavedSearch
from foundation.clock import thread_s
from foundation.contracts import Evidence, Labeller, Manifest, query_key
from retrainer.data.dataset import Dataset, JudgedFold
from retrainer.gate.ablation import QUERIES, Contribution, measure_contributions
from retrainer.gate.comparison import compare, ndcg
from retrainer.gate.measurements import JudgedQueries, Latency, Measurements
from retrainer.gate.off_policy import OffPolicyEstimate, estimate_change, guess_clicks
from retrainer.gate.siblings import CrossFitted
from retrainer.gate.views import DEPTH, View, look
from retrainer.learners.belief import Relevance
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.index.space import Space
from serving.ranking.model import load_model
from serving.ranking.pipeline import Ranker
from serving.ranking.retrieval import FirstStage, retrieve

_TITLES = 200
_TIMED = 50
_MIB = 2.0**20


@dataclass(frozen=True, slots=True)
class Examiner:
    """Opens versions and measures them.

    Attributes:
        open_space: Returns the documents as the encoder of a version reads them.
        fetch: Returns an artifact's bytes by digest.
    """

    open_space: Callable[[Manifest], Space]
    fetch: Callable[[str], bytes]
    labeller: Labeller
    seed: int

    def examine(self, dataset: Dataset, champion: CrossFitted, candidate: CrossFitted) -> Measurements:
        """Return what is measured of a candidate; takes seconds, and minutes with ten thousand judged queries.

        Each fold judges what never learned from it; a fold that one of the two has nothing for does not judge.
        """
        judged = [fold for fold in dataset.folds if champion.before(fold.number) and candidate.before(fold.number)]
        views = self._look(champion, judged), self._look(candidate, judged)
        rows = [row for fold in judged for row in fold.judge]
        old, new = self.open(champion.manifest), self.open(candidate.manifest)
        keys = {row.query_key for row in rows}
        theirs = [retrieve(old.corpus, query) for query in self.ask(champion.manifest, keys)]
        ours = [retrieve(new.corpus, query) for query in self.ask(candidate.manifest, keys)]
        again, memory_mib = self._reopen(candidate.manifest)
        asked = {row.query_key for row in (*dataset.learn, *dataset.judge)}
        titles = {key: known for key, known in draw_titles(new.corpus, self.seed).items() if key not in asked}
        return Measurements(
            comparison=compare(*views, rows, self.labeller),
            clusters=dataset.clusters,
            seed=self.seed,
            champion_tops={one.query.key: _rank(old, one) for one in theirs},
            candidate_tops={one.query.key: _rank(new, one) for one in ours},
            sibling_tops=views[1].tops if dataset.cross_fitted else {},
            surfaces=dataset.surfaces,
            off_policy=self._estimate(dataset.interleaved, rows, *views),
            contributions=self._contribute(dataset, candidate.manifest),
            known_items=self._compare(titles, champion.manifest, candidate.manifest),
            gold=self._compare(dataset.gold, champion.manifest, candidate.manifest),
            latency=_time(old, new, theirs[:_TIMED], ours[:_TIMED]),
            reloaded_otherwise=tuple(one.query.key for one in ours[:_TIMED] if _rank(new, one) != _rank(again, one)),
            memory_mib=memory_mib,
        )

    def _estimate(
        self, lists: Sequence[InterleavedSearch], rows: list[Evidence], champion: View, candidate: View
    ) -> OffPolicyEstimate | None:
        """Return what interleaved lists of the judged queries say, None where there are none."""
        known = [one for one in lists if one.query_key in champion.tops]
        if not known:
            return None
        guess = guess_clicks(rows, (champion, candidate), self.labeller)
        return estimate_change(known, champion.tops, candidate.tops, guess)

    def _look(self, version: CrossFitted, folds: list[JudgedFold]) -> View:
        """Return how a version sees the queries of some folds, each by what never learned from it."""
        tops: dict[str, list[str]] = {}
        beliefs: Relevance = {}
        for fold in folds:
            manifest = version.before(fold.number)
            if manifest is not None:
                seen = look(self.open(manifest), self.ask(manifest, {row.query_key for row in fold.judge}))
                tops |= seen.tops
                beliefs |= seen.beliefs
        return View(tops, beliefs)

    def open(self, manifest: Manifest) -> Ranker:
        """Return the ranker of a version."""
        space = self.open_space(manifest)
        dimension = space.corpus.dense.dimension
        return Ranker(space.corpus, load_model(manifest, self.fetch, space.embedder.embed_queries, dimension))

    def ask(self, manifest: Manifest, keys: Iterable[str]) -> list[Query]:
        """Return queries as the encoder of a version reads them, in the order of their keys."""
        return encode_queries(self.open_space(manifest), keys)

    def _contribute(self, dataset: Dataset, candidate: Manifest) -> dict[str, Contribution]:
        clicked = sorted({row.query_key for row in dataset.learn if sum(row.clicked) > 0})
        measured = np.random.default_rng(self.seed).permutation(clicked)[:QUERIES].tolist()
        return measure_contributions(candidate, self.open, self.ask(candidate, measured), dataset.learn)

    def _reopen(self, candidate: Manifest) -> tuple[Ranker, float]:
        """Return the candidate loaded once more, and the MiB that its parts take."""
        tracemalloc.start()
        try:
            again = self.open(candidate)
            return again, tracemalloc.get_traced_memory()[0] / _MIB
        finally:
            tracemalloc.stop()

    def _compare(self, known: Mapping[str, Mapping[str, float]], *versions: Manifest) -> JudgedQueries:
        """Return how good champion and candidate are on queries whose answers are known, by query and document."""
        keys = sorted(key for key in known if any(known[key].values()))
        rankers = [(self.open(version), self.ask(version, keys)) for version in versions]
        before, after = (
            np.array([ndcg(_rank(ranker, retrieve(ranker.corpus, one)), known[one.key]) for one in queries])
            for ranker, queries in rankers
        )
        return JudgedQueries(keys, before, after)


def encode_queries(space: Space, keys: Iterable[str]) -> list[Query]:
    """Return queries by their keys, in the order of these."""
    asked = sorted(keys)
    return [Query(key, key, vector) for key, vector in zip(asked, space.embedder.embed_queries(asked), strict=True)]


def draw_titles(corpus: Corpus, seed: int) -> dict[str, dict[str, float]]:
    """Return titles as queries by key, each with the drawn documents that are called so."""
    drawn = np.random.default_rng(seed).permutation(sorted(corpus.ids()))[:_TITLES].tolist()
    known: dict[str, dict[str, float]] = {}
    for name in drawn:
        row = corpus.row(name)
        key = query_key(corpus.document(row).title) if row is not None else ""
        if key:
            known.setdefault(key, {})[name] = 1.0
    return known


def _rank(ranker: Ranker, first_stage: FirstStage) -> list[str]:
    return [hit.document_id for hit in ranker.rank(first_stage, DEPTH).hits]


def _time(old: Ranker, new: Ranker, theirs: list[FirstStage], ours: list[FirstStage]) -> Latency | None:
    """Return how long both take, in turns."""
    took: tuple[list[float], list[float]] = ([], [])
    for pair in zip(theirs, ours, strict=True):
        for ranker, one, times in zip((old, new), pair, took, strict=True):
            began_s = thread_s()
            ranker.rank(one, DEPTH)
            times.append(1000 * (thread_s() - began_s))
    return Latency(median(took[0]), median(took[1])) if took[0] else None
