"""How much of a collection's quality the closed loop recovers from clicks alone.

Simulated users search and click; votes are folded, live evidence takes effect at once, and a model
is learned at set numbers of clicks, by the code that serves and trains in production, in one
process. The learner sees clicks only: neither judgments nor the parameters of the users.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.baselines import label_by_rate, label_doubly_robust
from collector.fold import Counts, Outcome, ShownList, count_votes, difference
from collector.labels import label
from foundation.clock import monotonic_s
from foundation.contracts import PRIOR_CURVE, ClickCurve, Document, Evidence, Label, Labeller, query_key
from foundation.settings import Settings
from retrainer.learning import Learned, learn, prepare_lesson
from serving.engine.corpus import Corpus
from serving.engine.encoder import open_encoder
from serving.engine.features import Query
from serving.engine.live import LiveMemory
from serving.engine.memory import QueryMemory, Remembered
from serving.engine.model import RankingModel
from serving.engine.pipeline import Ranker
from serving.engine.vectors import VectorStore
from simulator.collection import JudgedCollection, Judgments, read_beir
from simulator.quality import ndcg
from simulator.traffic import Traffic
from simulator.users import User, make_user

Floats = npt.NDArray[np.float32]
Progress = Callable[[str], None]

DEPTH = 10
HELD_OUT_BOUND = 0.05
CLICKED_BOUND = 0.10
PRODUCTION_BOUND = 0.60
RETRAINING_BOUND_S = 60.0
RETRAINED_AT = (1 / 30, 1 / 15, 2 / 15, 1 / 5, 1 / 3, 1 / 2, 2 / 3, 5 / 6, 1.0)
"""Shares of all clicks at which a model is learned; among them 1,000 and 5,000 of 15,000."""

_REFRESHED_EVERY = 20
_QUICK_DOCUMENTS = 300
_START = datetime(2026, 1, 5, tzinfo=UTC)
_BETWEEN_SEARCHES = timedelta(seconds=60)


class World:
    """A judged collection in memory, its queries by their keys.

    Attributes:
        asked: Grades by key and document of the queries that users ask.
        held_out: The same of queries that nobody asks in a simulation.
    """

    def __init__(self, collection: JudgedCollection, embed: Callable[[list[str]], Floats], dimension: int) -> None:
        self.collection = collection
        self.asked = self._by_key("train")
        self.held_out = {key: grades for key, grades in self._by_key("test").items() if key not in self.asked}
        keys = sorted(self.asked | self.held_out)
        self._vectors = dict(zip(keys, embed(keys), strict=True))
        self._production: dict[str, float] = {}
        self.corpus = Corpus(dimension)
        self.corpus.apply(
            [
                Document(document["id"], document["title"], document["text"], change=change)
                for change, document in enumerate(collection.documents, start=1)
            ],
            embed,
        )

    def encode(self, keys: list[str]) -> Floats:
        """Return the vectors of query keys, float32 of shape (len(keys), dimension)."""
        return np.stack([self._vectors[key] for key in keys])

    def query(self, key: str) -> Query:
        """Return a query by its key."""
        return Query(key, key, self._vectors[key])

    def untaught(self) -> RankingModel:
        """Return the production ranking: the hybrid with untuned fusion, and no memory."""
        return RankingModel(QueryMemory([], self.corpus.dense.dimension))

    def model(self, learned: Learned, change: int) -> RankingModel:
        """Return what was learned as a version that knows the evidence up to `change`."""
        past = [Remembered(key, self._vectors[key], chosen) for key, chosen in learned.choices.items()]
        return RankingModel(
            memory=QueryMemory(past, self.corpus.dense.dimension),
            adapter=learned.adaptation.adapter,
            residuals=learned.adaptation.residuals(learned.documents),
            memory_change=change,
            fusion="linear",
            weights=learned.weights,
            curve=learned.curve,
        )

    def quality(self, ranker: Ranker, keys: Iterable[str]) -> float:
        """Return the mean nDCG@10 of a ranker over queries, asked or held out."""
        rankings = {key: [hit.document_id for hit in ranker.rank(self.query(key), DEPTH).hits] for key in keys}
        return fmean(ndcg(self.asked | self.held_out, rankings).values())

    def production_quality(self, keys: Iterable[str]) -> float:
        """Return the mean nDCG@10 of the production ranking over queries."""
        if not self._production:
            ranker = Ranker(self.corpus, self.untaught())
            everything = self.asked | self.held_out
            lists = {key: [hit.document_id for hit in ranker.rank(self.query(key), DEPTH).hits] for key in everything}
            self._production.update(ndcg(everything, lists))
        return fmean(self._production[key] for key in keys)

    def _by_key(self, split: str) -> Judgments:
        found: Judgments = {}
        for query, grades in self.collection.split(split).items():
            if any(grade > 0 for grade in grades.values()):
                found.setdefault(query_key(self.collection.queries[query]), {}).update(grades)
        return found


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to run the loop.

    Attributes:
        user: Family of the users.
        labeller: How clicks become labels.
        closed: Whether what is learned, and live evidence, rank what is shown next; otherwise
            production ranks all of it, and one model is learned at the end.
    """

    name: str
    user: str = "trust"
    labeller: Labeller = label
    closed: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """Quality at one moment of one run, nDCG@10.

    Attributes:
        held_out: On the held-out queries.
        held_out_before: The production ranking on the same.
        clicked: On the queries that had a click by then.
        clicked_before: The production ranking on the same.
        retraining_s: Duration of the last training.
    """

    name: str
    clicks: int
    held_out: float
    held_out_before: float
    clicked: float
    clicked_before: float
    retraining_s: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the row, with its gains over production."""
        return {
            "what": self.name,
            "clicks": self.clicks,
            "held_out": round(self.held_out, 4),
            "held_out_gain": round(self.held_out - self.held_out_before, 4),
            "clicked": round(self.clicked, 4),
            "clicked_gain": round(self.clicked - self.clicked_before, 4),
            "retraining_s": round(self.retraining_s, 1),
        }


class Votes:
    """Clicks folded into evidence, as the collector folds them."""

    def __init__(self, lists_per_user: int) -> None:
        self._lists_per_user = lists_per_user
        self._lists: dict[tuple[str, int], list[ShownList]] = {}
        self._counts: dict[str, dict[str, Counts]] = {}
        self.clicks = 0

    def add(self, key: str, person: int, shown: ShownList) -> None:
        """Count a list that a person saw for a query."""
        lists = self._lists.setdefault((key, person), [])
        before = count_votes(lists, self._lists_per_user)
        lists.append(shown)
        counts = self._counts.setdefault(key, {})
        for document, change in difference(before, count_votes(lists, self._lists_per_user)).items():
            counts[document] = counts.get(document, Counts()).plus(change)
        self.clicks += len(shown.outcome.clicked)

    def clicked(self) -> list[str]:
        """Return the queries that had a click."""
        return [key for key, counts in self._counts.items() if any(count.users for count in counts.values())]

    def evidence(self, keys: Iterable[str] | None = None) -> list[Evidence]:
        """Return the evidence of some queries, of all when None."""
        return [
            Evidence(key, document, tuple(map(float, count.shown)), tuple(map(float, count.clicked)), count.users)
            for key in (sorted(self._counts) if keys is None else keys)
            for document, count in self._counts[key].items()
        ]


class Simulation:
    """One run of one setting.

    Args:
        clicks: How many clicks it lasts.
    """

    def __init__(self, world: World, setting: Setting, clicks: int, seed: int) -> None:
        self._world = world
        self._setting = setting
        self._clicks = clicks
        self._seed = seed
        self._user: User = make_user(setting.user, max_grade=world.collection.max_grade)
        self._traffic = Traffic(world.collection, seed)
        self._live = LiveMemory(lambda key: world.query(key).vector, world.corpus.dense.dimension)
        self._ranker = Ranker(world.corpus, world.untaught(), self._live if setting.closed else None)
        self._votes = Votes(Settings.model_fields["lists_per_user"].default)
        self._waiting: set[str] = set()
        self._number = 0

    def run(self, progress: Progress) -> list[Row]:
        """Return the quality after each training."""
        rows = []
        for share in RETRAINED_AT if self._setting.closed else (1.0,):
            goal = round(share * self._clicks)
            while self._votes.clicks < goal:
                self._search()
            seconds = self._retrain()
            row = self._measure(goal, seconds)
            progress(f"{self._setting.name}, seed {self._seed}: {row.to_json()}")
            rows.append(row)
        return rows

    def _search(self) -> None:
        visit = self._traffic.visit(self._number)
        key = query_key(self._world.collection.queries[visit.query_id])
        grades = self._world.asked.get(key, {})
        found = [hit.document_id for hit in self._ranker.rank(self._world.query(key), DEPTH).hits]
        clicked = self._user.clicks([grades.get(name, 0) for name in found], self._traffic.chance(self._number))
        ranks = {name: rank for rank, name in enumerate(found, start=1)}
        at = _START + self._number * _BETWEEN_SEARCHES
        self._votes.add(key, visit.person, ShownList(str(self._number), at, ranks, Outcome(clicked=tuple(clicked))))
        self._waiting.add(key)
        self._number += 1
        if self._number % _REFRESHED_EVERY == 0:
            self._refresh()

    def _refresh(self) -> None:
        self._live.update(self._votes.evidence(sorted(self._waiting)), self._number)
        self._waiting.clear()

    def _retrain(self) -> float:
        self._refresh()
        started = monotonic_s()
        lesson = prepare_lesson(self._votes.evidence(), self._world.encode)
        learned = learn(lesson, self._world.corpus, self._setting.labeller, self._seed)
        model = self._world.model(learned, self._number)
        self._ranker = Ranker(self._world.corpus, model, self._live)
        return monotonic_s() - started

    def _measure(self, clicks: int, seconds: float) -> Row:
        held_out, clicked = list(self._world.held_out), self._votes.clicked()
        return Row(
            name=self._setting.name,
            clicks=clicks,
            held_out=self._world.quality(self._ranker, held_out),
            held_out_before=self._world.production_quality(held_out),
            clicked=self._world.quality(self._ranker, clicked),
            clicked_before=self._world.production_quality(clicked),
            retraining_s=seconds,
        )


SETTINGS = (
    Setting("closed loop"),
    Setting("closed loop, cascade users", user="cascade"),
    Setting("closed loop, naive click rates", labeller=label_by_rate),
    Setting("closed loop, doubly-robust labels", labeller=label_doubly_robust),
    Setting("static log", closed=False),
)


def run(
    collection: Path, clicks: int, seeds: Sequence[int], quick: bool, progress: Progress = lambda _: None
) -> dict[str, Any]:
    """Return the bars "loop.2a" to "loop.2c" and "loop.8b", with all settings side by side.

    The bars are means over all seeds of the closed loop with trust-bias users; the other settings
    run on the first seed only. Takes about half an hour on two cores for 15,000 clicks and three
    seeds, of which the first embedding of 2,500 documents is a minute.

    Args:
        collection: Folder in BEIR form with the splits "train" and "test".
        quick: A small part of the collection, 1,500 clicks at most, the first seed only; the bars
            are then measured but binding is only that nothing gets worse.

    Raises:
        NotFound: The folder holds no such collection.
    """
    started = monotonic_s()
    judged = read_beir(collection)
    if quick:
        judged, clicks, seeds = _shrink(judged), min(clicks, 1500), seeds[:1]
    world = open_world(judged, Settings())
    settings = SETTINGS[:1] if quick else SETTINGS
    runs = [Simulation(world, settings[0], clicks, seed).run(progress) for seed in seeds]
    others = [Simulation(world, setting, clicks, seeds[0]).run(progress)[-1] for setting in settings[1:]]
    table = [_mean(rows) for rows in zip(*runs, strict=True)]
    production = replace(table[-1], name="production", clicks=0, held_out=table[-1].held_out_before)
    production = replace(production, clicked=production.clicked_before, retraining_s=0.0)
    rows = [production, *_chosen(table, clicks), *others, _skyline(world, table[-1])]
    return {
        "bench": "loop",
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "seed": list(seeds),
        "seconds": round(monotonic_s() - started, 1),
        "bars": _bars(table[-1], quick),
        "table": [row.to_json() for row in rows],
    }


def open_world(collection: JudgedCollection, settings: Settings) -> World:
    """Return a collection encoded and indexed; vectors are kept in the home folder of the settings."""
    home = Path(settings.home)
    encoder = open_encoder(settings.model, home / "onnx", settings.encoder_precision, settings.encoder_threads)
    store = VectorStore(home / "vectors" / encoder.digest, encoder.dimension)
    return World(collection, lambda texts: store.embed(texts, encoder.encode), encoder.dimension)


def _skyline(world: World, last: Row) -> Row:
    """Return what the same learner reaches with every judgment of every query that users may ask."""
    evidence = [
        Evidence(key, name, (0.0,), (0.0,))
        for key, grades in world.asked.items()
        for name in grades
        if grades[name] > 0
    ]
    learned = learn(prepare_lesson(evidence, world.encode), world.corpus, _Judge(world), seed=0, passes=1)
    ranker = Ranker(world.corpus, world.model(learned, 0))
    quality = world.quality(ranker, world.held_out)
    return Row("skyline: full labels", 0, quality, last.held_out_before, last.clicked, last.clicked_before)


@dataclass(frozen=True, slots=True)
class _Judge:
    """A labeller that knows the judgments."""

    world: World

    def __call__(
        self, evidence: list[Evidence], prior: dict[str, dict[str, float]], curve: ClickCurve | None
    ) -> tuple[list[Label], ClickCurve]:
        best = self.world.collection.max_grade
        labels = [
            Label(row.query_key, row.document_id, self.world.asked[row.query_key][row.document_id] / best, 1.0)
            for row in evidence
        ]
        return labels, curve or PRIOR_CURVE


def _bars(last: Row, quick: bool) -> list[dict[str, Any]]:
    gain, clicked = last.held_out - last.held_out_before, last.clicked - last.clicked_before
    measured = (
        ("loop.2a", "gain in nDCG@10 on held-out queries", gain, 0.0 if quick else HELD_OUT_BOUND),
        ("loop.2b", "gain in nDCG@10 on clicked queries", clicked, 0.0 if quick else CLICKED_BOUND),
        ("loop.2c", "nDCG@10 of the production ranking on held-out queries", last.held_out_before, PRODUCTION_BOUND),
    )
    bars = [
        {"id": name, "what": what, "value": round(value, 4), "bound": bound, "met": value >= bound}
        for name, what, value, bound in measured
    ]
    seconds = round(last.retraining_s, 1)
    met = seconds <= RETRAINING_BOUND_S
    what = f"seconds of a retraining at {last.clicks} clicks"
    return [*bars, {"id": "loop.8b", "what": what, "value": seconds, "bound": RETRAINING_BOUND_S, "met": met}]


def _mean(rows: Sequence[Row]) -> Row:
    numbers = {
        name: fmean(getattr(row, name) for row in rows)
        for name in ("held_out", "held_out_before", "clicked", "clicked_before", "retraining_s")
    }
    return replace(rows[0], **numbers)


def _chosen(table: list[Row], clicks: int) -> list[Row]:
    wanted = {round(share * clicks) for share in (1 / 15, 1 / 3, 1.0)}
    return [row for row in table if row.clicks in wanted]


def _shrink(collection: JudgedCollection) -> JudgedCollection:
    """Return the first documents, with the queries that they answer."""
    documents = collection.documents[:_QUICK_DOCUMENTS]
    names = {document["id"] for document in documents}
    qrels = {
        split: {query: grades for query, grades in judgments.items() if grades.keys() <= names}
        for split, judgments in collection.qrels.items()
    }
    return JudgedCollection(documents, collection.queries, qrels)
