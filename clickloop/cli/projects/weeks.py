"""What happens to a support desk in each week of a quarter: which articles change, and what people ask (pure)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.collection import JudgedCollection, Judgments

TOPICS = 6
_COMING = 0.12
_GOING = 0.06
_EDITED = 0.18
_KEPT_SHARE = 2 / 3
_MIN_INTEREST = 0.1


@dataclass(frozen=True, slots=True)
class Week:
    """One week of the desk.

    Attributes:
        number: From 1.
        documents: Ids of the articles that are there.
        changed: Articles that are new or edited, as the service takes them; in the first week all that are there.
        removed: Ids of those that went.
        interest: How much each train query is asked, by its id; 0 where no article answers it.
        poisoned: Whether false people visit too.
    """

    number: int
    documents: frozenset[str]
    changed: Sequence[dict[str, Any]]
    removed: Sequence[str]
    interest: Mapping[str, float]
    poisoned: bool


def plan_weeks(collection: JudgedCollection, count: int, poisoned: int, seed: int) -> list[Week]:
    """Return so many weeks of a desk.

    Of all articles 12% come after the first week, 6% go, and 18% lose their last third, some each week. Topics are
    stretches of the articles in the order of their ids; interest goes round them once in all the weeks.

    Args:
        poisoned: Number of the week in which false people visit; 0: none.
    """
    by_name = {str(one["id"]): one for one in collection.documents}
    coming, going, edited = _draw_changes(sorted(by_name), count, seed)
    topics = _find_topics(sorted(by_name))
    there = set(by_name) - {name for names in coming for name in names}
    weeks = []
    for place in range(count):
        there = (there | set(coming[place])) - set(going[place])
        new = sorted(there) if place == 0 else coming[place]
        changed = [by_name[name] for name in new] + [_edit(by_name[name], place + 1) for name in edited[place]]
        interest = _interest(collection.split("train"), there, topics, place / count)
        weeks.append(Week(place + 1, frozenset(there), changed, going[place], interest, place + 1 == poisoned))
    return weeks


def judge_in(week: Week, judged: Judgments) -> Judgments:
    """Return the judgments of the queries that an article of this week answers, without articles that are not there."""
    there = {
        query: {name: grade for name, grade in grades.items() if name in week.documents}
        for query, grades in judged.items()
    }
    return {query: grades for query, grades in there.items() if any(grade > 0 for grade in grades.values())}


def mislead(judged: Judgments, shown: Mapping[str, Sequence[str]]) -> Judgments:
    """Return what false people praise: of each list what stands low and answers nothing.

    Args:
        shown: Ids by query, the best first.
    """
    return {
        query: {name: 1 for name in names[len(names) // 2 :] if judged[query].get(name, 0) <= 0}
        for query, names in shown.items()
    }


def _draw_changes(
    names: Sequence[str], count: int, seed: int
) -> tuple[list[list[str]], list[list[str]], list[list[str]]]:
    """Return which articles come, go and are edited, by week; none in the first, and none twice."""
    order = np.random.default_rng([seed, 13]).permutation(np.array(names))
    ends = np.cumsum([round(share * len(names)) for share in (_COMING, _GOING, _EDITED)])
    drawn = np.split(order, ends)[:3]
    if count == 1:
        return [[]], [[]], [[]]
    coming, going, edited = ([[], *(part.tolist() for part in np.array_split(some, count - 1))] for some in drawn)
    return coming, going, edited


def _find_topics(names: Sequence[str]) -> dict[str, int]:
    return {name: place * TOPICS // len(names) for place, name in enumerate(names)}


def _interest(judged: Judgments, there: set[str], topics: Mapping[str, int], time: float) -> dict[str, float]:
    """Return how much queries are asked at a time in [0, 1) of the quarter."""
    near = [math.cos(2 * math.pi * (time - topic / TOPICS)) for topic in range(TOPICS)]
    weights = [_MIN_INTEREST + max(one, 0.0) ** 2 for one in near]
    answers = {
        query: [name for name, grade in grades.items() if grade > 0 and name in there]
        for query, grades in judged.items()
    }
    return {query: max((weights[topics[name]] for name in names), default=0.0) for query, names in answers.items()}


def _edit(document: dict[str, Any], week: int) -> dict[str, Any]:
    """Return an article without its last third, and with a note."""
    words = str(document["text"]).split()
    kept = words[: max(1, math.ceil(_KEPT_SHARE * len(words)))]
    return document | {"text": f"{' '.join(kept)} Edited in week {week}."}
