"""Sends documents to a running service in batches, and tells what it refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from foundation.errors import FieldFault
from foundation.http_client import Refused, ServiceClient
from foundation.retries import RetryPolicy

MAX_DOCUMENTS = 500
MAX_BYTES = 2 * 2**20
"""Size of a batch; a single document may be larger."""

_TOO_LARGE = 413
_INVALID = 422


@dataclass(frozen=True, slots=True)
class OutgoingDocument:
    """A document as it is sent.

    Attributes:
        place: Where it was read, for people.
        line: Its JSON, without line ends.
        size_bytes: What the line takes of a request.
    """

    place: str
    id: str
    line: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A document, search or event that was not taken, by the reader or by the service.

    Attributes:
        place: Where it was read, for people.
        id: "" when none could be read.
    """

    place: str
    id: str
    faults: tuple[FieldFault, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"place": self.place, "id": self.id, "fields": [asdict(fault) for fault in self.faults]}

    def __str__(self) -> str:
        """Return one line for people."""
        named = f" ({self.id})" if self.id else ""
        return f"{self.place}{named}: " + "; ".join(f"{fault.field} {fault.reason}" for fault in self.faults)


class DocumentDelivery:
    """Puts documents into a collection. Storing is idempotent by id, so a batch may be sent twice."""

    def __init__(self, remote: ServiceClient, retry: RetryPolicy) -> None:
        self._remote = remote
        self._retry = retry

    def send(self, batch: Sequence[OutgoingDocument]) -> tuple[Counter[str], list[RefusedRow]]:
        """Send a batch; return how many were created, updated and unchanged, and what was refused.

        A batch that is refused as a whole is sent again in halves, so that one document too many
        or too large costs no other.

        Raises:
            NotReady: The service stayed away.
            Refused: It refuses every document, whatever it is.
        """
        try:
            lines = "\n".join(document.line for document in batch)
            answer = self._retry.ask(lambda: self._remote.put_lines("/v1/documents", lines))
        except Refused as whole:
            if whole.code not in {_TOO_LARGE, _INVALID}:
                raise
            return self._settle(batch, whole)
        statuses = Counter(verdict["status"] for verdict in answer["verdicts"])
        del statuses["refused"]
        refused = [verdict for verdict in answer["verdicts"] if verdict["status"] == "refused"]
        return statuses, [_refusal(batch[verdict["index"]], verdict) for verdict in refused]

    def _settle(self, batch: Sequence[OutgoingDocument], refused: Refused) -> tuple[Counter[str], list[RefusedRow]]:
        if len(batch) == 1:
            faults = refused.fields or (FieldFault("document", refused.detail),)
            return Counter(), [RefusedRow(batch[0].place, batch[0].id, faults)]
        each = list(_by_document(batch, refused.fields))
        if len(each) == len(batch):
            return Counter(), each
        half = len(batch) // 2
        (first, refused_first), (second, refused_second) = self.send(batch[:half]), self.send(batch[half:])
        return first + second, refused_first + refused_second


def _refusal(document: OutgoingDocument, verdict: dict[str, Any]) -> RefusedRow:
    faults = tuple(FieldFault(fault["field"], fault["reason"]) for fault in verdict["fields"])
    return RefusedRow(document.place, document.id, faults)


def _by_document(batch: Sequence[OutgoingDocument], faults: Sequence[FieldFault]) -> Iterator[RefusedRow]:
    """Yield the refusals of an answer that keeps nothing: its faults are named `3.title`."""
    for index, document in enumerate(batch):
        prefix = f"{index}."
        own = [fault for fault in faults if fault.field.startswith(prefix)]
        if own:
            yield RefusedRow(
                document.place,
                document.id,
                tuple(FieldFault(one.field.removeprefix(prefix), one.reason) for one in own),
            )
