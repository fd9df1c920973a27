"""A support desk: people search its articles, rate them, say what was resolved; what that teaches goes through an A/B.

Every rating and verdict becomes part of the label of a pair of query and article; see `collector.click_models`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from clickloop.cli.projects.page import ProjectPage, ProjectTable, sign, span
from clickloop.cli.projects.service import UsedService
from clickloop.pictures import Measurement, draw_bars
from foundation.statistics import bootstrap_interval
from simulator.collection import JudgedCollection
from simulator.quality import ndcg
from simulator.tally import Tally
from simulator.visit_events import Habits

METRICS = {"csat": "CSAT, stars", "resolution": "resolved, share of verdicts", "click_rate": "searches with a click"}
_HABITS = Habits(rating_share=0.3, verdict_share=0.4)
_SHOWN = {"csat": 5.0, "resolution": 1.0}


@dataclass(frozen=True, slots=True)
class DeskReport:
    """What happened at the desk.

    Attributes:
        tally: What people did under the first ranking.
        run: The training run.
        card: Scorecard of the A/B test.
        before: nDCG@10 of queries that nobody asked, by query; `after` under the learned version.
    """

    tally: Tally
    run: dict[str, Any]
    card: dict[str, Any]
    before: dict[str, float]
    after: dict[str, float]


def run(
    home: Path,
    title: str,
    collection: JudgedCollection,
    *,
    clicks: int,
    searches: int,
    learners: str,
    seed: int,
    tell: Callable[[str], None],
) -> ProjectPage:
    """Let people use the desk, train on what they said, and compare both rankings on other people's visits.

    Args:
        clicks: Clicks to learn from.
        searches: Of the A/B test.
        learners: Which learn, as of `clickloop retrain`.
    """
    unseen = list(collection.split("test"))
    with UsedService(home, collection, _HABITS, seed, tell) as service:
        before = ndcg(collection.judgments, service.rank(unseen))
        tally = service.visit(clicks=clicks)
        trained = service.train(learners)
        card = service.compare(_plan(trained["version"], searches), searches)
        service.promote(trained["version"])
        after = ndcg(collection.judgments, service.rank(unseen))
    return make_page(title, len(collection.documents), DeskReport(tally, trained, card, before, after), seed)


def _plan(version: str, searches: int) -> dict[str, Any]:
    return {
        "name": "what people said of the answers",
        "kind": "ab",
        "control": "champion",
        "treatment": version,
        "success": list(_SHOWN),
        "planned_searches": searches,
        "min_days": 0,
        "max_days": 365,
        "recontact_days": 0,
    }


def make_page(title: str, articles: int, desk: DeskReport, seed: int) -> ProjectPage:
    """Return the page: CSAT, resolution and clicks in both arms, and quality on queries that nobody asked."""
    found = {one["name"]: one for one in desk.card["metrics"] if one["name"] in METRICS}
    change = np.array([desk.after[name] - desk.before[name] for name in sorted(desk.before)])
    unseen = (
        f"nDCG@10 of {len(desk.before)} queries that nobody asked",
        *(f"{fmean(scores.values()):.4f}" for scores in (desk.before, desk.after)),
        sign(float(change.mean())),
        span(*bootstrap_interval(change, confidence=0.95, seed=seed)),
    )
    rows = [_row(METRICS[name], found[name]) for name in METRICS if name in found]
    arms = {arm["arm"]: f"{arm['units']} people, {arm['searches']} searches" for arm in desk.card["arms"]}
    notes = [
        f"{articles} articles; {desk.tally.searches} searches and {desk.tally.clicks} clicks to learn from. "
        f"{desk.run['report'].get('gate', '')}.",
        f"A/B test: {'; '.join(f'{arm}: {told}' for arm, told in arms.items())}. Verdict: "
        f"{desk.card['verdict']['decision']}: {desk.card['verdict']['reason']}.",
    ]
    columns = ("metric", "first ranking", "learned ranking", "difference", "interval")
    facts = {
        "articles": articles,
        "searches": desk.tally.searches,
        "clicks": desk.tally.clicks,
        "gate": desk.run["report"].get("gate", ""),
        "experiment": desk.card,
        "ndcg_unseen": [fmean(scores.values()) for scores in (desk.before, desk.after)],
    }
    return ProjectPage(
        title=f"A support desk: {title}",
        notes=notes,
        tables=[ProjectTable("Before and after", columns, [*rows, unseen])],
        pictures={name: _draw(name, found[name]) for name in _SHOWN if name in found},
        facts=facts,
    )


def _row(told: str, metric: dict[str, Any]) -> tuple[str, ...]:
    values = [metric["values"][arm]["value"] for arm in ("control", "treatment")]
    shown = ["too few people" if value is None else f"{value:.4f}" for value in values]
    known = [one for one in metric["evidence"] if one["estimate"] is not None]
    if known:
        return (told, *shown, sign(known[0]["estimate"]), span(known[0]["low"], known[0]["high"]))
    return (told, *shown, sign(values[1] - values[0]) if None not in values else "", "")


def _draw(name: str, metric: dict[str, Any]) -> str:
    bars = []
    for arm, label in (("control", "first ranking"), ("treatment", "learned ranking")):
        one = metric["values"][arm]
        bars.append(Measurement(label, one["value"] or 0.0, one["low"], one["high"], before=arm == "control"))
    return draw_bars(METRICS[name], bars, end=_SHOWN[name])
