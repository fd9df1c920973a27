"""What the checks examine: the latest events with the lists they are about, and the latest searches (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from foundation.contracts import FeedbackEvent


@dataclass(frozen=True, slots=True)
class KnownList:
    """When a list was shown, and the rank of each document in it, 1 on top."""

    at: datetime
    ranks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class JoinedEvent(FeedbackEvent):
    """One stored event. Its `position` is the rank by the client's word, None without one.

    Attributes:
        about: The list it belongs to, None while that is unknown.
        conflicts: How often its id came again with other content.
    """

    about: KnownList | None = None
    conflicts: int = 0


@dataclass(frozen=True, slots=True)
class Searched:
    """One search; whether it has feedback besides hits that were seen, and whether no user or session came with it."""

    query_id: str
    surface: str
    joined: bool
    nameless: bool


@dataclass(frozen=True, slots=True)
class JoinSnapshot:
    """What the checks of one collection examine.

    Attributes:
        events: The latest by receipt, the last one first.
        searches: The latest by query id.
        lateness_days: After how long events are not folded.
        refused_unset: Events about a query id that is no id, refused since this process began to serve.
    """

    events: Sequence[JoinedEvent]
    searches: Mapping[str, Searched]
    lateness_days: float
    refused_unset: int = 0
