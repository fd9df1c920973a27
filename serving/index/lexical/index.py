"""BM25 over titles, texts and identifiers by tantivy, with live additions and deletions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import tantivy

from foundation.arrays import Flags, Ints
from foundation.errors import Conflict
from serving.index.lexical.analysis import PLAIN, Analysis, Tokenizer, make_valid, read_identifiers, without_stops
from serving.index.lexical.bm25 import NO_ROWS, Bm25Search, IndexState, Matches, read_present
from serving.index.lexical.clauses import (
    COUNTS,
    EXTRA,
    FORMS,
    IDENTIFIERS,
    INNER,
    TEXT,
    TEXTS,
    TITLE,
    VOCABULARY,
    Clauses,
    QueryReader,
    Statistics,
)
from serving.index.lexical.extra import term_of, terms_of
from serving.index.lexical.postings import Postings, count_terms
from serving.index.lexical.spelling import Speller
from serving.index.lexical.storage import ROW, WORDS, build_schema, explain_failed_write, open_index
from serving.index.lexical.synonyms import Expansions, Synonyms
from serving.index.lexical.words import inner_words, is_word

FIELDS = (TITLE, TEXT, IDENTIFIERS, FORMS, INNER, EXTRA)
NO_FIELDS: Mapping[str, Sequence[str]] = {}
_STORED = (TITLE, TEXT, IDENTIFIERS, FORMS, EXTRA)
WRITER_BYTES = 16_000_000
BULK_BYTES = 1_000_000_000

_BLANK = "_"
"""An identifier of every document, by which those are counted that are gone and not yet merged away."""

_WORDS_A_LETTER = 20_000
_ENOUGH = 50
"""Documents in which two words stand side by side; whether more do says nothing further."""


class LexicalIndex:
    """A BM25 index of numbered rows, in memory or in a folder.

    Searches may run while one thread adds or removes; they see the last `commit`. Of the processes that
    open one folder, one may write. Nothing is held open for writing until something is written.

    Args:
        folder: Where the index is, or will be created; None keeps it in memory.
        writer_bytes: Memory for additions between commits; a segment is written whenever it is full.
            `BULK_BYTES` builds 100,000 documents as one segment, which is searched fastest.

    Raises what `serving.index.lexical.storage.open_index` does.
    """

    def __init__(
        self, folder: Path | None = None, analysis: Analysis = PLAIN, writer_bytes: int = WRITER_BYTES
    ) -> None:
        self._tokenizer = Tokenizer(analysis.language)
        self._reader = QueryReader(analysis, self._tokenizer)
        self._schema = build_schema(self._tokenizer.name)
        self._index = open_index(self._schema, folder)
        self._index.register_tokenizer(self._tokenizer.name, self._tokenizer.indexing)
        self._index.config_reader("manual")
        self._index.reload()
        self._state = IndexState(self._index.searcher(), NO_ROWS, Postings(self._schema))
        self._state = replace(self._state, present=read_present(self._state.searcher))
        self._added: dict[int, dict[str, int]] = {}
        self._removed: set[int] = set()
        self._writer_bytes = writer_bytes
        self._writer: tantivy.IndexWriter | None = None
        self._extra: dict[str, float] = {}
        self._speller = Speller(
            self._read_vocabulary,
            lambda word: self._state.count(VOCABULARY, word),
            self._count_documents,
            self._count_together,
            lambda word: self._state.count(INNER, word) > 0,
        )

    def __len__(self) -> int:
        """Return the number of rows that can be found."""
        return self._state.present.documents

    def weigh(self, fields: Mapping[str, float]) -> None:
        """Let searches find documents by the keywords of some fields too.

        Args:
            fields: What a word counts by the name of its field, beside a word of the text that counts as 1.
        """
        self._extra = dict(fields)

    def add(self, row: int, title: str, text: str, fields: Mapping[str, Sequence[str]] = NO_FIELDS) -> None:
        """Add a row; searchable after `commit`.

        Args:
            fields: Keywords by the name of their field; they are found as `weigh` says.

        Raises:
            Conflict: Another process writes to the folder.
            ClickloopError: Earlier additions could not be written; `close` gives them up.
        """
        writer = self._open_writer()
        written = make_valid(title), make_valid(text)
        words = [self._tokenizer.read(one) for one in written]
        identifiers = [code for one in written for code in read_identifiers(one)]
        bare = [plain for code in identifiers if (plain := without_stops(code)) and plain != code]
        cut = {
            TITLE: words[0].standing(),
            TEXT: words[1].standing(),
            IDENTIFIERS: [*identifiers, *bare],
            FORMS: [form for one in words for form in one.forms()],
            EXTRA: terms_of(fields, self._tokenizer),
        }
        with explain_failed_write():
            _write(writer, row, cut, self._tokenizer)
        self._added[row] = {name: len(cut[name]) for name in TEXTS}
        self._speller.learn({*cut[TITLE], *cut[TEXT]})

    def remove(self, row: int) -> None:
        """Remove a row; gone after `commit`. Raises Conflict when another process writes to the folder."""
        self._open_writer().delete_documents_by_term(ROW, row)
        self._removed.add(row)

    def commit(self) -> None:
        """Make additions and removals visible, and lasting when the index is in a folder.

        Raises:
            ClickloopError: They cannot be written, as on a full disk; `close` gives them up.
        """
        if self._writer is not None:
            with explain_failed_write():
                self._writer.commit()
            self._reload()

    def expand(self, synonyms: Synonyms) -> Expansions:
        """Return synonyms as searches of this index take them, beside those of its analysis."""
        return self._reader.expand(synonyms)

    def search(
        self,
        query: str,
        limit: int,
        allowed: Flags | list[int] | None = None,
        fields: Sequence[str] = FIELDS,
        expansions: Expansions | None = None,
    ) -> dict[int, float]:
        """Return BM25 scores of at most `limit` best rows, best first; see `find`."""
        return self.find(query, limit, allowed, fields, expansions).scores

    def find(
        self,
        query: str,
        limit: int,
        allowed: Flags | list[int] | None = None,
        fields: Sequence[str] = FIELDS,
        expansions: Expansions | None = None,
        *,
        texts: int = 0,
        ties: Ints | None = None,
    ) -> Matches:
        """Return at most `limit` best rows with their BM25 scores, and how many rows match; any word may.

        Scores depend on what is in the index, and neither on the order in which it came nor on what was removed.

        Args:
            query: What the user typed. Quoted words count more where they stand together; no other
                character has a special meaning.
            limit: Most rows returned, at least 1.
            allowed: When given, only these rows count, and the best of them are found: a mask, beyond whose
                end no row is allowed, or the rows themselves.
            fields: What is searched, of `FIELDS`.
            expansions: Synonyms, of `expand`; None for those of the analysis alone.
            texts: How many rows are scored by their text alone too.
            ties: What decides between rows of equal score, by row; less is better. The row itself by default.
        """
        return self._read(query, fields, expansions).best(limit, allowed, texts, ties)

    def matching(self, query: str, among: Flags, expansions: Expansions | None = None) -> Flags:
        """Return which of some rows any word of a query matches, bool by row.

        Args:
            among: The rows that count, bool by row; all of them are in the index.
            expansions: As in `find`.
        """
        return self._read(query, FIELDS, expansions).matching(among)

    def holding(self, text: str, among: Flags, fields: Sequence[str] = TEXTS) -> Flags:
        """Return which of some rows hold a word or phrase itself, in any inflection, bool by row.

        Unlike `matching` it takes no spelling, synonym or part of a word for it; a text without words is in none.

        Args:
            among: As in `matching`.
            fields: Of `TEXTS`, where it may stand.
        """
        words = self._tokenizer.read(make_valid(text))
        state = self._state
        clauses = Clauses(dict.fromkeys((*fields, FORMS, EXTRA), 1.0), state.count)
        stems = self._tokenizer.stems(words.plain)
        if stems:
            clauses.add_phrase(tuple(stems), 1.0)
        if set(fields) == set(TEXTS):
            for form in words.whole:
                clauses.add_term(FORMS, form, 1.0)
            for name in self._extra if len(stems) == 1 else ():
                clauses.add_term(EXTRA, term_of(name, stems[0]), 1.0)
        return Bm25Search(state, clauses).matching(among)

    def relevant(self, query: str, share: float, among: Flags, expansions: Expansions | None = None) -> Flags:
        """Return which of some rows hold enough of the words of a query, bool by row.

        A word counts by its rarity among these rows, log(1 + rows / rows that hold it), however often a row holds it. A
        row holds enough when its words count at least a share of what those of the best row do.

        Args:
            among: As in `matching`.
            expansions: As in `find`.
        """
        rows = int(np.count_nonzero(among))
        held = np.zeros(len(among), np.float64)
        for word in dict.fromkeys(self._tokenizer.words(query)):
            flags = self.matching(word, among, expansions)
            held[flags] += np.log1p(rows / max(int(np.count_nonzero(flags)), 1))
        best = float(held.max(initial=0.0))
        return self.matching(query, among, expansions) & (held >= share * best)

    def stems(self, words: list[str]) -> list[str]:
        """Return the stem of each word, given in its normal form."""
        return self._tokenizer.stems(words)

    def correct(self, query: str, keep: Callable[[str], bool] = lambda _word: False) -> str | None:
        """Return the query with unknown words replaced by likely ones; None when there is nothing to correct.

        The vocabulary is that of titles and texts as of the last commit.

        Args:
            keep: Returns whether an unknown word is right all the same, as a common word of the language is.
        """
        return self._speller.correct(make_valid(query), keep)

    def compact(self) -> None:
        """Commit, and rewrite the index as one segment without what was removed, for sealing.

        Searches go on meanwhile and see the change at once. Takes about as long as adding everything did.
        """
        self.commit()
        self.close()
        searcher = self._index.searcher()
        has_removed = searcher.doc_freq(IDENTIFIERS, _BLANK) > searcher.num_docs  # the first counts removed ones too
        if searcher.num_segments > 1 or has_removed:
            self._rewrite(searcher)
        self._reload()

    def close(self) -> None:
        """Stop writing: give up what was not committed, finish merges and let another process write."""
        writer, self._writer = self._writer, None  # also when the rollback fails
        if writer is not None:
            writer.rollback()
            writer.wait_merging_threads()
            self._added, self._removed = {}, set()
            self._reload()

    def _read(self, query: str, fields: Sequence[str], expansions: Expansions | None) -> Bm25Search:
        state = self._state
        statistics = Statistics(state.searcher, state.present.documents, state.count)
        clauses = self._reader.read(
            make_valid(query), fields, statistics, self._speller, extra=self._extra, expansions=expansions
        )
        return Bm25Search(state, clauses)

    def _open_writer(self) -> tantivy.IndexWriter:
        if self._writer is None:
            try:
                self._writer = self._index.writer(self._writer_bytes, 1)
            except ValueError as error:
                raise Conflict(
                    f"The lexical index cannot be written, perhaps as another process does: {error}"
                ) from error
        return self._writer

    def _rewrite(self, searcher: tantivy.Searcher) -> None:
        writer = self._index.writer(BULK_BYTES, 1)
        writer.delete_all_documents()
        if searcher.num_docs:
            every = tantivy.Query.all_query()
            hits = searcher.search(every, searcher.num_docs, False, ROW, order=tantivy.Order.Asc).hits
            addresses = [address for _, address in hits]
            for row, address in zip(searcher.fast_field_values(ROW, addresses), addresses, strict=True):
                stored = searcher.doc(address)
                _write(
                    writer,
                    int(row or 0),
                    {name: (stored.get_first(name) or "").split() for name in _STORED},
                    self._tokenizer,
                )
        writer.commit()
        writer.wait_merging_threads()

    def _reload(self) -> None:
        self._index.reload()
        present = self._state.present.changed(self._added, self._removed)
        self._state = replace(self._state, searcher=self._index.searcher(), present=present)
        self._added, self._removed = {}, set()

    def _read_vocabulary(self, letter: str) -> list[str]:
        return [word for word, _ in self._index.searcher().terms_with_prefix(VOCABULARY, letter, limit=_WORDS_A_LETTER)]

    def _count_documents(self, word: str) -> int:
        count = self._state.count
        stems = self._tokenizer.stems(self._tokenizer.words(word))
        in_fields = (count(EXTRA, term_of(name, stem)) for name in self._extra for stem in stems)
        found = max((count(name, stem) for stem in stems for name in TEXTS), default=0) or count(FORMS, word)
        return found or max(in_fields, default=0)

    def _count_together(self, one: str, other: str) -> int:
        searcher = self._state.searcher
        stems = self._tokenizer.stems([one, other])
        phrases = [tantivy.Query.phrase_query(self._schema, name, list(stems)) for name in TEXTS]
        return sum(len(searcher.search(phrase, _ENOUGH, count=False).hits) for phrase in phrases)


def _write(writer: tantivy.IndexWriter, row: int, cut: dict[str, list[str]], tokenizer: Tokenizer) -> None:
    """Add a row, given the words of its stored fields."""
    vocabulary = [word for word in {*cut[TITLE], *cut[TEXT]} if is_word(word)]
    inner = [part for word in vocabulary for part in inner_words(word)]
    counts = [term for name in TEXTS for term in count_terms(name, tokenizer.stems(cut[name]))]
    identifiers = [*(word for word in cut[IDENTIFIERS] if word != _BLANK), _BLANK]
    further = {IDENTIFIERS: identifiers, INNER: inner, VOCABULARY: vocabulary, COUNTS: counts}
    document = tantivy.Document(row=row, **{WORDS[name]: len(cut[name]) for name in TEXTS})
    for name, words in (cut | further).items():
        document.add_text(name, " ".join(words))
    writer.add_document(document)
