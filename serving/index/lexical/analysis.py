"""How texts and queries become terms: language, weights, and what an identifier is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from string import punctuation
from typing import get_args

import tantivy

from foundation.errors import FieldFault, InvalidRequest
from foundation.language.folding import fold
from foundation.texts import Language
from serving.index.lexical.synonyms import Synonyms
from serving.index.lexical.words import Words, cut_words

LANGUAGES: tuple[str, ...] = get_args(Language)

_LONGEST_BYTES = 40
_SHORTEST_IDENTIFIER = 3
# Words joined by punctuation, or one word with a digit; possessive quantifiers pass over prose in one go.
_CODE = re.compile(r"(?<![^\W_])(?:[^\W_]++(?:[-_./:\\@#+][^\W_]++)++|[^\W\d_]*+\d[^\W_]*+)")
_TELLING = re.compile(r"[\d_.:\\@#]")
_CONNECTOR = re.compile(r"[-_./:\\@#+]")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[-_./:\\@#+](?=\d)")
_QUOTED = re.compile(r"[\"“”„«»]([^\"“”„«»]+)[\"“”„«»]")


@dataclass(frozen=True, slots=True)
class Analysis:
    """How a lexical index reads and weighs words.

    Only `language` is fixed when an index is made; an index may be opened anew with any other weights. The
    weight of the title is the one that served the training queries of judged collections.

    Attributes:
        language: One of `LANGUAGES`: whose inflections count as one word; with "none" every form is a word.
        title_weight: What a word in the title counts; 0 leaves the title out.
        text_weight: What a word in the text counts.
        identifier_weight: What an identifier counts beside its words: "HP-305XL", "0x80070057", "v2.1.3".
        phrase_weight: What words count, beside themselves, where they stand together as the user quoted them.
        synonym_weight: What a synonym counts of the word that was asked for.
        typo_weight: What a likely spelling counts of an unknown word; half of it at distance 2.
        typo_letters: Shorter words are never taken for misspelt.
        rare_share: A word in at most this share of the documents may be misspelt, though it is known.

    Raises:
        InvalidRequest: A language that does not exist, or a weight below 0.
    """

    language: str = "english"
    title_weight: float = 0.8
    text_weight: float = 1.0
    identifier_weight: float = 1.0
    phrase_weight: float = 1.0
    synonym_weight: float = 0.5
    typo_weight: float = 0.5
    typo_letters: int = 5
    rare_share: float = 1e-5
    synonyms: Synonyms = field(default_factory=Synonyms)

    def __post_init__(self) -> None:
        faults = []
        if self.language not in LANGUAGES:
            faults.append(FieldFault("language", f"{self.language!r} is none of {', '.join(LANGUAGES)}"))
        weights = [one.name for one in fields(self) if one.name.endswith("_weight")]
        faults += [FieldFault(name, "must be at least 0") for name in weights if not getattr(self, name) >= 0]
        if faults:
            raise InvalidRequest("The lexical analysis cannot be set up.", tuple(faults))


PLAIN = Analysis()


class Tokenizer:
    """Cuts texts into words and stems of one language, as the index does."""

    def __init__(self, language: str) -> None:
        self.name = f"words_{language}"
        self.indexing = _make_stemmer(language)

    def read(self, text: str) -> Words:
        """Return the words of a text in their normal form; see `serving.index.lexical.words`."""
        return cut_words(make_valid(text))

    def words(self, text: str) -> list[str]:
        """Return the words in their order; what is too long to be one is left out."""
        return self.read(text).plain

    def stems(self, words: list[str]) -> list[str]:
        """Return the stem of each word."""
        return self.indexing.analyze(" ".join(words))

    def tokens(self, words: Words) -> list[str]:
        """Return the stem of each word of a text, those with a sign before them as they are: .net is not net."""
        return [words.signed.get(number, stem) for number, stem in enumerate(self.stems(words.plain))]


def read_identifiers(text: str) -> list[str]:
    """Return the identifiers in a text, written alike: "HP-305XL" is hp305xl, "v2.1-3" is v2.1.3.

    An identifier has a digit, or words joined as in no prose. Between digits one full stop
    remains, else 1.5 were 15.
    """
    dotted = (_BETWEEN_DIGITS.sub("\n", code) for code in find_codes(text))
    codes = (_CONNECTOR.sub("", code).replace("\n", ".") for code in map(fold, dotted))
    return [code for code in codes if _SHORTEST_IDENTIFIER <= len(code) <= _LONGEST_BYTES]


def without_stops(identifier: str) -> str:
    """Return an identifier as those type it who leave all signs out: "ab123.4" is ab1234; "" where that is a number."""
    plain = identifier.replace(".", "")
    return "" if plain.isdigit() else plain


def find_codes(text: str) -> list[str]:
    """Return the identifiers in a text as they are written there; "end-user" and "and/or" are none."""
    unlike_prose = [chunk for chunk in text.split() if not chunk.strip(punctuation).isalpha()]  # cheap to tell
    return [code for code in _CODE.findall(" ".join(unlike_prose)) if _TELLING.search(code)]


def read_quotes(query: str) -> list[str]:
    """Return what stands between quotation marks."""
    return _QUOTED.findall(query)


def is_code(word: str) -> bool:
    """Return whether a word has a digit, so that no dictionary holds it."""
    return any(map(str.isdigit, word))


def make_valid(text: str) -> str:
    """Return the text with halves of surrogate pairs, which no encoding can hold, as question marks."""
    return text.encode("utf-8", "replace").decode()


def _make_stemmer(language: str) -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace())
    return builder.build() if language == "none" else builder.filter(tantivy.Filter.stemmer(language)).build()
