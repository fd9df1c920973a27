"""Experiments as tests give them: searches of several runs, what was done with them, and what they add up to."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from collector.fold.exposure import OutcomeKey, day_of
from collector.fold.lists import by_list, recompute
from collector.fold.signals import Asked, CustomKey, CustomSignals, LatencyKey, OutcomeSums, SearchSignals
from collector.join.batch import fold_batch
from collector.join.rows import list_of
from collector.tables import custom_outcomes, outcome_latencies, outcomes
from foundation.contracts import EVENT_TYPES, FeedbackEvent, Impression, ShownResult, query_key
from foundation.database.engine import reading, transaction
from tests.feedback import SETTINGS, SHOWN_AT

Records = list[Impression | FeedbackEvent]
Sums = tuple[dict[OutcomeKey, SearchSignals], dict[CustomKey, CustomSignals], dict[LatencyKey, int]]
RUNS = (("e1", 1, "ab"), ("e1", 2, "ab"), ("e2", 1, "interleaving"), ("", 0, ""))
_STEPS = (timedelta(0), timedelta(seconds=40), timedelta(minutes=35), timedelta(hours=9), timedelta(days=2))


def search(query_id: str, *, query: str = "toner", unit: str = "u1", minutes: float = 0, **other: Any) -> Impression:
    """Return a search of run 1 of the experiment e1, in the arm `control`."""
    results = other.pop("results", tuple(ShownResult(name, rank, 1 / rank) for rank, name in enumerate("abc", 1)))
    fields: dict[str, Any] = {"experiment": "e1", "run": 1, "arm": "control", "drawn_by": unit, "known": True} | other
    at = SHOWN_AT + timedelta(minutes=minutes)
    return Impression("default", query_id, query, unit, "v-1", results, at, **fields)


def fold(engine: sa.Engine, *content: Impression | FeedbackEvent) -> None:
    with transaction(engine) as connection:
        fold_batch(connection, content, SETTINGS)


def stored(engine: sa.Engine) -> Sums:
    """Return the rows of the three tables."""
    with reading(engine) as connection:
        signals = [row[1:] for row in connection.execute(sa.select(outcomes))]
        custom = [row[1:] for row in connection.execute(sa.select(custom_outcomes))]
        latencies = [row[1:] for row in connection.execute(sa.select(outcome_latencies))]
    width = len(OutcomeKey._fields)
    return (
        {OutcomeKey(*row[:width]): SearchSignals(*row[width:]) for row in signals},
        {(OutcomeKey(*row[:width]), row[width]): CustomSignals(*row[width + 1 :]) for row in custom},
        {LatencyKey(*row[:-1]): row[-1] for row in latencies},
    )


def folded_at_once(content: Iterable[Impression | FeedbackEvent], held: Collection[str] = ()) -> Sums:
    """Return the same of all records, without a database."""
    records = list(content)
    about = by_list(one for one in records if isinstance(one, FeedbackEvent))
    chains: dict[tuple[str, int, str], list[Impression]] = {}
    for one in {one.query_id: one for one in records if isinstance(one, Impression)}.values():
        if one.experiment:
            chains.setdefault((one.experiment, one.run, one.drawn_by or one.unit), []).append(one)
    sums = OutcomeSums()
    for (experiment, run, unit), lists in chains.items():
        lists.sort(key=lambda one: (one.at, one.query_id))
        for one, following in zip(lists, [*map(_asked, lists[1:]), None], strict=True):
            if one.unit in held:
                continue
            strata = (one.arm, one.surface, one.known, one.had_evidence)
            key = OutcomeKey(experiment, run, unit, day_of(one.at), *strata)
            shown = recompute(list_of(one), about.get(one.query_id, ()), SETTINGS.lateness_days)
            sums.add_search(key, shown, _asked(one), following, one.took_ms)
    return sums.signals, sums.custom, sums.latencies


def world(seed: int, searches: int = 30) -> Records:
    """Return searches of two runs, of an interleaving and of none, by units that change arms and names, and events."""
    coin = random.Random(seed)
    lists = [_search(coin, number) for number in range(searches)]
    return [*lists, *(_event(coin, number, lists) for number in range(2 * searches))]


def _search(coin: random.Random, number: int) -> Impression:
    experiment, run, kind = coin.choice(RUNS)
    unit = coin.choice(["u1", "u2", "u3", f"q{number}"])
    arm = {"ab": coin.choice(["control", "treatment"]), "interleaving": "interleaved"}.get(kind, "champion")
    teams = coin.choice([("", "control", "treatment"), ("treatment", "control", ""), ("", "", "")])
    results = [ShownResult(name, rank, 1 / rank) for rank, name in enumerate("abc"[: coin.choice([0, 3, 3, 3])], 1)]
    if kind == "interleaving":
        results = [replace(one, team=team, own_ranks=(1, 2)) for one, team in zip(results, teams, strict=False)]
    return search(
        f"q{number}",
        query=coin.choice(["toner", "Toner ", "ink"]),
        unit=unit,
        minutes=sum(coin.choices(_STEPS, k=2), timedelta()) / timedelta(minutes=1),
        results=tuple(results),
        experiment=experiment,
        run=run,
        arm=arm,
        drawn_by=coin.choice(["", unit, "s1"]) if experiment else "",
        surface=coin.choice(["page", "page", "agent"]),
        known=coin.random() < 0.5,
        had_evidence=coin.random() < 0.3,
        took_ms=coin.choice([0.0, 5.0, 5.05, 80.0]),
    )


def _event(coin: random.Random, number: int, lists: Sequence[Impression]) -> FeedbackEvent:
    about = coin.choice(lists)
    kind = coin.choice([*EVENT_TYPES, "click", "click"])
    value = {"rating": coin.randint(1, 5), "dwell": coin.choice([3, 20, 50]), "conversion": coin.choice([9.99, -3])}
    at = about.at + timedelta(seconds=coin.choice([1, 30, 3600]), days=coin.choice([0, 0, 0, 5, 9]))
    document = coin.choice(["a", "b", "c", "z"])
    name = coin.choice(["wish", "call"]) if kind == "custom" else ""
    if kind == "custom":
        document, value["custom"] = coin.choice(["", document]), coin.choice([0, 2.5])
    return FeedbackEvent(
        *("default", f"e{number}", kind, about.query_id, document, about.unit),
        value=float(value.get(kind, 0)),
        at=at,
        received_at=at,
        name=name,
    )


def _asked(one: Impression) -> Asked:
    return Asked(one.at, one.query_id, query_key(one.query))
