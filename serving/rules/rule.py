"""A rule of the owner: for which searches it is meant, when, and what it does to their lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

MAX_RANK = 1000
"""Ranks that can be filled: those that have pages."""


@dataclass(frozen=True, slots=True)
class Pin:
    """Puts a document at a rank, whatever is searched for."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    id: str = field(metadata={"description": "The document."})
    rank: int = field(default=1, metadata={"description": "1 on top."})


@dataclass(frozen=True, slots=True)
class Lift:
    """Moves what a filter lets through up or down among what is found."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    filter: dict[str, Any] = field(metadata={"description": "A filter, as of a search."})
    by: float = field(
        default=2.0, metadata={"description": "How far, in log-odds; words and meaning together are worth 10."}
    )


@dataclass(frozen=True, slots=True)
class When:
    """For which searches a rule is meant: all that is named must hold."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    queries: tuple[str, ...] = field(default=(), metadata={"description": "Queries, of which one must be asked."})
    match: Literal["is", "contains"] = field(
        default="is", metadata={"description": "Whether the whole query is meant, or its words beside each other."}
    )
    attributes: dict[str, str] = field(
        default_factory=dict, metadata={"description": "What the search says in `attributes`."}
    )
    surface: str = field(default="", metadata={"description": "Where the answer is shown; any surface when empty."})


@dataclass(frozen=True, slots=True)
class Rule:
    """What an owner wants of some searches. What is pinned twice stands at its first place."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    when: When = field(default_factory=When, metadata={"description": "For which searches; for all when left out."})
    since: datetime | None = field(default=None, metadata={"description": "When it begins, with a zone."})
    until: datetime | None = field(default=None, metadata={"description": "When it ends, with a zone."})
    priority: int = field(default=0, metadata={"description": "Which goes first where rules disagree: the larger."})
    enabled: bool = field(default=True, metadata={"description": "false keeps it without effect."})
    note: str = field(default="", metadata={"description": "Why it is there, for people."})
    pin: tuple[Pin, ...] = field(default=(), metadata={"description": "Documents put at ranks."})
    hide: tuple[str, ...] = field(default=(), metadata={"description": "Documents that are not listed."})
    boost: tuple[Lift, ...] = field(default=(), metadata={"description": "What is moved up."})
    bury: tuple[Lift, ...] = field(default=(), metadata={"description": "What is moved down."})
    filter: dict[str, Any] | None = field(default=None, metadata={"description": "What alone is listed."})
    redirect: str = field(default="", metadata={"description": "Where the page should lead instead."})
    banner: dict[str, Any] | None = field(default=None, metadata={"description": "What the page should show, as JSON."})

    def is_due(self, now: datetime) -> bool:
        """Return whether it acts at a moment: from `since` on, and before `until`."""
        return (self.since is None or self.since <= now) and (self.until is None or now < self.until)

    @property
    def acts(self) -> bool:
        """Whether it does anything at all."""
        moves = self.pin or self.hide or self.boost or self.bury
        return bool(moves or self.redirect) or self.filter is not None or self.banner is not None
