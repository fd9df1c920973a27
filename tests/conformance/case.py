"""One row of the conformance table: what a client sends, and what must come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Case:
    """One documented field or error of one intake.

    Attributes:
        intake: The intake, as the table names it.
        sent: What is sent, as the table says it.
        body: The request's body; bytes and text go out as they are.
        becomes: What the table says comes of it.
        status: The answer's status.
        kinds: What reaches the log: "impression" or the events' types.
        expect: Attributes of the first thing that reaches the log.
        message: What the answer's text must hold, "" for anything.
        strict_status: The status in the strict mode of Insights, where it differs.
        headers: Headers beside the intake's own.
        items: What reaches the catalog.
    """

    intake: str
    sent: str
    body: Any
    becomes: str
    status: int = 200
    kinds: tuple[str, ...] = ()
    expect: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    strict_status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, Any] = field(default_factory=dict)

    @property
    def row(self) -> str:
        """The row of the table."""
        status = self.status if self.strict_status is None else f"{self.status}, strict {self.strict_status}"
        return f"| {self.intake} | {self.sent} | {status} | {self.becomes} |"
