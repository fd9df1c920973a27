"""What an owner says of a collection's relevance, under the names of the HTTP API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from clickloop.client.answer import known_items

SettingsKind = Literal["synonyms", "rules", "ranking", "features"]
"""The settings that `/v1/{kind}` reads and changes."""


@dataclass(frozen=True, slots=True)
class RelevanceRevision:
    """One revision of the settings.

    Attributes:
        revision: Counts up in each collection; 0 before anything was said.
        serves: Whether it was made to serve; a draft waits.
        at: When it was made, in ISO 8601; None before anything was said.
        actor: Who made it.
        note: Why.
    """

    revision: int
    serves: bool = True
    at: str | None = None
    actor: str = ""
    note: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RelevanceRevision:
        """Return the revision that the service told."""
        return cls(**known_items(cls, value))


@dataclass(frozen=True, slots=True)
class RelevanceSettings:
    """The settings of a revision by kind and name; of a kind that was not asked for, none.

    Attributes:
        terms: Of `ranking`.
        raw: The whole answer as JSON values.
    """

    revision: RelevanceRevision
    synonyms: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    terms: dict[str, dict[str, Any]] = field(default_factory=dict)
    features: dict[str, dict[str, Any]] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> RelevanceSettings:
        """Return the settings that the service told."""
        kinds = {name: value[name] for name in ("synonyms", "rules", "terms", "features") if name in value}
        return cls(RelevanceRevision.from_json(value), **kinds, raw=value)
