"""What an arm of an experiment is: a version, some serving settings on top of one, or an engine outside clickloop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, get_args

from foundation.errors import FieldFault

CHAMPION = "champion"
"""A version's place in a plan: whichever version serves when the experiment starts."""

Fusion = Literal["convex", "rrf", "linear"]
_NAME_LENGTH = 32
_VERSION_LENGTH = 64
_MAX_WEIGHT = 1000
_MAX_REVISION = 2**53


@dataclass(frozen=True, slots=True)
class ArmSettings:
    """Serving settings that an arm changes; None leaves one as the version has it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    rerank: bool | None = field(default=None, metadata={"description": "Whether late interaction reranks."})
    meaning: bool | None = field(default=None, metadata={"description": "Whether meaning retrieves, beside words."})
    fusion: Fusion | None = field(
        default=None, metadata={"description": "How lists are fused: convex, rrf, or the version's learned linear."}
    )
    relevance: int | None = field(
        default=None,
        metadata={"description": "Revision of the owner's relevance settings; those that serve when left out."},
    )


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of an experiment."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    name: str = field(metadata={"description": "Name of the arm in impressions and reports."})
    version: str = field(default="", metadata={"description": "Version that ranks: an id, a name, or 'champion'."})
    settings: ArmSettings = field(
        default_factory=ArmSettings, metadata={"description": "What it changes of how that version serves."}
    )
    weight: float = field(default=1.0, metadata={"description": "Its share of the units, relative to the others'."})
    engine: str = field(
        default="",
        metadata={
            "description": "Instead of a version, an engine outside clickloop; the app asks it and posts its lists."
        },
    )


def arm_faults(arm: Arm, place: str) -> Iterator[FieldFault]:
    """Yield what is wrong with an arm.

    Args:
        place: The field of the plan that names the arm's version.
    """
    if arm.engine:
        yield from _engine_faults(arm)
    elif not _is_name(arm.version, _VERSION_LENGTH):
        yield FieldFault(place, f"must be 1 to {_VERSION_LENGTH} printable characters")
    if not _is_name(arm.name, _NAME_LENGTH):
        yield FieldFault("arms", f"must have names of 1 to {_NAME_LENGTH} printable characters, not {arm.name!r:.100}")
    if not 0 < arm.weight <= _MAX_WEIGHT:
        yield FieldFault("arms", f"must have weights above 0 and at most {_MAX_WEIGHT}, not {arm.weight}")
    if arm.settings.relevance is not None and not 0 < arm.settings.relevance <= _MAX_REVISION:
        yield FieldFault("arms", f"must name revisions from 1 to {_MAX_REVISION}, not {arm.settings.relevance}")
    if arm.settings.fusion not in (None, *get_args(Fusion)):
        yield FieldFault("arms", f"must fuse by one of {', '.join(get_args(Fusion))}, not {arm.settings.fusion!r:.100}")


def _engine_faults(arm: Arm) -> Iterator[FieldFault]:
    if not _is_name(arm.engine, _VERSION_LENGTH):
        yield FieldFault("arms", f"must name engines by 1 to {_VERSION_LENGTH} printable characters")
    if arm.version or arm.settings != ArmSettings():
        yield FieldFault(
            "arms", f"hold {arm.name!r:.100}, an engine outside clickloop: it has no version and no settings"
        )


def _is_name(value: str, length: int) -> bool:
    return bool(value.strip()) and len(value) <= length and value.isprintable()
