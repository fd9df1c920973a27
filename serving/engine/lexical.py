"""BM25 over titles, texts and clicked queries by tantivy, with live additions and deletions."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tantivy

from foundation.errors import ArtifactDamaged
from serving.engine.analysis import Analysis, compound_forms, normalise
from serving.engine.clauses import CLICKED, CODES, Composer
from serving.engine.spelling import WORDS

Flags = npt.NDArray[np.bool_]
Hits = list[tuple[int, float]]

FIELDS = ("title", "text", CLICKED)

_WRITER_BYTES = 16_000_000
_NARROW = 1000
_MERGED = 8  # segments of a size that tantivy merges
_WORTH_MERGING = 5000
_NO_ROW = -1


class LexicalIndex:
    """A BM25 index of numbered rows.

    Searches may run while one thread adds or removes; they see the last `commit`.

    Args:
        folder: Where the index is, opened if there and else created; None keeps it in memory.
        analysis: How texts and queries are read.

    Raises:
        ArtifactDamaged: The index in the folder was made with another analysis or by another release.
    """

    def __init__(self, folder: Path | None = None, analysis: Analysis | None = None) -> None:
        analysis = analysis or Analysis()
        self._schema = _declare(analysis)
        self._index = _open(self._schema, folder)
        self._index.register_tokenizer(f"stems-{analysis.key}", analysis.stems())
        self._index.register_tokenizer(f"words-{analysis.key}", analysis.words())
        self._writer = self._index.writer(_WRITER_BYTES, 1)
        self._composer = Composer(self._schema, analysis)

    def add(self, row: int, title: str, text: str, clicked: Sequence[str] = ()) -> None:
        """Add a row; searchable after `commit`.

        Args:
            clicked: Queries after which users chose the document.
        """
        title, text = normalise(title), normalise(text)
        codes = compound_forms(f"{title} {text}")
        document = tantivy.Document(row=row, title=title, text=text)
        for name, values in ((WORDS, (title, text)), (CODES, codes), (CLICKED, map(normalise, clicked))):
            for value in values:
                document.add_text(name, value)
        self._writer.add_document(document)

    def remove(self, row: int) -> None:
        """Remove a row; gone after `commit`."""
        self._writer.delete_documents_by_query(tantivy.Query.term_query(self._schema, "row", row))

    def commit(self) -> None:
        """Make additions and removals visible."""
        self._writer.commit()
        self._index.reload()

    def compact(self) -> None:
        """Commit and leave the index as few segments, in seconds; it is not written any more.

        tantivy merges segments when eight are of a size, and has no other call for it. Seven more of
        a document each therefore make it merge all small ones; then they go, but count in its
        statistics, so that small indexes are left as they are.
        """
        self.commit()
        searcher = self._index.searcher()
        if searcher.num_segments > 1 and searcher.num_docs >= _WORTH_MERGING:
            for _ in range(_MERGED - 1):
                self._writer.add_document(tantivy.Document(row=_NO_ROW))
                self._writer.commit()
            self._writer.wait_merging_threads()
            self._writer = self._index.writer(_WRITER_BYTES, 1)
            self.remove(_NO_ROW)
            self._writer.commit()
        self._writer.wait_merging_threads()
        self._index.reload()

    @staticmethod
    def share(source: Path, target: Path) -> None:
        """Make `target` a copy of the index in `source` that shares its bytes and none of its changes."""
        target.mkdir(parents=True)
        for path in source.iterdir():
            if path.suffix != ".lock":
                os.link(path, target / path.name)

    def search(
        self, query: str, limit: int, allowed: Flags | None = None, fields: Sequence[str] = FIELDS
    ) -> dict[int, float]:
        """Return the scores of at most `limit` best rows, best first; any word may match.

        Args:
            query: What the user typed. Quotation marks raise documents with the words together;
                no other character has a meaning.
            limit: Most rows returned, at least 1.
            allowed: When given, which rows count, by row; rows beyond its end do not.
            fields: What is searched.
        """
        searcher = self._index.searcher()
        asked = self._composer.compose(query, fields, searcher)
        if asked is None or not searcher.num_docs:
            return {}
        if allowed is None:
            return dict(_best(searcher, asked, limit))
        rows = np.flatnonzero(allowed)
        if len(rows) > _NARROW:
            return dict(_best_of_many(searcher, asked, limit, allowed, len(rows)))
        return dict(_best(searcher, self._within(asked, rows.tolist()), limit)) if len(rows) else {}

    def correct(self, query: str) -> str | None:
        """Return a query with its unknown words exchanged for known ones, None when none is to be exchanged."""
        return self._composer.correct(query, self._index.searcher())

    def _within(self, asked: tantivy.Query, rows: list[int]) -> tantivy.Query:
        """Limit a query to few rows; a term each is several times faster than one set of terms."""
        terms = [tantivy.Query.term_query(self._schema, "row", row, index_option="basic") for row in rows]
        any_row = tantivy.Query.boolean_query([(tantivy.Occur.Should, term) for term in terms])
        chosen = tantivy.Query.const_score_query(any_row, 0.0)
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, asked), (tantivy.Occur.Must, chosen)])


def _best(searcher: tantivy.Searcher, asked: tantivy.Query, limit: int) -> Hits:
    hits = searcher.search(asked, min(limit, searcher.num_docs), count=False).hits
    rows = searcher.fast_field_values("row", [address for _, address in hits])
    return [(int(row), float(score)) for row, (score, _) in zip(rows, hits, strict=True) if row is not None]


def _best_of_many(searcher: tantivy.Searcher, asked: tantivy.Query, limit: int, allowed: Flags, count: int) -> Hits:
    """Search a little deeper than the allowed rows should lie, and twice as deep until enough of them are found."""
    depth = limit + limit * searcher.num_docs * 5 // (count * 4)
    while True:
        found = _best(searcher, asked, depth)
        kept = [(row, score) for row, score in found if row < len(allowed) and allowed[row]]
        if len(kept) >= limit or len(found) < depth:
            return kept[:limit]
        depth *= 2


def _declare(analysis: Analysis) -> tantivy.Schema:
    stems, words = f"stems-{analysis.key}", f"words-{analysis.key}"
    schema = tantivy.SchemaBuilder()
    schema.add_integer_field("row", indexed=True, fast=True)
    schema.add_text_field("title", tokenizer_name=stems)
    schema.add_text_field("text", tokenizer_name=stems)
    schema.add_text_field(CLICKED, tokenizer_name=stems, index_option="basic")
    schema.add_text_field(WORDS, tokenizer_name=words, index_option="basic")
    schema.add_text_field(CODES, tokenizer_name="whitespace", index_option="basic")
    return schema.build()


def _open(schema: tantivy.Schema, folder: Path | None) -> tantivy.Index:
    if folder is None:
        return tantivy.Index(schema)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return tantivy.Index(schema, str(folder))
    except ValueError as problem:
        raise ArtifactDamaged(f"the words in {folder} cannot be used, build them again: {problem}") from problem
