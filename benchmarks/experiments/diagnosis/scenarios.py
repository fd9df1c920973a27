"""Versions that the gate finds better, each with one planted cause for which its gain is missing; and one without."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.experiments.diagnosis.product import LiveTraffic, Order, ProductStore, open_store
from benchmarks.experiments.diagnosis.world import DEPTH, QueryWorld, Scores, Users, make_world
from foundation.contracts import CURVE_RANKS, ClickCurve
from retrainer.data.dataset import Dataset
from retrainer.diagnosis.diagnosis import VersionDiagnosis
from retrainer.diagnosis.effects import read_gate

VERSION = "v-candidate"
_QUERIES = 300
_HISTORY = 2500
_PAST = 6
_CHAMPION_SKILL = 1.0
_GAIN = (0.5, 0.9)
"""By how much more skill a better version has, at random."""

_KEPT = 0.7
"""Share of the champion's noise that a version keeps, so that it shows much the same."""


@dataclass(frozen=True, slots=True)
class PlantedCause:
    """What is planted.

    Attributes:
        steepness: How soon users stopped reading before.
        relevant: How many documents answer a query.
        unanswered: Share of the queries that none answers.
        shown_once: Whether users only ever saw the champion's lists before, so that there is no past version either.
        past_arrives: Whether the gains of past versions arrived.
        differs: Share of the queries that judge no version for which the version shows another list.
        gain: By how much more skill it has, at least and at most.
        prefix: How many of the champion's first results it keeps.
        leaked: Share of the judging queries that it learned from.
        unseen: By how much it raises three documents that the champion never shows; 0 where it is better instead.
        gentle: Steepness that the curve takes for granted by which its labels were read; None for the fitted curve.
        too_small: Whether its experiments are too small to find its gain, and do not by luck either.
        live: Its experiments' traffic.
        ab_searches: Searches of its A/B test.
    """

    steepness: float = 1.0
    relevant: int = 2
    unanswered: float = 0.0
    shown_once: bool = False
    past_arrives: bool = True
    differs: float = 1.0
    gain: tuple[float, float] = _GAIN
    prefix: int = 0
    leaked: float = 0.0
    unseen: float = 0.0
    gentle: float | None = None
    too_small: bool = False
    live: LiveTraffic = field(default_factory=lambda: LiveTraffic(2000))
    ab_searches: int = 1500

    @property
    def before(self) -> tuple[object, ...]:
        """What happened before the version: equal for scenarios that may share it."""
        return self.steepness, self.relevant, self.unanswered, self.shown_once, self.past_arrives


def clean(_: np.random.Generator) -> PlantedCause:
    """Return a version whose gain arrives."""
    return PlantedCause()


def few_searches(random: np.random.Generator) -> PlantedCause:
    """Return one whose experiments were much too small."""
    count = int(random.integers(60, 140))
    return PlantedCause(gain=(0.3, 0.5), too_small=True, live=LiveTraffic(count), ab_searches=count)


def equal_lists(random: np.random.Generator) -> PlantedCause:
    """Return one that hardly changes what users ask."""
    return PlantedCause(differs=random.uniform(0.0, 0.3))


def clicks_elsewhere(random: np.random.Generator) -> PlantedCause:
    """Return one that changes what people read down to before, and hardly anybody does by now."""
    live = LiveTraffic(5000, Users(steepness=random.uniform(1.3, 2.2)))
    return PlantedCause(steepness=0.3, relevant=4, gain=(1.5, 3.0), prefix=int(random.integers(2, 5)), live=live)


def learned_by_heart(random: np.random.Generator) -> PlantedCause:
    """Return one that had learned from the queries that judged it."""
    return PlantedCause(leaked=random.uniform(0.4, 1.0))


def other_taste(_: np.random.Generator) -> PlantedCause:
    """Return one that is judged by clicks which say nothing of what users choose, as those before it were."""
    return PlantedCause(past_arrives=False)


def other_queries(random: np.random.Generator) -> PlantedCause:
    """Return one whose users ask other queries by now."""
    return PlantedCause(live=LiveTraffic(2000, unknown=random.uniform(0.45, 0.9)))


def never_shown(random: np.random.Generator) -> PlantedCause:
    """Return one that brings up what nobody had seen."""
    return PlantedCause(unanswered=random.uniform(0.65, 0.8), shown_once=True, unseen=random.uniform(2.5, 3.5))


def slow(random: np.random.Generator) -> PlantedCause:
    """Return one that takes so long that users leave."""
    users = Users(impatience=random.uniform(0.2, 0.35))
    return PlantedCause(live=LiveTraffic(2000, users, slower=random.uniform(0.8, 1.4)), ab_searches=4000)


def shallow_curve(random: np.random.Generator) -> PlantedCause:
    """Return one whose labels were read as if users looked further down than they do."""
    return PlantedCause(gentle=random.uniform(0.0, 0.2), live=LiveTraffic(4000))


SCENARIOS: Mapping[str, Callable[[np.random.Generator], PlantedCause]] = {
    "": clean,
    "power": few_searches,
    "lists": equal_lists,
    "clicks": clicks_elsewhere,
    "leakage": learned_by_heart,
    "agreement": other_taste,
    "drift": other_queries,
    "unjudged": never_shown,
    "latency": slow,
    "position_bias": shallow_curve,
}
"""By the cause that must be named first; none for the empty name."""


@dataclass(frozen=True, slots=True)
class Before:
    """A store with the clicks and the past versions of a collection, at the moment when the next version is trained."""

    store: ProductStore
    champion: Scores
    dataset: Dataset


@contextmanager
def live_before(planted: PlantedCause, random: np.random.Generator) -> Iterator[Before]:
    """Yield what happened before the version."""
    world = make_world(_QUERIES, random, relevant=planted.relevant, unanswered=planted.unanswered)
    champion = world.score(_CHAMPION_SKILL, random)
    older = [] if planted.shown_once else [world.score(_CHAMPION_SKILL / 2, random) for _ in range(3)]
    users = Users(planted.steepness)
    with open_store(world) as store:
        store.search(_HISTORY, [_order(world, scores) for scores in (champion, *older)], users, random)
        before = Before(store, champion, store.freeze())
        for number in range(0 if planted.shown_once else _PAST):
            traffic = LiveTraffic(500, users, world=None if planted.past_arrives else world.shuffled(random))
            name, scores = f"v-past-{number}", _better(world, champion, random)
            store.register(name, before.dataset, (champion, scores))
            orders = _order(world, champion), _order(world, scores)
            store.compare(name, "interleaving", orders, traffic, random)
        yield before


def play(planted: PlantedCause, before: Before, random: np.random.Generator) -> VersionDiagnosis:
    """Train the version, run its experiments, and return what the product says of it.

    An experiment that is to be too small to find what the gate expects is run anew, with a version of its own, where
    luck has it find the gain all the same, or has the gate expect none.
    """
    while True:
        with before.store.copy() as store:
            expected, found = _run(planted, before, store, random)
            if not planted.too_small or (expected and not found):
                return store.diagnose(VERSION)


def _run(planted: PlantedCause, before: Before, store: ProductStore, random: np.random.Generator) -> tuple[bool, bool]:
    """Train the version and run its experiments; return whether a gain is expected, and whether it was found."""
    world, champion, dataset = store.world, before.champion, before.dataset
    judged = sorted({row.query_key for row in dataset.judge})
    leaked = judged[: round(planted.leaked * len(judged))]
    scores = _scores(planted, before, set(judged), set(leaked), random)
    heart = [f"{query} again" for query in leaked]
    curve = None if planted.gentle is None else _curve(planted.gentle)
    metrics = store.register(VERSION, dataset, (champion, scores), curve=curve, also_learned=heart)
    live = planted.live if planted.past_arrives else replace(planted.live, world=world.shuffled(random))
    orders = _order(world, champion), _order(world, scores)
    preferred = store.compare(VERSION, "interleaving", orders, live, random)
    split = store.compare(VERSION, "ab", orders, replace(live, searches=planted.ab_searches), random)
    return read_gate(metrics) is not None, preferred or split


def _scores(
    planted: PlantedCause, before: Before, judged: set[str], leaked: set[str], random: np.random.Generator
) -> Scores:
    """Return how the version sees the documents: better or only otherwise, by what is planted."""
    world, champion = before.store.world, before.champion
    better, other = _better(world, champion, random, planted.gain), _changed(world, champion, 0.0, random)
    new = set(world.queries[len(world.queries) // 2 :]) if planted.live.unknown else set()
    scores = {}
    for key in world.queries:
        scores[key] = (other if planted.leaked or key in new else better)[key]
        if key in leaked:
            scores[key] = 10 * world.relevant[key] + other[key]
        if key not in judged and random.random() >= planted.differs:
            scores[key] = champion[key]
        shown = np.argsort(-champion[key], kind="stable")
        if planted.unseen:
            scores[key] = champion[key].copy()
            scores[key][random.permutation(shown[DEPTH:])[:3]] += planted.unseen
        first = shown[: planted.prefix]
        scores[key][first] = 100.0 + champion[key][first]
    return scores


def _better(
    world: QueryWorld, champion: Scores, random: np.random.Generator, gain: tuple[float, float] = _GAIN
) -> Scores:
    return _changed(world, champion, random.uniform(*gain), random)


def _changed(world: QueryWorld, champion: Scores, gain: float, random: np.random.Generator) -> Scores:
    """Return scores of a version that has so much more skill and keeps a part of the champion's noise."""
    fresh = np.sqrt(1 - _KEPT**2)
    found = {}
    for key in world.queries:
        skilled = _CHAMPION_SKILL * world.relevant[key]
        noise = _KEPT * (champion[key] - skilled) + fresh * random.normal(0, 1, len(skilled))
        found[key] = skilled + gain * world.relevant[key] + noise
    return found


def _order(world: QueryWorld, scores: Scores) -> Order:
    ranked: dict[str, list[str]] = {}

    def order(query: str) -> list[str]:
        if query not in ranked:
            ranked[query] = world.rank(scores, query)
        return ranked[query]

    return order


def _curve(steepness: float) -> ClickCurve:
    """Return the curve of users who read down with some steepness."""
    ranks = np.arange(1, CURVE_RANKS + 1) ** -steepness
    return ClickCurve(tuple((0.8 * ranks).tolist()), tuple((0.08 * ranks).tolist()))
