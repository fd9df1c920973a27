"""Ranks the queries of past days by another version, and tells what would have changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from clickloop.container import Container
from clickloop.spaces import CatalogSpaces
from collector.api import label, read_evidence, read_interleaved, read_signals
from collector.reports.query_report import report_queries
from foundation.contracts import Labeller, Manifest
from foundation.database.engine import reading
from foundation.errors import NotFound
from retrainer.gate.examination import Examiner
from retrainer.gate.off_policy import OffPolicyEstimate, estimate_change, guess_clicks
from retrainer.gate.views import View, look
from retrainer.whatif.changes import WhatIf, compare_results


def find_versions(container: Container, collection: str, *names: str) -> tuple[Manifest, Manifest]:
    """Return two versions by id or name; "" stands for the champion, which is the untuned one where there is none.

    Raises:
        NotFound: There is no such version.
    """
    registry = container.registry
    serving = registry.champion(collection)
    champion = registry.get(collection, serving).manifest if serving else container.baseline
    first, second = (registry.get(collection, name).manifest if name else champion for name in names)
    return first, second


def what_if(
    container: Container,
    collection: str,
    versions: tuple[Manifest, Manifest],
    since: datetime,
    *,
    limit: int,
    progress: Callable[[str], None],
) -> tuple[WhatIf, OffPolicyEstimate]:
    """Return what the second of two versions would have changed since a moment, and what clicks say of it.

    Both rank by themselves, without what users did since they were made. Only queries are asked that enough people
    asked. Blocks; reads and changes nothing.

    Args:
        limit: Most queries, those asked most.

    Raises:
        NotFound: No query was asked by enough people since then.
    """
    settings, engine = container.settings, container.engine
    report = report_queries(engine, collection, "volume", since, settings.suggest_min_users, 0, limit)
    searches = {one.query: one.searches for one in report.queries}
    if not searches:
        people = f"{settings.suggest_min_users} people since {since:%Y-%m-%d}"
        raise NotFound(f"collection {collection!r}: no query was asked by {people}")
    labeller = _labeller(container, collection)
    spaces = CatalogSpaces(container, collection, progress)
    examiner = Examiner(spaces.open, container.registry.artifacts.get, labeller, settings.seed)
    before, after = (look(examiner.open(one), examiner.ask(one, searches)) for one in versions)
    return compare_results(before.tops, after.tops, searches), _estimate(
        container, collection, since, before, after, labeller
    )


def _labeller(container: Container, collection: str) -> Labeller:
    with reading(container.engine) as connection:
        signals = read_signals(connection, collection, container.settings.lists_per_user)
    return partial(label, signals=signals)


def _estimate(
    container: Container, collection: str, since: datetime, before: View, after: View, labeller: Labeller
) -> OffPolicyEstimate:
    settings, engine = container.settings, container.engine
    rows = read_evidence(engine, collection, container.clock.now(), settings.evidence_half_life_days)
    asked = [row for row in rows if row.query_key in before.tops and row.tells]
    guess = guess_clicks(asked, (before, after), labeller)
    with reading(engine) as connection:
        lists = list(read_interleaved(connection, collection, since))
    return estimate_change(lists, before.tops, after.tops, guess)
