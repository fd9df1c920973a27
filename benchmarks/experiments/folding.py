"""What a look at an experiment takes, and what folding its signals adds to folding the same searches without one."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa

from collector.api import ExperimentRun, Ratio, stored_totals
from collector.fold.preference import MAX_WEIGHT
from collector.fold.signals import SearchSignals
from collector.join.batch import fold_batch
from collector.tables import outcomes
from foundation.clock import monotonic_s
from foundation.contracts import DEFAULT_COLLECTION, EventType, FeedbackEvent, Impression, ShownResult
from foundation.database import schema
from foundation.database.engine import make_engine, reading, transaction
from foundation.database.lookup import chunks
from foundation.settings import Settings

RUN = ExperimentRun(DEFAULT_COLLECTION, "bench", 1)
PREFERENCE = Ratio("preference", (("preferred", 1),), (("offered", 1),))
_SEARCHES_PER_UNIT = 20
_BATCH = 1000
_EVENTS_PER_LIST = 4
_CLICKS_SHARE = 0.6
_RECENT = 200
_START = datetime(2026, 1, 5, tzinfo=UTC)
_FIRST_DAY = 20_458

Record = Impression | FeedbackEvent


def measure_look(units: int = 50_000, days: int = 1, repeats: int = 7) -> float:
    """Return the seconds of a look at interleaved searches in SQLite, 20 a unit; the median of repeats.

    Args:
        days: On how many days each unit searched: its rows.
    """
    with _database() as engine:
        with transaction(engine) as connection:
            for some in chunks(range(units), 2000):
                connection.execute(sa.insert(outcomes), [row for unit in some for row in _rows(unit, days)])
        return median(_look(engine) for _ in range(repeats))


def measure_folding(searches: int = 4000, repeats: int = 5, seed: int = 17) -> dict[str, float]:
    """Return the seconds of folding a stream of lists and clicks with an experiment and without, and their ratio.

    The records are the same but for what an experiment says of a list. Both are folded in turn into empty databases;
    each figure is the median of the repeats.
    """
    settings = Settings(_env_file=None)
    inside = _stream(searches, seed)
    outside = [_without_experiment(one) if isinstance(one, Impression) else one for one in inside]
    pairs = [(_fold(outside, settings), _fold(inside, settings)) for _ in range(repeats)]
    without, within = (median(seconds) for seconds in zip(*pairs, strict=True))
    return {
        "ratio": median(one / other for other, one in pairs),
        "seconds_without": without,
        "seconds_with": within,
        "records": len(inside),
    }


def _look(engine: sa.Engine) -> float:
    with reading(engine) as connection:
        began = monotonic_s()
        stored_totals(connection, RUN).tabulate([PREFERENCE])
        return monotonic_s() - began


def _rows(unit: int, days: int) -> Iterator[dict[str, Any]]:
    """Return what a unit's searches add up to, spread evenly over some days."""
    coin = random.Random(unit)
    searches = _SEARCHES_PER_UNIT // days
    for day in range(days):
        wins, losses = coin.randrange(searches // 2 + 1), coin.randrange(searches // 2 + 1)
        offered = searches * MAX_WEIGHT // 2
        said = SearchSignals(
            searches=searches,
            clicked=wins + losses,
            preferred=(wins - losses) * MAX_WEIGHT // 2,
            offered=offered,
            wins=wins,
            losses=losses,
            ties=searches - wins - losses,
            clicks=wins + losses,
            abandoned=searches - wins - losses,
        )
        key = RUN._asdict() | {"unit": f"p-{coin.getrandbits(64):016x}-{unit}", "day": _FIRST_DAY + day}
        where = {"arm": "interleaved", "surface": "page", "known": True, "had_evidence": False}
        yield key | where | said._asdict()


def _stream(searches: int, seed: int) -> list[Record]:
    """Return interleaved searches of ten results, and after each four events about it or one of those before it.

    So many, and of the same types, the ingest bench sends for each list.
    """
    coin = random.Random(seed)
    units = max(1, searches // _SEARCHES_PER_UNIT)
    lists: list[Impression] = []
    records: list[Record] = []
    for number in range(searches):
        lists.append(_search(number, f"p-{coin.randrange(units):020x}", coin))
        records.append(lists[-1])
        about = coin.choices(lists[-_RECENT:], k=_EVENTS_PER_LIST)
        records += [_event(f"e-{number}-{part}", one, lists[-1].at, coin) for part, one in enumerate(about)]
    return records


def _search(number: int, unit: str, coin: random.Random) -> Impression:
    query = f"query {min(int(coin.expovariate(0.01)), 999)}"
    documents = [f"{query}/document-{one}" for one in coin.sample(range(40), 10)]
    results = tuple(_slot(document, rank, coin) for rank, document in enumerate(documents, 1))
    at = _START + timedelta(seconds=20 * number)
    return Impression(
        *(DEFAULT_COLLECTION, f"q-{number:016x}", query, unit, "v-0123456789abcdef", results, at, RUN.experiment),
        arm="interleaved",
        drawn_by=unit,
        run=RUN.run,
        plan_hash="0123456789abcdef",
        first_difference=2,
        known=True,
        took_ms=coin.lognormvariate(3, 0.5),
    )


def _slot(document: str, rank: int, coin: random.Random) -> ShownResult:
    team = "" if rank == 1 else coin.choice(("control", "treatment"))
    return ShownResult(document, rank, 1 / rank, team, 1.0 if rank == 1 else 0.5, (rank, rank + 1))


def _event(number: str, about: Impression, at: datetime, coin: random.Random) -> FeedbackEvent:
    kind: EventType = "click" if coin.random() < _CLICKS_SHARE else "dwell"
    document = about.results[min(int(coin.expovariate(0.4)), 9)].id
    return FeedbackEvent(DEFAULT_COLLECTION, number, kind, about.query_id, document, about.unit, 45.0, at, at)


def _without_experiment(one: Impression) -> Impression:
    results = tuple(ShownResult(result.id, result.rank, result.score) for result in one.results)
    plain = Impression(one.collection, one.query_id, one.query, one.unit, one.version, results, one.at)
    return replace(plain, known=one.known)


def _fold(records: Sequence[Record], settings: Settings) -> float:
    """Return the seconds of folding; the first batch, in which statements are compiled, is not counted."""
    first, *batches = chunks(records, _BATCH)
    with _database() as engine:
        _fold_batch(engine, first, settings)
        began = monotonic_s()
        for some in batches:
            _fold_batch(engine, some, settings)
        return monotonic_s() - began


def _fold_batch(engine: sa.Engine, records: Sequence[Record], settings: Settings) -> None:
    with transaction(engine) as connection:
        fold_batch(connection, records, settings)


@contextmanager
def _database() -> Iterator[sa.Engine]:
    """Yield an empty SQLite database as the service opens it."""
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{Path(folder) / 'clickloop.db'}")
        schema.upgrade(engine)
        yield engine
        engine.dispose()
