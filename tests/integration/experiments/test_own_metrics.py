"""Metrics of an app's own, from their definition to a verdict that can be made again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ab_testing.api import Assignments, Experiments, MetricDefinition, OwnMetrics
from ab_testing.own_metrics.http import make_router
from ab_testing.tables import metric_changes
from foundation.clock import FrozenClock
from foundation.contracts import FeedbackEvent
from foundation.database.engine import reading
from foundation.errors import InvalidRequest, NotFound
from foundation.web.problems import install_problem_handlers
from tests.integration.experiments.conftest import Search, Traffic, make_plan, started

WISHES = MetricDefinition("Share of searches with a wish.", ("wish.searches",), higher_is_better=True, margin=0.01)
WORTH = MetricDefinition(
    "Worth of a wish.", ("wish.value",), denominator=("wish.events",), higher_is_better=True, margin=1.0, capped=True
)


@pytest.fixture
def own(any_engine: sa.Engine, clock: FrozenClock) -> OwnMetrics:
    own = OwnMetrics(any_engine, clock)
    own.define("default", "wishes", WISHES)
    own.define("default", "wish_worth", WORTH)
    return own


def wish(search: Search, worth: float) -> FeedbackEvent:
    return replace(search.event("default", "custom", "", worth), name="wish")


def searches(clock: FrozenClock, count: int = 400) -> Iterator[tuple[Search, bool]]:
    """Yield searches of as many users, and whether each makes a wish: three in ten, or seven of the treatment's."""
    for number in range(count):
        arm = ("control", "treatment")[number % 2]
        yield Search(f"q{number}", f"u{number}", arm, clock.now()), number // 2 % 10 < (7 if arm == "treatment" else 3)


def test_a_gain_in_a_metric_of_the_apps_own_is_found_and_audited(
    own: OwnMetrics, experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    made = started(experiments, assignments, success=("wishes",), planned_searches=300, min_days=0.0)
    experiment = experiments.get("default", made)
    asked = list(searches(clock))
    traffic.take(experiment, (search for search, _ in asked))
    traffic.fold(wish(search, 2.5) for search, wishes in asked if wishes)
    own.define("default", "wishes", replace(WISHES, numerator=("other.searches",)))

    card = experiments.look("default", experiment.id)

    assert card.verdict.decision == "promote", card.verdict.reason
    assert card.verdict.reason.startswith("the treatment is better: wishes +0.4000")
    worth = next(metric for metric in card.metrics if metric.name == "wish_worth")
    assert worth.role == "monitor"
    assert worth.values["treatment"].value == pytest.approx(2.5)
    traffic.fold(wish(search, 99.0) for search, wishes in asked if not wishes)
    own.remove("default", "wishes")
    [audited] = experiments.audit("default", experiment.id)
    assert audited.reproduced, audited.differences


def test_a_changed_definition_is_for_plans_to_come(own: OwnMetrics, experiments: Experiments) -> None:
    first = experiments.create("default", make_plan(success=("wishes",)))
    own.define("default", "wishes", replace(WISHES, margin=0.5))
    second = experiments.create("default", make_plan(success=("wishes",)))
    again = experiments.create("default", first.plan)

    assert experiments.get("default", first.id).plan.definitions["wishes"] == WISHES
    assert second.plan.definitions["wishes"].margin == 0.5
    assert again.plan.hash == first.plan.hash != second.plan.hash
    own.remove("default", "wishes")
    with pytest.raises(InvalidRequest, match="'wishes'; known metrics are"):
        experiments.create("default", make_plan(success=("wishes",)))
    with pytest.raises(InvalidRequest, match="'wishes'; known metrics are"):
        experiments.create("elsewhere", make_plan(success=("wishes",)))


def test_events_are_taken_while_a_metric_or_a_running_experiment_counts_them(
    own: OwnMetrics, experiments: Experiments, assignments: Assignments
) -> None:
    assert assignments.events("default") is None, "before they were read nothing is refused"
    assignments.refresh()
    assert assignments.events("default") == frozenset({"wish"})
    assert assignments.events("elsewhere") == frozenset()
    experiment = started(experiments, assignments)
    own.remove("default", "wishes")
    own.remove("default", "wish_worth")
    assignments.refresh()
    assert assignments.events("default") == frozenset({"wish"})
    experiments.stop("default", experiment)
    assignments.refresh()
    assert assignments.events("default") == frozenset()


def test_every_change_of_a_metric_is_kept_with_its_actor(own: OwnMetrics, any_engine: sa.Engine) -> None:
    own.define("default", "wishes", WISHES, "key shop")
    own.remove("default", "wishes", "key shop")
    own.define("default", "wishes", WISHES, "key shop")
    with pytest.raises(NotFound):
        own.remove("default", "unknown")
    kept = sa.select(metric_changes.c.number, metric_changes.c.definition.is_(None), metric_changes.c.actor)
    with reading(any_engine) as connection:
        rows = connection.execute(kept.where(metric_changes.c.name == "wishes").order_by(metric_changes.c.number))
        assert [tuple(row) for row in rows] == [(1, False, "local"), (2, True, "key shop"), (3, False, "key shop")]


def test_metrics_over_http(any_engine: sa.Engine, clock: FrozenClock) -> None:
    told: list[str] = []
    service = FastAPI()
    install_problem_handlers(service)
    service.include_router(make_router(OwnMetrics(any_engine, clock), lambda: told.append("changed")))
    client = TestClient(service)
    body = {"sentence": "Wishes.", "numerator": ["wish.events"], "higher_is_better": True, "margin": 0.01}

    made = client.put("/v1/metrics/wishes", json=body)
    assert (made.status_code, made.json()["own"], made.json()["numerator"]) == (200, True, [["wish.events", 1]])
    listed = {one["name"]: one for one in client.get("/v1/metrics").json()["metrics"]}
    assert (listed["wishes"], listed["csat"]["own"]) == (made.json(), False)
    assert client.get("/v1/metrics/wishes").json() == made.json()
    assert client.put("/v1/metrics/csat", json=body).status_code == 422
    for change in ({"margin": "much"}, {"sum": 1}, {"numerator": ["wins"]}):
        assert client.put("/v1/metrics/calls", json=body | change).status_code == 422
    assert client.delete("/v1/metrics/wishes").status_code == 204
    assert [client.get("/v1/metrics/wishes").status_code, client.delete("/v1/metrics/csat").status_code] == [404, 404]
    assert told == ["changed", "changed"]


def test_a_day_counts_when_its_window_has_closed(
    own: OwnMetrics, experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    own.define("default", "wishes", replace(WISHES, window_days=3))
    experiment = experiments.get("default", started(experiments, assignments, window_days=1, max_days=9.0))
    asked = list(searches(clock))
    traffic.take(experiment, (replace(search, clicked=[1] if wishes else []) for search, wishes in asked))
    traffic.fold(wish(search, 1.0) for search, wishes in asked if wishes)

    def measured() -> dict[str, float | None]:
        card = experiments.report("default", experiment.id)
        return {metric.name: metric.values["treatment"].value for metric in card.metrics}

    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for days, clicks, wishes in ((1.9, None, None), (2, 0.7, None), (3.9, 0.7, None), (4, 0.7, 0.7)):
        clock.advance(midnight + timedelta(days=days) - clock.now())
        assert (measured().get("click_rate"), measured().get("wishes")) == (clicks, wishes)
    experiments.stop("default", experiment.id)
    [audited] = experiments.audit("default", experiment.id)
    assert audited.reproduced, audited.differences
