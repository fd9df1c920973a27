"""Sends documents from files to a running service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from clickloop.remote import Remote
from foundation.errors import FieldFault, InvalidRequest
from simulator.collection import read_beir

_AT_ONCE = 500


def send_documents(remote: Remote, source: Path, console: Console) -> int:
    """Send the documents of a BEIR folder or a .jsonl file; return how many were accepted.

    Raises:
        InvalidRequest: The service refused some; the message names the first.
    """
    documents = read_beir(source).documents if source.is_dir() else list(_read_lines(source))
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("sending", total=len(documents))
        for start in range(0, len(documents), _AT_ONCE):
            chunk = documents[start : start + _AT_ONCE]
            answer = remote.put_lines("/v1/documents", "\n".join(json.dumps(one) for one in chunk))
            if answer["refused"]:
                bad = next(verdict for verdict in answer["verdicts"] if verdict["status"] == "refused")
                faults = tuple(FieldFault(fault["field"], fault["reason"]) for fault in bad["fields"])
                raise InvalidRequest(f"document {start + bad['index']} ({bad['id']!r}) was refused: {faults}", faults)
            progress.advance(task, len(chunk))
    return len(documents)


def _read_lines(source: Path) -> Iterator[dict[str, Any]]:
    with source.open() as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)
