"""Gathers what the stores hold of a version, to say why its gain is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np
import sqlalchemy as sa

from ab_testing.api import Experiment, Experiments
from collector.api import RunList, read_asked_searches, read_evidence, read_run_lists
from foundation.arrays import Floats
from foundation.clock import Clock
from foundation.database.engine import reading
from foundation.registry.registry import Registry, Version
from retrainer.data.splits import draw_folds, is_near_any
from retrainer.data.store import read_clusters
from retrainer.data.threshold import FOLDS, JUDGED_WEEKS
from retrainer.diagnosis.diagnosis import VersionDiagnosis, diagnose
from retrainer.diagnosis.effects import GateFigures, MeasuredEffect, arm_of, read_effect, read_gate
from retrainer.diagnosis.evidence import AskedQueries, LeakedQueries, SplitLists, VersionEvidence
from retrainer.gate.siblings import open_siblings
from serving.ranking.model import read_memory

MAX_LISTS = 20_000
"""Searches that are read of an experiment, and of the weeks that judged; the newest."""

_MAX_EXPERIMENTS = 1000
_MAX_VERSIONS = 50
_MAX_OF_VERSION = 5
_EXAMPLES = 3


class Diagnoser:
    """Says why a version that the gate found better changes nothing for its users. Changes nothing itself.

    Args:
        encode: Unit vectors of queries, by which the split kept those together that are nearly equal.
        half_life_days: In which evidence loses half of its weight.
    """

    def __init__(
        self,
        engine: sa.Engine,
        registry: Registry,
        experiments: Experiments,
        clock: Clock,
        *,
        encode: Callable[[list[str]], Floats],
        half_life_days: float,
    ) -> None:
        self._engine = engine
        self._registry = registry
        self._experiments = experiments
        self._clock = clock
        self._encode = encode
        self._half_life_days = half_life_days

    def diagnose(self, collection: str, version: str) -> VersionDiagnosis:
        """Return every cause with its number and the next step.

        Reads up to 40,000 searches and embeds queries that are not embedded yet: some seconds.

        Args:
            version: Its id or name.

        Raises:
            NotFound: The collection has no such version.
        """
        found = self._registry.get(collection, version)
        return diagnose(found.id, self._gather(found))

    def _gather(self, version: Version) -> VersionEvidence:
        gate, collection = read_gate(version.metrics), version.collection
        run = [one for one in self._experiments.list(collection, _MAX_EXPERIMENTS) if one.run]  # newest first
        mine = [one for one in run if arm_of(one, version.id)]
        as_of = datetime.fromisoformat(version.lineage["data_as_of"]) if "data_as_of" in version.lineage else None
        return VersionEvidence(
            gate=gate,
            effect=self._effect(mine, version.id, gate) if gate else None,
            interleaved=[one for some in _first(mine, "interleaving") for one in self._lists(some)],
            split=next((self._split(one, version.id) for one in _first(mine, "ab")), None),
            past=[*self._past(version, run)],
            leaked=self._leaked(version, as_of) if as_of else None,
            asked=self._asked(collection, as_of, mine[0]) if as_of and mine else None,
            curve=version.manifest.curve,
        )

    def _effect(self, experiments: Sequence[Experiment], version: str, gate: GateFigures) -> MeasuredEffect | None:
        """Return what the experiment measured of a version that sees its expected gain best."""
        for_gain = [one for one in experiments if one.plan.aim == "gain"] or experiments
        cards = (self._experiments.report(one.collection, one.id) for one in for_gain[:_MAX_OF_VERSION])
        effects = [effect for card in cards if (effect := read_effect(card, version, gate))]
        return max(effects, key=lambda one: one.expected / one.standard_error, default=None)

    def _past(self, version: Version, run: Sequence[Experiment]) -> Iterator[MeasuredEffect]:
        ended = [one for one in run if one.state in {"stopped", "decided"} and one.plan.aim == "gain"]
        for other in self._registry.list(version.collection, _MAX_VERSIONS):
            gate, tested = read_gate(other.metrics), [one for one in ended if arm_of(one, other.id)]
            if other.id != version.id and gate and tested and (found := self._effect(tested, other.id, gate)):
                yield found

    def _lists(self, experiment: Experiment) -> list[RunList]:
        run = (experiment.collection, experiment.id, experiment.run)
        with reading(self._engine) as connection:
            return read_run_lists(connection, *run, limit=MAX_LISTS)

    def _split(self, experiment: Experiment, version: str) -> SplitLists:
        control, treatment = experiment.plan.arms[0].name, arm_of(experiment, version) or ""
        return SplitLists(self._lists(experiment), control, treatment)

    def _asked(self, collection: str, as_of: datetime, experiment: Experiment) -> AskedQueries:
        since, now = as_of - timedelta(weeks=JUDGED_WEEKS + 1), self._clock.now()
        began, ended = experiment.started_at or as_of, experiment.ended_at or now
        with reading(self._engine) as connection:
            judged = read_asked_searches(connection, collection, since, as_of, MAX_LISTS)
            return AskedQueries(judged, read_asked_searches(connection, collection, began, ended, MAX_LISTS))

    def _leaked(self, version: Version, as_of: datetime) -> LeakedQueries | None:
        """Return which judging queries the version that they judged remembers, or one nearly equal to them."""
        fetch = self._registry.artifacts.get
        siblings = open_siblings(version, fetch).siblings
        memories = {fold: read_memory(fetch(one.memory))[0] for fold, one in siblings.items() if one.memory}
        if not memories:
            return None
        rows = read_evidence(self._engine, version.collection, as_of, self._half_life_days, JUDGED_WEEKS)
        clusters = read_clusters(self._engine, version.collection, sorted({row.query_key for row in rows if row.tells}))
        keys = np.array(list(clusters), dtype=object)
        folds = draw_folds(clusters.values(), FOLDS, "gate")
        found = [self._find_leaks(keys[folds == fold].tolist(), sorted(past)) for fold, past in memories.items()]
        examples = [pair for one in found for pair in one.examples]
        return LeakedQueries(sum(one.judged for one in found), sum(one.leaked for one in found), examples)

    def _find_leaks(self, judged: list[str], learned: list[str]) -> LeakedQueries:
        if not judged or not learned:
            return LeakedQueries(len(judged), 0)
        asked, known = self._encode(judged), self._encode(learned)
        leaked = np.flatnonzero(is_near_any(asked, known)).tolist()
        examples = [(judged[one], learned[int((known @ asked[one]).argmax())]) for one in leaked[:_EXAMPLES]]
        return LeakedQueries(len(judged), len(leaked), examples)


def _first(experiments: Iterable[Experiment], kind: str) -> list[Experiment]:
    """Return the newest experiment of a kind, none without one."""
    return [one for one in experiments if one.plan.kind == kind][:1]
