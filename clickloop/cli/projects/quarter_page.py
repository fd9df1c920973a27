"""The page of a quarter at a support desk: quality by week, and what people said before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

import numpy as np

from clickloop.cli.projects.experience import ComparedMean, Said, SaidVisit, compare_means
from clickloop.cli.projects.page import ProjectPage, ProjectTable, sign, span
from clickloop.pictures import PictureLine, draw_lines
from foundation.statistics import bootstrap_interval

MAX_LOSS = 0.01
"""So much below the first ranking a week may end, in nDCG@10."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredWeek:
    """One week of the quarter at its end.

    Attributes:
        changed: Articles that came, went or were edited.
        searches: Of all who visited.
        first: nDCG@10 of queries that nobody asks under production as it was at the start, by query; `learned` under
            what serves.
        version: The champion.
        runs: All training runs so far, as the service tells them.
        seconds: What the week took.
    """

    number: int
    articles: int
    changed: int
    searches: int
    poisoned: bool
    first: dict[str, float]
    learned: dict[str, float]
    version: str
    runs: Sequence[dict[str, Any]]
    seconds: float

    @property
    def difference(self) -> float:
        """Mean gain in nDCG@10 over the first ranking."""
        return fmean(self.learned[query] - self.first[query] for query in self.first)


@dataclass(frozen=True, slots=True)
class QuarterReport:
    """What happened in a quarter.

    Attributes:
        articles: Of all weeks.
        searches: Of people in a week.
        said: What the same people would say of both rankings at the end.
    """

    articles: int
    searches: int
    weeks: Sequence[MeasuredWeek]
    said: Sequence[SaidVisit]


def make_page(title: str, quarter: QuarterReport, seed: int) -> ProjectPage:
    """Return the page, with a picture of quality by week."""
    weeks, last = quarter.weeks, quarter.weeks[-1]
    worst = min(weeks, key=lambda week: week.difference)
    told = "never" if worst.difference >= -MAX_LOSS else f"in week {worst.number}"
    poisoned = [week.number for week in weeks if week.poisoned]
    notes = [
        f"{quarter.articles} articles, {quarter.searches} searches a week. "
        f"More than {MAX_LOSS} below the first ranking: {told}; the worst week, {worst.number}: "
        f"{sign(worst.difference)}, the last: {sign(last.difference)} nDCG@10.",
        f"Training runs: {_tell_runs(last.runs)}. "
        + (f"False people came in week {poisoned[0]}." if poisoned else "Nobody lied."),
    ]
    said = _compare(quarter.said, seed)
    return ProjectPage(
        title=f"A quarter at a support desk: {title}",
        notes=notes,
        tables=[_week_table(weeks, seed), _said_table(said)],
        pictures={"quarter": _draw(weeks)},
        facts={
            "articles": quarter.articles,
            "searches_a_week": quarter.searches,
            "worst_week": {"week": worst.number, "difference": worst.difference},
            "ends": last.difference,
            "weeks": [_tell_week(week) for week in weeks],
            "runs": [{key: one[key] for key in ("id", "state", "version", "report")} for one in last.runs],
            "said": {name: asdict(one) for name, one in said.items() if one},
        },
    )


def _tell_runs(runs: Sequence[dict[str, Any]]) -> str:
    states = [str(run["state"]) for run in runs]
    return ", ".join(f"{states.count(state)} {state.replace('_', ' ')}" for state in sorted(set(states)))


def _tell_week(week: MeasuredWeek) -> dict[str, Any]:
    return {
        "week": week.number,
        "articles": week.articles,
        "changed": week.changed,
        "searches": week.searches,
        "poisoned": week.poisoned,
        "first": fmean(week.first.values()),
        "learned": fmean(week.learned.values()),
        "queries": len(week.first),
        "version": week.version,
        "seconds": round(week.seconds, 1),
    }


def _week_table(weeks: Sequence[MeasuredWeek], seed: int) -> ProjectTable:
    columns = ("week", "articles changed", "searches", "version", "first ranking", "learned", "difference", "interval")
    names = {version: number for number, version in enumerate(dict.fromkeys(week.version for week in weeks))}
    rows = []
    for week in weeks:
        change = np.array([week.learned[query] - week.first[query] for query in sorted(week.first)])
        rows.append(
            (
                f"{week.number}, poisoned" if week.poisoned else str(week.number),
                str(week.changed),
                str(week.searches),
                str(names[week.version]),
                *(f"{fmean(scores.values()):.4f}" for scores in (week.first, week.learned)),
                sign(week.difference),
                span(*bootstrap_interval(change, confidence=0.95, seed=seed)),
            )
        )
    return ProjectTable("nDCG@10 of queries that nobody asked", columns, rows)


def _compare(said: Sequence[SaidVisit], seed: int) -> dict[str, ComparedMean | None]:
    people = [one.person for one in said]
    stars, verdicts = ([[visit[arm] for visit in told] for arm in (0, 1)] for told in _split(said))
    return {
        "CSAT, stars": compare_means(people, stars[0], stars[1], seed),
        "resolved, share of verdicts": compare_means(people, verdicts[0], verdicts[1], seed),
    }


def _split(said: Sequence[SaidVisit]) -> tuple[list[Said], list[Said]]:
    return [one.stars for one in said], [one.verdicts for one in said]


def _said_table(said: dict[str, ComparedMean | None]) -> ProjectTable:
    columns = ("what the same people say", "first ranking", "learned", "difference", "interval")
    rows = [_said_row(name, one) for name, one in said.items()]
    return ProjectTable("Before and after", columns, rows)


def _said_row(name: str, one: ComparedMean | None) -> tuple[str, ...]:
    if one is None:
        return (name, "nobody said", "nobody said", "", "")
    return (name, f"{one.before:.4f}", f"{one.after:.4f}", sign(one.after - one.before), span(one.low, one.high))


def _draw(weeks: Sequence[MeasuredWeek]) -> str:
    lines = [
        PictureLine("first ranking", [fmean(week.first.values()) for week in weeks], before=True),
        PictureLine("learned ranking", [fmean(week.learned.values()) for week in weeks]),
    ]
    marks = {week.number: "poisoned" for week in weeks if week.poisoned}
    return draw_lines("Queries that nobody asked, by week", lines, across="week", up="nDCG@10", marks=marks)
