"""What a query asks of the index: weighted terms and phrases, each of one field."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from functools import cache
from itertools import pairwise

import tantivy

from serving.index.lexical.analysis import (
    Analysis,
    Tokenizer,
    find_codes,
    is_code,
    read_identifiers,
    read_quotes,
    without_stops,
)
from serving.index.lexical.extra import asked_words, term_of
from serving.index.lexical.spelling import MAX_UNKNOWN, Speller
from serving.index.lexical.synonyms import Expansions, Stems, Synonyms, find_synonyms
from serving.index.lexical.words import MIN_ASKED, Words, is_unspaced, is_word

TITLE = "title"
TEXT = "text"
IDENTIFIERS = "identifiers"
FORMS = "forms"
INNER = "inner"
VOCABULARY = "vocabulary"
COUNTS = "counts"
"""Where it is told how often a text holds a word, see `serving.index.lexical.postings`."""
EXTRA = "extra"
"""Where the words of keywords in fields stand, each with the name of its field."""

NO_WEIGHTS: Mapping[str, float] = {}
TEXTS = (TITLE, TEXT)
_GUESSES = 4
_ENDINGS = 8
_SHORTEST_PREFIX = 4
# Shares of an identifier's weight: for one that only begins as asked, and for its words side by side.
_ENDING_SHARE = 0.25
_APART_SHARE = 0.5
# Most words that an identifier is typed in: "ab 123 4".
_CODE_WORDS = 4
# What counts beside a word, as a share of it: its pieces, itself and its neighbour written as one, the pairs of a run
# in their order, a word inside longer ones.
_PART_SHARE = 0.5
_JOINED_SHARE = 0.5
_RUN_SHARE = 0.5
_INNER_SHARE = 0.5
_FORM_SHARE = 1.0
_MAX_JOINED = 5
_SHORT_PIECE = 2
_PAIRS_OF_ONE = 32  # in which a single character is looked for
# Languages that write several words as one.
_COMPOUNDING = frozenset({"danish", "dutch", "finnish", "german", "hungarian", "norwegian", "swedish"})


Counts = list[tuple[str, int]]
"""Terms, each with the number of documents that hold it."""

Term = tuple[str, str | Stems]
"""A field and a term of it, or words side by side."""


class Statistics:
    """How often terms occur in the index at one moment; what was removed does not count.

    Args:
        documents: How many there are.
        count: Returns in how many documents a term of a field stands.
    """

    def __init__(self, searcher: tantivy.Searcher, documents: int, count: Callable[[str, str], int]) -> None:
        self.documents = documents
        self.count = cache(count)
        self._searcher = searcher

    def in_texts(self, stem: str) -> int:
        """Return in how many documents a stem stands, by title or text, whichever has more."""
        return max(self.count(name, stem) for name in TEXTS)

    def endings(self, name: str, beginning: str, limit: int = _ENDINGS) -> Counts:
        """Return the most frequent longer terms of a field that begin so, with their document counts."""
        present = tantivy.Query.all_query()  # with a filter, what was removed is not counted
        found = self._searcher.terms_with_prefix(name, beginning, filter_query=present, limit=limit + 1)
        return [(term, count) for term, count in found if term != beginning][:limit]


class Clauses:
    """Weighted terms and phrases of some fields; a document must hold one of them.

    What is asked twice counts once, by its greater weight.

    Args:
        weights: What a term counts, by field.
        count: Returns in how many documents a term of a field stands; a term in none is not asked for.

    Attributes:
        asked: What each term and each phrase counts.
    """

    def __init__(self, weights: dict[str, float], count: Callable[[str, str], int]) -> None:
        self._weights = {name: weight for name, weight in weights.items() if weight}
        self.count = count
        self.asked: dict[Term, float] = {}

    def add_word(self, stem: str, share: float = 1.0) -> int:
        """Ask for a word and return in how many documents it stands, by the field that has most."""
        return max((self.add_term(name, stem, share) for name in TEXTS), default=0)

    def add_term(self, name: str, term: str, share: float) -> int:
        """Ask for a term of one field and return in how many documents it stands there."""
        if name not in self._weights or not share:
            return 0
        documents = self.count(name, term)
        if documents:
            weight = share * self._weights[name]
            self.asked[name, term] = max(weight, self.asked.get((name, term), 0.0))
        return documents

    def add_phrase(self, stems: Stems, share: float) -> None:
        """Ask for words beside each other; one alone is asked as a word."""
        if len(stems) == 1:
            self.add_word(stems[0], share)
        for name in TEXTS if len(stems) > 1 and share else ():
            if name in self._weights:
                self.asked[name, stems] = share * self._weights[name]


class QueryReader:
    """Turns what users type into clauses. No character has a special meaning but quotation marks."""

    def __init__(self, analysis: Analysis, tokenizer: Tokenizer) -> None:
        self._analysis = analysis
        self._tokenizer = tokenizer
        self._own = self.expand(Synonyms())
        self._weights = {
            TITLE: analysis.title_weight,
            TEXT: analysis.text_weight,
            IDENTIFIERS: analysis.identifier_weight,
            FORMS: _FORM_SHARE * max(analysis.title_weight, analysis.text_weight),
            EXTRA: 1.0,
            INNER: _INNER_SHARE * max(analysis.title_weight, analysis.text_weight),
        }

    def expand(self, synonyms: Synonyms) -> Expansions:
        """Return synonyms beside those of the analysis, as queries are read with them."""
        return Synonyms((*self._analysis.synonyms.rules, *synonyms.rules)).expand(self._read_tokens)

    def read(
        self,
        query: str,
        fields: Sequence[str],
        statistics: Statistics,
        speller: Speller,
        *,
        extra: Mapping[str, float] = NO_WEIGHTS,
        expansions: Expansions | None = None,
    ) -> Clauses:
        """Return what a query asks of some fields.

        Args:
            extra: What a word counts that stands in a document's own field, by the field's name.
            expansions: Its synonyms, of `expand`; None for those of the analysis alone.
        """
        expansions = expansions or self._own
        words = self._tokenizer.read(query)
        stems = self._tokenizer.stems(words.plain)
        clauses = Clauses({name: self._weights[name] for name in fields}, statistics.count)
        pairs = zip(words.plain, stems, strict=True)
        rare = {word: stem for word, stem in pairs if clauses.add_word(stem) <= self._rare(statistics)}
        self._add_forms(clauses, words, rare.keys(), statistics)
        self._add_runs(clauses, words, stems, statistics)
        found = {word for word in words.plain if self._add_compounds(clauses, word, word in rare, statistics)}
        found |= self._add_extra(clauses, query, words, extra) if EXTRA in fields else set()
        found |= expansions.words
        misspelt = [
            word for word, stem in rare.items() if word not in found and self._is_misspelt(word, stem, statistics)
        ]
        for word in misspelt if len(misspelt) <= MAX_UNKNOWN else ():
            self._add_guesses(clauses, word, speller)
        for synonym in find_synonyms(self._tokenizer.tokens(words), expansions.table):
            self._add_synonym(clauses, synonym)
        for quoted in read_quotes(query):
            self._add_quoted(clauses, quoted, self._analysis.phrase_weight)
        if IDENTIFIERS in fields:
            self._add_identifiers(clauses, query, statistics)
        return clauses

    def _add_synonym(self, clauses: Clauses, synonym: Stems) -> None:
        weight = self._analysis.synonym_weight
        if len(synonym) == 1 and synonym[0][0] == ".":
            clauses.add_term(FORMS, synonym[0], weight)
        else:
            clauses.add_phrase(tuple(self._without_sign(token) for token in synonym), weight)

    def _add_extra(self, clauses: Clauses, query: str, words: Words, extra: Mapping[str, float]) -> set[str]:
        """Ask documents' own fields for the words, and return those that stand in one."""
        if not extra:
            return set()
        stems = dict(zip(words.plain, self._tokenizer.stems(words.plain), strict=True))
        asked = asked_words(query, words, self._tokenizer)
        held = {
            word
            for name, weight in extra.items()
            for word in asked
            if clauses.add_term(EXTRA, term_of(name, word), weight)
        }
        return {word for word, stem in stems.items() if stem in held}

    def _add_forms(self, clauses: Clauses, words: Words, rare: Set[str], statistics: Statistics) -> None:
        """Ask for what the words may be written as elsewhere: whole, in pieces, or together with their neighbours."""
        plain = words.plain
        joined = {
            one + other for one, other in pairwise(plain) if {one, other} & rare or min(len(one), len(other)) <= 2
        }
        if 2 < len(plain) <= _MAX_JOINED:
            joined.add("".join(plain))
        asked = dict.fromkeys(joined, _JOINED_SHARE) | dict.fromkeys(words.parts, _PART_SHARE)
        asked |= dict.fromkeys(words.whole, 1.0)
        for word, share in asked.items():
            clauses.add_word(self._tokenizer.stems([word])[0], share)
        for word, share in (asked | dict.fromkeys(plain, 1.0)).items():
            if statistics.count(FORMS, word) >= statistics.in_texts(self._tokenizer.stems([word])[0]):
                clauses.add_term(FORMS, word, share)

    def _add_runs(self, clauses: Clauses, words: Words, stems: list[str], statistics: Statistics) -> None:
        """Ask for runs without spaces as they stand, and for a single character in all its pairs."""
        for start, end in words.runs:
            clauses.add_phrase(tuple(stems[start:end]), _RUN_SHARE)
        for character in words.plain:
            if len(character) == 1 and is_unspaced(character):
                for name in TEXTS:
                    for term, _ in statistics.endings(name, character, _PAIRS_OF_ONE):
                        clauses.add_term(name, term, 1.0)

    def _add_compounds(self, clauses: Clauses, word: str, unknown: bool, statistics: Statistics) -> bool:
        """Ask for a word inside longer ones, and return whether there are such.

        Where the language writes words together it is always asked for, elsewhere when it does not stand alone.
        """
        asked = unknown or self._analysis.language in _COMPOUNDING
        if not asked or len(word) < MIN_ASKED or not is_word(word):
            return False
        inner = [(word, 1), *statistics.endings(INNER, word)]
        found = [clauses.add_term(INNER, term, 1.0) for term, _ in inner]
        longer = [term for term, _ in statistics.endings(VOCABULARY, word)]
        found += [clauses.add_word(stem, _INNER_SHARE) for stem in self._tokenizer.stems(longer)]
        return any(found)

    def _rare(self, statistics: Statistics) -> float:
        return statistics.documents * self._analysis.rare_share

    def _is_misspelt(self, word: str, stem: str, statistics: Statistics) -> bool:
        return (
            len(word) >= self._analysis.typo_letters
            and not is_code(word)
            and statistics.in_texts(stem) <= self._rare(statistics)
        )

    def _add_guesses(self, clauses: Clauses, word: str, speller: Speller) -> None:
        guesses = {guess.word: guess.distance for guess in speller.guess(word, _GUESSES)}
        guesses = guesses or dict.fromkeys(speller.split(word), 1)
        for stem, distance in zip(self._tokenizer.stems(list(guesses)), guesses.values(), strict=True):
            clauses.add_word(stem, self._analysis.typo_weight / distance)

    def _add_quoted(self, clauses: Clauses, quoted: str, share: float) -> None:
        stems = self._read_stems(quoted)
        if len(stems) > 1:
            clauses.add_phrase(tuple(stems), share)

    def _add_identifiers(self, clauses: Clauses, query: str, statistics: Statistics) -> None:
        for code in find_codes(query):
            for written in read_identifiers(code):
                if not clauses.add_term(IDENTIFIERS, written, 1.0):
                    self._add_quoted(clauses, code, _APART_SHARE * self._analysis.identifier_weight)
                clauses.add_term(IDENTIFIERS, without_stops(written), _APART_SHARE)
                longer = statistics.endings(IDENTIFIERS, written) if len(written) >= _SHORTEST_PREFIX else ()
                for term, _ in longer:
                    clauses.add_term(IDENTIFIERS, term, _ENDING_SHARE)
        chunks = query.split()
        for count in range(2, _CODE_WORDS + 1):
            for start in range(len(chunks) - count + 1):
                words = chunks[start : start + count]
                for joined in read_identifiers("-".join(words)) if any(map(is_code, words)) else ():
                    clauses.add_term(IDENTIFIERS, joined, 1.0)

    def _without_sign(self, token: str) -> str:
        return self._tokenizer.stems([token[1:]])[0] if token[0] == "." else token

    def _read_tokens(self, text: str) -> list[str]:
        return self._tokenizer.tokens(self._tokenizer.read(text))

    def _read_stems(self, text: str) -> list[str]:
        return self._tokenizer.stems(self._tokenizer.words(text))
