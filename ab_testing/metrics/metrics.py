"""The metrics of experiments: each a ratio of sums of the collector's base signals, or a quantile of latency."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from foundation.errors import InvalidRequest

Role = Literal["success", "guardrail", "monitor"]
Sum = tuple[tuple[str, int], ...]
"""Signals and the factor of each."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One thing that is measured in every arm.

    Attributes:
        numerator: Signals that are summed above the line; empty for a quantile.
        denominator: Signals that are summed below it.
        scale: Factor that turns the ratio into the metric's own unit.
        quantile: Share of the searches below the value, for a quantile of latency in milliseconds.
        winsorised: Whether the largest totals of units are cut, as those of money and time must be.
    """

    name: str = field(metadata={"description": "Name of the metric in plans and reports."})
    sentence: str = field(metadata={"description": "What it measures."})
    role: Role = field(
        metadata={
            "description": "success: can carry a promotion. guardrail: must not get worse. monitor: is only shown. "
            "A plan may use each metric in either place."
        }
    )
    higher_is_better: bool | None = field(metadata={"description": "null: it should stay as it is."})
    margin: float = field(metadata={"description": "Largest harm that a guardrail on it tolerates."})
    relative: bool = field(
        default=False, metadata={"description": "Whether the margin is a share of the control's value."}
    )
    window: Literal["recontact"] | None = field(
        default=None, metadata={"description": "recontact: a day counts only when its recontact window has closed."}
    )
    numerator: Sum = ()
    denominator: Sum = (("searches", 1),)
    scale: float = 1.0
    quantile: float | None = None
    winsorised: bool = False


_ALL = (
    Metric(
        "click_rate",
        "Share of searches with a click.",
        "success",
        higher_is_better=True,
        margin=0.01,
        numerator=(("clicked", 1),),
    ),
    Metric(
        "first_click_rate",
        "Share of searches with a click on the first result.",
        "success",
        higher_is_better=True,
        margin=0.01,
        numerator=(("clicked_first", 1),),
    ),
    Metric(
        "successful_search_rate",
        "Share of searches that led to a document the user stayed with, or were reported as resolved.",
        "success",
        higher_is_better=True,
        margin=0.01,
        numerator=(("successful", 1),),
    ),
    Metric(
        "abandonment",
        "Share of searches that ended without any click, rating or success.",
        "guardrail",
        higher_is_better=False,
        margin=0.02,
        numerator=(("abandoned", 1),),
    ),
    Metric(
        "reformulation",
        "Share of searches without a click that the same user asked again in other words within two minutes.",
        "guardrail",
        higher_is_better=False,
        margin=0.02,
        numerator=(("reformulated", 1),),
    ),
    Metric(
        "zero_result_rate",
        "Share of searches that found nothing.",
        "guardrail",
        higher_is_better=False,
        margin=0.01,
        numerator=(("zero_results", 1),),
    ),
    Metric(
        "csat",
        "Mean rating that users gave to answers, in stars.",
        "success",
        higher_is_better=True,
        margin=0.1,
        numerator=(("rating_sum", 1),),
        denominator=(("ratings", 1),),
    ),
    Metric(
        "low_rating_share",
        "Share of ratings with one or two stars.",
        "guardrail",
        higher_is_better=False,
        margin=0.02,
        numerator=(("low_ratings", 1),),
        denominator=(("ratings", 1),),
    ),
    Metric(
        "rating_response_rate",
        "Share of searches that users rated. Where it changes, other people answer, and their mean rating misleads.",
        "guardrail",
        higher_is_better=None,
        margin=0.05,
        numerator=(("rated", 1),),
    ),
    Metric(
        "resolution",
        "Share of requests that the first contact resolved: the user did not come back for them within the window.",
        "success",
        higher_is_better=True,
        margin=0.02,
        window="recontact",
        numerator=(("resolved", 1),),
        denominator=(("resolved", 1), ("unresolved", 1)),
    ),
    Metric(
        "conversion_rate",
        "Share of searches that led to a conversion.",
        "success",
        higher_is_better=True,
        margin=0.005,
        numerator=(("converted", 1),),
    ),
    Metric(
        "revenue_per_search",
        "Value of the conversions for each search; the largest thousandth of buyers is cut.",
        "success",
        higher_is_better=True,
        margin=0.02,
        relative=True,
        numerator=(("revenue", 1),),
        scale=1e-6,
        winsorised=True,
    ),
    Metric(
        "p95_latency",
        "Milliseconds within which 95% of searches were answered.",
        "guardrail",
        higher_is_better=False,
        margin=0.10,
        relative=True,
        denominator=(),
        quantile=0.95,
    ),
    Metric(
        "preference",
        "Interleaved searches whose clicks prefer the treatment, less those that prefer the control, as a share of "
        "all that offered a choice.",
        "success",
        higher_is_better=True,
        margin=0.02,
        numerator=(("preferred", 1),),
        denominator=(("offered", 1),),
    ),
    Metric(
        "time_to_success",
        "Mean seconds from a list to the first document that the user stayed with.",
        "monitor",
        higher_is_better=False,
        margin=0.05,
        relative=True,
        numerator=(("success_ms", 1),),
        denominator=(("timed_successes", 1),),
        scale=1e-3,
        winsorised=True,
    ),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}


def find_metric(name: str) -> Metric:
    """Return the metric of that name.

    Raises:
        InvalidRequest: There is none.
    """
    if name not in METRICS:
        raise InvalidRequest(f"there is no metric {name!r:.100}; known are {', '.join(sorted(METRICS))}")
    return METRICS[name]
