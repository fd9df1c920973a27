"""How unlike a person a user behaves: a score with its reasons, against what is usual among all users.

What is usual comes from everybody at once, whatever version they saw, so that no arm of an experiment
loses more users than the other by the way it ranks. Medians hold while most users are people.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

MIN_CLICKS = 20
"""Clicks under which nobody is judged: caps let fewer do little."""
MIN_USERS = 30
"""Users with a click without whom nothing can be called usual."""
HOLD_AT = 3.0
"""Score from which a user is implausible; of the marks, only an endless pace reaches it alone."""

_FAR = 4.0  # spreads from the median at which a count is worth a point
_MAX_POINTS = 2.0
_MIN_SPREAD = 1.0  # in logarithms: people differ by a factor of e at least
_MIN_SPREAD_OF_AIM = 0.5
_MIN_GAPS = 10
_STEADY = 0.5  # the part of the usual variation of pauses below which they are a machine's
_ENDLESS = 1000  # lists with a click, less than a minute apart on average: sixteen hours without a break
_ENDLESS_GAP_S = 60.0
_CHANCE = 1e-6
_CRAWLER = re.compile(r"(?<!cu)bot\b|crawl|spider|slurp", re.IGNORECASE)  # Cubot makes telephones


@dataclass(frozen=True, slots=True)
class Activity:
    """What one user did in a while: lists shown, and those clicked, with what; queries and documents are distinct.

    Attributes:
        clicks: At most one per list and document.
        read: Lists with a click that a dwell, rating, conversion or verdict followed.
        gaps_s: Seconds between lists with a click, in their order.
    """

    lists: int
    clicked: int
    clicks: int
    queries: int
    documents: int
    read: int
    gaps_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """One mark of a machine, what it adds to the score, and the numbers behind it for people."""

    mark: str
    points: float
    words: str


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual among users with a click.

    Attributes:
        rate, breadth: Median and spread of the logarithm of clicks, and of queries and documents.
        aim: The same of queries per document.
        variation: Median variation of pauses, NaN where too few users have enough of them.
        reading: Share of clicked lists that somebody read.
        clicking: Share of lists that were clicked.
    """

    rate: tuple[float, float]
    breadth: tuple[float, float]
    aim: tuple[float, float]
    variation: float
    reading: float
    clicking: float


def usual_of(activities: Iterable[Activity]) -> Usual | None:
    """Return what is usual, every user counted once; None with fewer than 30 who clicked."""
    users = [one for one in activities if one.clicks]
    if len(users) < MIN_USERS:
        return None
    variations = [_variation(one.gaps_s) for one in users if len(one.gaps_s) >= _MIN_GAPS]
    return Usual(
        rate=_middle((_rate(one) for one in users), _MIN_SPREAD),
        breadth=_middle((_breadth(one) for one in users), _MIN_SPREAD),
        aim=_middle((_aim(one) for one in users), _MIN_SPREAD_OF_AIM),
        variation=float(np.median(variations)) if len(variations) >= MIN_USERS else math.nan,
        reading=float(np.median([one.read / one.clicked for one in users])),
        clicking=float(np.median([one.clicked / one.lists for one in users])),
    )


def reasons_against(activity: Activity, usual: Usual) -> tuple[Reason, ...]:
    """Return the marks of a machine that a user bears, none with fewer than 20 clicks."""
    if activity.clicks < MIN_CLICKS:
        return ()
    weighed = [Reason(mark, *weigh(activity, usual)) for mark, weigh in _MARKS.items()]
    return tuple(reason for reason in weighed if reason.points)


def score(reasons: Iterable[Reason]) -> float:
    """Return the sum of the reasons' points."""
    return sum(reason.points for reason in reasons)


def judge(activities: Mapping[str, Activity]) -> dict[str, tuple[Reason, ...]]:
    """Return the reasons against every user whose score is implausible."""
    usual = usual_of(activities.values())
    if usual is None:
        return {}
    found = {user: reasons_against(activity, usual) for user, activity in activities.items()}
    return {user: reasons for user, reasons in found.items() if score(reasons) >= HOLD_AT}


def is_crawler(user_agent: str) -> bool:
    """Return whether a user agent says of itself that it is a robot."""
    return _CRAWLER.search(user_agent) is not None


def _rate(activity: Activity) -> float:
    return math.log1p(activity.clicks)


def _breadth(activity: Activity) -> float:
    return math.log1p(activity.queries + activity.documents)


def _aim(activity: Activity) -> float:
    return math.log(activity.queries / activity.documents)


def _middle(values: Iterable[float], min_spread: float) -> tuple[float, float]:
    """Return the median and the spread: the median deviation, scaled to a normal distribution's sigma."""
    given = np.fromiter(values, float)
    median = float(np.median(given))
    return median, max(1.4826 * float(np.median(np.abs(given - median))), min_spread)


def _variation(gaps_s: Sequence[float]) -> float:
    """Return by how many e-folds the middle half of pauses differ; people's do by two or so."""
    low, high = np.quantile(np.log(np.maximum(gaps_s, 1e-3)), [0.25, 0.75])
    return float(high - low)


def _far(value: float, usual: tuple[float, float]) -> float:
    points = (value - usual[0]) / usual[1] / _FAR
    return min(points, _MAX_POINTS) if points >= 1 else 0.0


def _too_many(activity: Activity, usual: Usual) -> tuple[float, str]:
    words = f"{activity.clicks} clicks, where {math.expm1(usual.rate[0]):.0f} are usual"
    return _far(_rate(activity), usual.rate), words


def _too_broad(activity: Activity, usual: Usual) -> tuple[float, str]:
    both = f"{activity.queries} queries and {activity.documents} documents"
    words = f"{both}, where {math.expm1(usual.breadth[0]):.0f} of both together are usual"
    return _far(_breadth(activity), usual.breadth), words


def _too_narrow(activity: Activity, usual: Usual) -> tuple[float, str]:
    per_document = activity.queries / activity.documents
    words = f"{per_document:.1f} queries ended at each document, where {math.exp(usual.aim[0]):.1f} are usual"
    return _far(_aim(activity), usual.aim), words


def _too_regular(activity: Activity, usual: Usual) -> tuple[float, str]:
    if len(activity.gaps_s) < _MIN_GAPS:
        return _NOTHING
    here = _variation(activity.gaps_s)
    if not here < _STEADY * usual.variation:  # nothing is below NaN
        return _NOTHING
    return 1.0, f"pauses vary by a factor of {math.exp(here):.1f}, where {math.exp(usual.variation):.1f} is usual"


def _endless(activity: Activity, _: Usual) -> tuple[float, str]:
    gaps_s = activity.gaps_s
    if len(gaps_s) < _ENDLESS or sum(gaps_s) > _ENDLESS_GAP_S * len(gaps_s):
        return _NOTHING
    pause_s = sum(gaps_s) / len(gaps_s)
    return HOLD_AT, f"{activity.clicked} lists with a click, {pause_s:.0f} s apart, which nobody keeps up"


def _unread(activity: Activity, usual: Usual) -> tuple[float, str]:
    if activity.read or (1 - usual.reading) ** activity.clicked > _CHANCE:
        return _NOTHING
    return 1.0, f"no sign of reading after {activity.clicked} lists with a click, where {usual.reading:.0%} have one"


def _always_clicking(activity: Activity, usual: Usual) -> tuple[float, str]:
    if activity.clicked < activity.lists or usual.clicking**activity.lists > _CHANCE:
        return _NOTHING
    return 1.0, f"a click in each of {activity.lists} lists, where {usual.clicking:.0%} have one"


_NOTHING = (0.0, "")
_MARKS: Mapping[str, Callable[[Activity, Usual], tuple[float, str]]] = {
    "rate": _too_many,
    "breadth": _too_broad,
    "aim": _too_narrow,
    "regularity": _too_regular,
    "endless": _endless,
    "no dwell": _unread,
    "click share": _always_clicking,
}
"""What weighs a user by each mark: its points, 0 where the user does not bear it, and the numbers for people."""
