"""One JSON array of objects, read element by element."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import ijson

from clickloop.cli.importing.formats.source import BROKEN, PackedFile, Row, broken_off
from foundation.errors import InvalidRequest

_BOM = b"\xef\xbb\xbf"


class JsonArray(PackedFile):
    """A file that is one JSON array.

    What stands behind a place that is not JSON cannot be read; it is one row with a fault.

    Raises:
        InvalidRequest: It begins with something else than an array.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with self.open() as content:
            beginning = content.read(256).removeprefix(_BOM).lstrip()
        if not beginning.startswith(b"["):
            raise InvalidRequest(
                f"{self.name} must be a JSON array of objects; for an object a line name it {path.stem}.jsonl"
            )

    def __iter__(self) -> Iterator[Row]:
        """Yield a row for every element."""
        with self.open() as content:
            if content.read(len(_BOM)) != _BOM:
                content.seek(0)
            try:
                for number, element in enumerate(ijson.items(content, "item", use_float=True), start=1):
                    place = f"{self.name} element {number}"
                    if isinstance(element, dict):
                        yield Row(place, element)
                    else:
                        yield Row(place, fault=f"must be a JSON object, not {type(element).__name__}")
            except (ijson.JSONError, UnicodeDecodeError, *BROKEN) as problem:
                yield broken_off(self.name, problem)
