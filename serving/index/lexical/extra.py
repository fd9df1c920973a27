"""The words of a document's fields: which there are, and how one is written in the index and asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from urllib.parse import quote

from serving.index.lexical.analysis import Tokenizer, read_identifiers
from serving.index.lexical.words import Words

MAX_TERMS = 256
"""Words of all fields of a document that are indexed; those of later ones are left out."""

_NAMES_REMEMBERED = 4096


@lru_cache(_NAMES_REMEMBERED)
def _written(name: str) -> str:
    return quote(name, safe=".")  # without white space, which parts words


def term_of(name: str, word: str) -> str:
    """Return how a word of a field is written in the index."""
    return f"{_written(name)}:{word}"


def terms_of(fields: Mapping[str, Sequence[str]], tokenizer: Tokenizer) -> list[str]:
    """Return the words of a document's keywords as they are indexed.

    Args:
        fields: Keywords by the name of their field.
    """
    found = (
        term_of(name, word)
        for name, values in fields.items()
        for value in values
        for word in _words(tokenizer, tokenizer.read(value), value)
    )
    return [term for term, _ in zip(found, range(MAX_TERMS), strict=False)]


def asked_words(query: str, words: Words, tokenizer: Tokenizer) -> list[str]:
    """Return the words that a query asks fields for."""
    return list(dict.fromkeys(_words(tokenizer, words, query)))


def _words(tokenizer: Tokenizer, words: Words, text: str) -> Iterator[str]:
    """Yield the stems of a text, its words with what joins them, and its identifiers; each may come twice."""
    yield from tokenizer.stems(words.standing())
    yield from words.whole
    yield from read_identifiers(text)
