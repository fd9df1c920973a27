"""What `/readyz` says: whether this replica answers, and what is amiss although it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from foundation.database.engine import problems_of
from foundation.errors import NotReady
from foundation.telemetry.logs import get_log

_log = get_log("readiness")


class ProblemSource(Protocol):
    """A part that knows what is amiss with it."""

    def problems(self) -> list[str]:
        """Return a sentence for everything that is amiss now. Asks no store, and never waits."""


@dataclass(frozen=True, slots=True)
class DatabaseSource:
    """What this process found when it last used a database."""

    engine: sa.Engine

    def problems(self) -> list[str]:
        """Return whether it can be read and written."""
        return problems_of(self.engine)


class Readiness:
    """Gathers what the parts of one replica say of themselves.

    Args:
        is_loaded: Whether every collection there was at the start has a version.
    """

    def __init__(
        self, state: Callable[[], dict[str, Any]], is_loaded: Callable[[], bool], sources: Sequence[ProblemSource]
    ) -> None:
        self._state = state
        self._is_loaded = is_loaded
        self._sources = sources

    def tell(self) -> dict[str, Any]:
        """Return what `/readyz` answers.

        Raises:
            NotReady: The replica is still loading.
        """
        if not self._is_loaded():
            raise NotReady("this replica is still loading; ask again in a second")
        problems = list(dict.fromkeys(self._problems()))
        status = "degraded" if problems else "ready"
        return {"status": status, "problems": problems, "collections": self._state()}

    def _problems(self) -> Iterable[str]:
        for source in self._sources:
            try:
                yield from source.problems()
            except Exception:  # noqa: BLE001  logged and told; one part that cannot speak must not silence the others
                part = type(source).__name__
                _log.exception("problems cannot be told", part=part)
                yield f"{part} cannot tell how it is; the log says why"
