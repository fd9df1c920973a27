"""What a user did with one list, from all events about it (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from foundation.contracts import EventType, FeedbackEvent

LONG_DWELL_S = 30.0
"""The customary threshold of a satisfied click (Fox et al. 2005, doi:10.1145/1059981.1059982)."""
QUICK_RETURN_S = 10.0
LIKED_STARS = 4
DISLIKED_STARS = 2
MILLIONTHS = 1_000_000
_MAX_WORTH = 1e9
ABOUT_THE_LIST: frozenset[EventType] = frozenset({"resolved", "unresolved", "abandon"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a user did with one list.

    Attributes:
        clicked: Ranks clicked, ascending, each once.
        clicked_ms: When each of them was first clicked, in milliseconds since 1970, 0 where nobody kept it.
        seen: Ranks reported as seen, ascending, each once.
        ratings: The last rating of each document, in stars.
        dwell: The longest stay on each document, in seconds.
        conversions: How many conversions each document had.
        revenue: What all conversions are worth, in millionths; one counts with a thousand million at most.
        resolved: Whether the user said the query was answered; None without a word.
        credited: The document that resolved it: the one the user named, else the last one clicked.
        abandoned: Whether the user left the list.
        custom: By the name of a custom event, how many there were and what all are worth in millionths, each as in
            `revenue`.
    """

    clicked: tuple[int, ...] = ()
    ratings: dict[str, int] = field(default_factory=dict)
    dwell: dict[str, float] = field(default_factory=dict)
    conversions: dict[str, int] = field(default_factory=dict)
    resolved: bool | None = None
    credited: str = ""
    abandoned: bool = False
    seen: tuple[int, ...] = ()
    clicked_ms: tuple[int, ...] = ()
    revenue: int = 0
    custom: dict[str, tuple[int, int]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as values that JSON can hold; what most lists lack is left out."""
        times = {"clicked_ms": self.clicked_ms} if self.clicked_ms else {}
        worth: dict[str, Any] = {"revenue": self.revenue} if self.revenue else {}
        worth |= {"custom": self.custom} if self.custom else {}
        return {
            "clicked": self.clicked,
            "ratings": self.ratings,
            "dwell": self.dwell,
            "conversions": self.conversions,
            "resolved": self.resolved,
            "credited": self.credited,
            "abandoned": self.abandoned,
            "seen": self.seen,
            **times,
            **worth,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Outcome:
        """Return the outcome that `to_json` wrote, in this release or in an older one that kept less."""
        clicked = tuple(value["clicked"])
        times = tuple(value.get("clicked_ms", (0,) * len(clicked)))
        custom = {name: (count, worth) for name, (count, worth) in value.get("custom", {}).items()}
        lists = {"clicked": clicked, "seen": tuple(value.get("seen", ())), "clicked_ms": times}
        return cls(**value | lists | {"custom": custom})

    def plus(self, later: Outcome) -> Outcome:
        """Return the outcome of the events behind both, where no rating or verdict is among the later ones."""
        stays = {key: max(stay, self.dwell.get(key, 0.0)) for key, stay in later.dwell.items()}
        conversions = {key: number + self.conversions.get(key, 0) for key, number in later.conversions.items()}
        clicks = _first_of(
            [*zip(self.clicked, self.clicked_ms, strict=True), *zip(later.clicked, later.clicked_ms, strict=True)]
        )
        return replace(
            self,
            clicked=tuple(clicks),
            clicked_ms=tuple(clicks.values()),
            dwell=self.dwell | stays,
            conversions=self.conversions | conversions,
            abandoned=self.abandoned or later.abandoned,
            seen=tuple(sorted({*self.seen, *later.seen})),
            revenue=self.revenue + later.revenue,
            custom=_summed(self.custom, later.custom),
        )

    def _clicks(self) -> Iterable[tuple[int, int]]:
        return zip(self.clicked, self.clicked_ms, strict=True)


NO_OUTCOME = Outcome()


def outcome_of(ranks: Mapping[str, int], events: Collection[FeedbackEvent]) -> Outcome:
    """Return what the events of one list amount to.

    Order does not matter, and an event that comes twice counts once. Clicks, ratings, dwells and
    conversions of documents that the list did not show are left out.

    Args:
        ranks: Rank of every document shown, 1 on top.
        events: The list's events that came in time.
    """
    if not events:
        return NO_OUTCOME
    once = {event.id: event for event in events if event.document_id in ranks or _is_about_the_list(event)}
    by_type: dict[EventType, list[FeedbackEvent]] = {}
    for event in sorted(once.values(), key=lambda event: (event.at, event.id)):
        by_type.setdefault(event.type, []).append(event)
    clicks = by_type.get("click", [])
    conversions = by_type.get("conversion", [])
    first_clicks = _first_of([(ranks[event.document_id], _milliseconds(event.at)) for event in clicks])
    verdict = _last_verdict(by_type)
    resolved = verdict.type == "resolved" if verdict else None
    return Outcome(
        clicked=tuple(first_clicks),
        ratings={event.document_id: int(event.value) for event in by_type.get("rating", [])},
        dwell=_longest(by_type.get("dwell", [])),
        conversions=dict(Counter(event.document_id for event in conversions)),
        resolved=resolved,
        credited=_credited(verdict, clicks, ranks) if verdict and resolved else "",
        abandoned="abandon" in by_type,
        seen=_ranks_of(by_type.get("seen", []), ranks),
        clicked_ms=tuple(first_clicks.values()),
        revenue=sum(_millionths(event.value) for event in conversions),
        custom=_custom(by_type.get("custom", [])),
    )


def satisfaction(outcome: Outcome, document_id: str) -> int:
    """Return 1 when a user was satisfied with a document, -1 when not, 0 when nothing says so.

    A clear rating outweighs what the user did; a conversion or resolution outweighs a dwell time.
    """
    stars = outcome.ratings.get(document_id)
    if stars is not None and (stars >= LIKED_STARS or stars <= DISLIKED_STARS):
        return 1 if stars >= LIKED_STARS else -1
    if document_id in outcome.conversions or outcome.credited == document_id:
        return 1
    seconds = outcome.dwell.get(document_id)
    if seconds is None:
        return 0
    return int(seconds >= LONG_DWELL_S) - int(seconds < QUICK_RETURN_S)


def _is_about_the_list(event: FeedbackEvent) -> bool:
    return event.type in ABOUT_THE_LIST or (event.type == "custom" and not event.document_id)


def _custom(events: Iterable[FeedbackEvent]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for event in events:
        found = _summed(found, {event.name: (1, _millionths(event.value))})
    return found


def _summed(one: Mapping[str, tuple[int, int]], other: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    total = dict(one)
    for name, (count, worth) in other.items():
        known_count, known_worth = total.get(name, (0, 0))
        total[name] = (known_count + count, known_worth + worth)
    return total


def _ranks_of(events: Iterable[FeedbackEvent], ranks: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(sorted({ranks[event.document_id] for event in events}))


def _first_of(clicks: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Return the first click of each rank, ranks ascending; moments that nobody kept give way to those that are."""
    first: dict[int, int] = {}
    for rank, moment in sorted(clicks):
        first[rank] = first.get(rank) or moment
    return first


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _millionths(worth: float) -> int:
    return round(max(-_MAX_WORTH, min(worth, _MAX_WORTH)) * MILLIONTHS)


def _last_verdict(by_type: Mapping[EventType, list[FeedbackEvent]]) -> FeedbackEvent | None:
    verdicts = [*by_type.get("resolved", []), *by_type.get("unresolved", [])]
    return max(verdicts, key=lambda event: (event.at, event.id), default=None)


def _credited(verdict: FeedbackEvent, clicks: list[FeedbackEvent], ranks: Mapping[str, int]) -> str:
    if verdict.document_id in ranks:
        return verdict.document_id
    return clicks[-1].document_id if clicks else ""


def _longest(dwells: list[FeedbackEvent]) -> dict[str, float]:
    longest: dict[str, float] = {}
    for event in dwells:
        longest[event.document_id] = max(event.value, longest.get(event.document_id, 0.0))
    return longest
