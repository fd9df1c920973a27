"""Charts say what the tables beside them say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ab_testing.api import ExperimentDay, MetricEvidence, MetricReport
from console.charts import HEIGHT, WIDTH, draw_course, draw_forest

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


def evidence(
    low: float | None, estimate: float | None, high: float | None, control_value: float | None = None
) -> MetricEvidence:
    return MetricEvidence("click_rate", "treatment", "success", control_value, low=low, estimate=estimate, high=high)


def metric(name: str, *found: MetricEvidence, higher: bool | None = True) -> MetricReport:
    return MetricReport(name, "", "success", higher, {}, found, logarithmic=name.endswith("_latency"))


@given(st.lists(st.tuples(st.integers(0, 10**9), st.lists(NUMBERS, min_size=3, max_size=3)), max_size=20))
def test_a_course_stays_inside_its_drawing_and_keeps_its_order(days: list[tuple[int, list[float]]]) -> None:
    course = draw_course([ExperimentDay(1.0, n, evidence(*sorted(ends))) for n, ends in days])
    assert (course is None) == (not days)
    for one in course.moments if course else ():
        assert 0 <= one.x <= WIDTH
        assert 0 <= one.high <= one.estimate <= one.low <= HEIGHT, "up is better, and the page counts downwards"


def test_days_of_which_nothing_is_known_are_not_drawn() -> None:
    course = draw_course([ExperimentDay(1.0, 5, evidence(None, None, None)), ExperimentDay(2.0, 9, evidence(-1, 0, 1))])
    assert course is not None
    assert len(course.moments) == 1


def test_better_lies_to_the_right_whatever_the_metric() -> None:
    forest = draw_forest(
        [
            metric("click_rate", evidence(0.01, 0.02, 0.03, control_value=0.4)),
            metric("abandonment", evidence(-0.03, -0.02, -0.01, control_value=0.4), higher=False),
        ]
    )
    assert forest is not None
    first, second = forest.rows
    assert (first.low, first.estimate, first.high) == (second.low, second.estimate, second.high)
    assert forest.zero < first.low < first.estimate < first.high
    assert forest.reach == pytest.approx(0.075)


def test_latency_is_the_change_that_its_logarithm_says() -> None:
    forest = draw_forest([metric("p95_latency", evidence(0.1, 0.2, 0.3, control_value=50.0), higher=False)])
    assert forest is not None
    assert forest.reach == pytest.approx(0.349859)
    assert forest.rows[0].estimate < forest.zero


def test_one_wild_metric_does_not_flatten_the_others() -> None:
    calm = [metric(f"m{n}", evidence(-0.1, 0.0, 0.1, control_value=1.0)) for n in range(4)]
    forest = draw_forest([*calm, metric("wild", evidence(-90.0, 0.0, 90.0, control_value=1.0))])
    assert forest is not None
    assert forest.reach == pytest.approx(0.4)
    assert 0 <= forest.rows[-1].low < forest.rows[-1].high <= WIDTH


def test_what_was_not_measured_is_not_drawn() -> None:
    assert draw_forest([metric("csat", evidence(None, None, None))]) is None
