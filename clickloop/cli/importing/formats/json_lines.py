"""JSON Lines: one JSON object a line; a BEIR corpus is one, with ids under `_id`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from clickloop.cli.importing.formats.source import BROKEN, PackedFile, Row, broken_off
from foundation.web.bodies import read_entries

_ON_ITS_ONLY_LINE = re.compile(r"\(line 1, column")


class JsonLines(PackedFile):
    """A file of JSON objects, one a line, blank lines between them allowed.

    Lines are read by the rules that the service has for its own bodies.
    """

    def __iter__(self) -> Iterator[Row]:
        """Yield a row for every line but blank ones."""
        with self.open() as content:
            try:
                for number, line in enumerate(content, start=1):
                    if line.strip():
                        yield _read(f"{self.name} line {number}", line)
            except BROKEN as problem:
                yield broken_off(self.name, problem)


def _read(place: str, line: bytes) -> Row:
    (entry,) = read_entries(line, "application/x-ndjson", 1)
    if entry.fault is not None:
        return Row(place, fault=_ON_ITS_ONLY_LINE.sub("(column", entry.fault.reason))
    if not isinstance(entry.value, dict):
        return Row(place, fault=f"must be a JSON object, not {type(entry.value).__name__}")
    return Row(place, entry.value)
