"""Sends searches and events to a running service in batches, and tells what it refused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from clickloop.cli.history.entries import Outgoing
from clickloop.cli.history.log_columns import LogColumns
from clickloop.cli.importing.delivery import RefusedRow
from foundation.errors import FieldFault
from foundation.http_client import Refused, ServiceClient
from foundation.retries import RetryPolicy

_TOO_LARGE = 413
_INVALID = 422


class LogDelivery:
    """Puts the content of a log into a collection. Ids make it idempotent, so a batch may be sent twice."""

    def __init__(self, remote: ServiceClient, retry: RetryPolicy, columns: LogColumns) -> None:
        self._remote = remote
        self._retry = retry
        self._columns = columns

    def send(self, path: str, batch: Sequence[Outgoing]) -> list[RefusedRow]:
        """Send searches, or events, to their path; return what was refused.

        A batch that is refused as a whole is sent again in halves, down to what is at fault. What comes too
        soon is sent again until it is taken: alone it is put off as a whole, with the time to wait.

        Raises:
            NotReady: The service stayed away.
            Refused: It refuses everything, whatever it is.
        """
        refusals: list[RefusedRow] = []
        while batch:
            bodies = [json.loads(one.body) for one in batch]
            try:
                answer = self._retry.ask(partial(self._remote.post, path, bodies))
            except Refused as whole:
                if whole.code not in {_TOO_LARGE, _INVALID}:
                    raise
                return refusals + self._settle(path, batch, whole)
            refused = [verdict for verdict in answer["verdicts"] if verdict["status"] == "refused"]
            final = [verdict for verdict in refused if not verdict.get("retry_after_s")]
            refusals += [self._refusal(batch[verdict["index"]], _faults(verdict)) for verdict in final]
            batch = [batch[verdict["index"]] for verdict in refused if verdict.get("retry_after_s")]
        return refusals

    def _settle(self, path: str, batch: Sequence[Outgoing], whole: Refused) -> list[RefusedRow]:
        if len(batch) > 1:
            half = len(batch) // 2
            return self.send(path, batch[:half]) + self.send(path, batch[half:])
        faults = [FieldFault(one.field.removeprefix("0."), one.reason) for one in whole.fields]
        return [self._refusal(batch[0], faults or [FieldFault("row", whole.detail)])]

    def _refusal(self, one: Outgoing, faults: Sequence[FieldFault]) -> RefusedRow:
        return RefusedRow(one.place, one.id, tuple(self._columns.place(fault) for fault in faults))


def _faults(verdict: Mapping[str, Any]) -> list[FieldFault]:
    """Return the faults of a verdict: fields of a native one, reasons that begin with the field of the others."""
    if "fields" in verdict:
        return [FieldFault(fault["field"], fault["reason"]) for fault in verdict["fields"]]
    return [FieldFault(*reason.split(" ", 1)) for reason in verdict["reasons"]]
