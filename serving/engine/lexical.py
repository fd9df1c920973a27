"""BM25 over titles and texts by tantivy, with live additions and deletions."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tantivy

FIELDS = ("title", "text")

_WORD = re.compile(r"\w+")
_WRITER_BYTES = 64_000_000


class LexicalIndex:
    """A BM25 index (English stemming) of numbered rows.

    Searches may run while one thread adds or removes; they see the last `commit`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        schema = tantivy.SchemaBuilder()
        schema.add_integer_field("row", indexed=True, fast=True)
        schema.add_text_field("title", tokenizer_name="en_stem")
        schema.add_text_field("text", tokenizer_name="en_stem")
        self._schema = schema.build()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self._index = tantivy.Index(self._schema, str(folder)) if folder else tantivy.Index(self._schema)
        self._writer = self._index.writer(_WRITER_BYTES, 1)

    def add(self, row: int, title: str, text: str) -> None:
        """Add a row; searchable after `commit`."""
        self._writer.add_document(tantivy.Document(row=row, title=title, text=text))

    def remove(self, row: int) -> None:
        """Remove a row; gone after `commit`."""
        self._writer.delete_documents_by_query(tantivy.Query.term_query(self._schema, "row", row))

    def commit(self) -> None:
        """Make additions and removals visible."""
        self._writer.commit()
        self._index.reload()

    def compact(self) -> None:
        """Leave the index as few segments; it is not written any more."""
        self._writer.wait_merging_threads()

    @staticmethod
    def share(source: Path, target: Path) -> None:
        """Make `target` a copy of the index in `source` that shares its bytes and none of its changes."""
        target.mkdir(parents=True)
        for path in source.iterdir():
            if path.suffix != ".lock":
                os.link(path, target / path.name)

    def search(
        self, query: str, limit: int, allowed: npt.NDArray[np.bool_] | None = None, fields: tuple[str, ...] = FIELDS
    ) -> dict[int, float]:
        """Return BM25 scores of at most `limit` best rows; any word may match.

        Args:
            query: What the user typed; no character has a special meaning.
            limit: Most rows returned, at least 1.
            allowed: When given, rows that count, by row.
            fields: What is searched.
        """
        words = " ".join(_WORD.findall(query.lower()))
        if not words:
            return {}
        parsed, _ = self._index.parse_query_lenient(words, list(fields))
        if allowed is not None:
            rows = tantivy.Query.const_score_query(
                tantivy.Query.term_set_query(self._schema, "row", np.flatnonzero(allowed).tolist()), 0.0
            )
            parsed = tantivy.Query.boolean_query([(tantivy.Occur.Must, parsed), (tantivy.Occur.Must, rows)])
        searcher = self._index.searcher()
        hits = searcher.search(parsed, limit, count=False).hits
        rows_found = searcher.fast_field_values("row", [address for _, address in hits])
        return {int(row): float(score) for row, (score, _) in zip(rows_found, hits, strict=True) if row is not None}
