"""What a query asks of a lexical index, as tantivy's queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import log

import tantivy

from serving.engine.analysis import Analysis, Code, normalise, read_codes, read_phrases
from serving.engine.spelling import WORDS, Spelling, Vocabulary, reach

CLICKED = "clicked"
CODES = "codes"

_PHRASE = 1.0
_CODE = 1.0
_LONGER_CODE = 0.5
_SYNONYM = 0.5
_TYPO = (0.0, 0.6, 0.4)  # by edits allowed
_SPELLINGS = 5
_LONGER_CODES = 20
_LARGE = 10_000
_EVERYWHERE = 0.9


class Composer:
    """Composes queries for one schema and analysis. Safe to use from many threads.

    The words of a query, each once and in any field, make the sum that is BM25. What else a query
    shows adds clauses to that sum, and costs nothing where it is not shown.
    """

    def __init__(self, schema: tantivy.Schema, analysis: Analysis) -> None:
        self._schema = schema
        self._analysis = analysis
        self._stems = analysis.stems()
        self._words = analysis.words()
        self._vocabulary = Vocabulary()
        self._synonyms = self._read_synonyms()
        self._longest_synonym = max(map(len, self._synonyms), default=0)

    def compose(self, query: str, fields: Iterable[str], searcher: tantivy.Searcher) -> tantivy.Query | None:
        """Return what to search for in some fields, None when the query says nothing."""
        query = normalise(query)
        stems = self._stems.analyze(query)
        matches = Matches(self._schema, searcher, self._weigh(fields))
        said = dict.fromkeys(stems)
        telling = [stem for stem in said if not matches.is_everywhere(stem)]
        clauses = [clause for stem in telling or said for clause in matches.word(stem)]
        for phrase in read_phrases(query):
            clauses += matches.phrase(self._stems.analyze(phrase), _PHRASE)
        for code in read_codes(query):
            clauses += self._match_code(code, matches)
        for meant in self._find_synonyms(stems):
            clauses += matches.phrase(meant, _SYNONYM) if len(meant) > 1 else matches.word(meant[0], _SYNONYM)
        for word, stem in zip(self._words.analyze(query), stems, strict=True):
            clauses += self._match_unknown(word, stem, matches)
        return _any(clauses) if clauses else None

    def correct(self, query: str, searcher: tantivy.Searcher) -> str | None:
        """Return the query in words that documents have, None when it is so already or nothing is near."""
        matches = Matches(self._schema, searcher, {})

        def knows(word: str) -> bool:
            written = self._words.analyze(word)
            return all(map(matches.count, self._stems.analyze(word))) or any(map(matches.has_code, written))

        return Spelling(self._vocabulary, self._schema, searcher, self._words, knows).correct(normalise(query))

    def _weigh(self, fields: Iterable[str]) -> dict[str, float]:
        weights = {name: self._analysis.weights.get(name, 1.0) for name in fields}
        return {name: weight for name, weight in weights.items() if weight > 0}

    def _match_code(self, code: Code, matches: Matches) -> Iterator[tantivy.Query]:
        """Count what matches best, once: its pieces together, itself as one word, the beginning of a longer one."""
        stems = [stem for piece in code.pieces for stem in self._stems.analyze(piece)]
        is_open = code.is_open or not any(map(matches.count, stems))
        forms = [*matches.phrase(stems, _CODE)]
        forms += [form for word in code.forms for form in matches.code(word, is_open)]
        yield from _best(forms)

    def _match_unknown(self, word: str, stem: str, matches: Matches) -> Iterator[tantivy.Query]:
        edits = reach(word)
        if not word.isalpha() or matches.count(stem):
            return
        forms = [*matches.code(word, is_open=False)]
        if not forms and edits and self._analysis.typos:
            near = self._vocabulary.near(word, edits, matches.searcher)[:_SPELLINGS]
            meant = dict.fromkeys(stem for other in near for stem in self._stems.analyze(other))
            forms = [clause for other in meant for clause in matches.word(other, _TYPO[edits])]
        yield from _best(forms)

    def _read_synonyms(self) -> dict[tuple[str, ...], list[list[str]]]:
        found: dict[tuple[str, ...], list[list[str]]] = {}
        for said, meant in self._analysis.synonyms.items():
            stems = [self._stems.analyze(normalise(phrase)) for phrase in meant]
            key = tuple(self._stems.analyze(normalise(said)))
            if key:
                found.setdefault(key, []).extend(phrase for phrase in stems if phrase)
        return found

    def _find_synonyms(self, stems: list[str]) -> Iterator[list[str]]:
        for start in range(len(stems) if self._synonyms else 0):
            for length in range(1, min(self._longest_synonym, len(stems) - start) + 1):
                yield from self._synonyms.get(tuple(stems[start : start + length]), [])


class Matches:
    """Clauses for words, phrases and codes in the fields of one state of an index.

    Args:
        weights: Factor by field that is searched.
    """

    def __init__(self, schema: tantivy.Schema, searcher: tantivy.Searcher, weights: dict[str, float]) -> None:
        self._schema = schema
        self.searcher = searcher
        self._weights = weights

    def word(self, stem: str, factor: float = 1.0) -> Iterator[tantivy.Query]:
        """Return clauses for a word.

        A clicked query counts as one match in a text of average length, idf alone: most documents
        have none, so that their average length would make BM25 of those that have some vanish.
        """
        for name, weight in self._weights.items():
            if name != CLICKED:
                yield _boost(tantivy.Query.term_query(self._schema, name, stem), weight * factor)
            elif self.searcher.doc_freq(CLICKED, stem):
                term = tantivy.Query.term_query(self._schema, CLICKED, stem, index_option="basic")
                yield tantivy.Query.const_score_query(term, weight * factor * self._rarity(stem))

    def phrase(self, stems: list[str], factor: float) -> Iterator[tantivy.Query]:
        """Return clauses for words that stand together, none for a single word."""
        for name, weight in self._weights.items() if len(stems) > 1 else ():
            if name != CLICKED:
                yield _boost(tantivy.Query.phrase_query(self._schema, name, list(stems)), weight * factor)

    def code(self, form: str, is_open: bool) -> Iterator[tantivy.Query]:
        """Return clauses for a code as one word and, when it is open, for longer ones that begin with it."""
        for name in (CODES, WORDS):
            longer = self.searcher.terms_with_prefix(name, form, limit=_LONGER_CODES) if is_open else []
            for found in dict.fromkeys((form, *(term for term, _ in longer))):
                if self.searcher.doc_freq(name, found):
                    term = tantivy.Query.term_query(self._schema, name, found, index_option="basic")
                    yield _boost(term, _CODE if found == form else _LONGER_CODE)

    def count(self, stem: str) -> int:
        """Return in how many documents a word is, the largest number of any field."""
        return max(self.searcher.doc_freq(name, stem) for name in ("text", "title", CLICKED))

    def is_everywhere(self, stem: str) -> bool:
        """Return whether nearly every text of a large index has a word, which says nothing and takes long to add up."""
        documents = self.searcher.num_docs
        return documents > _LARGE and self.searcher.doc_freq("text", stem) > _EVERYWHERE * documents

    def has_code(self, form: str) -> bool:
        """Return whether any document has a code, as one word."""
        return self.searcher.doc_freq(CODES, form) > 0

    def _rarity(self, stem: str) -> float:
        count = self.count(stem)
        return log(1 + (max(self.searcher.num_docs - count, 0) + 0.5) / (count + 0.5))


def _boost(query: tantivy.Query, factor: float) -> tantivy.Query:
    return query if factor == 1.0 else tantivy.Query.boost_query(query, factor)


def _any(clauses: list[tantivy.Query]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, clause) for clause in clauses])


def _best(clauses: list[tantivy.Query]) -> list[tantivy.Query]:
    return [tantivy.Query.disjunction_max_query(clauses)] if len(clauses) > 1 else clauses
