"""Which scripts an encoder reads, by its vocabulary: of the others it has single letters at most."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable

_MIN_PIECES = 1000
_MIN_LONGER_PIECES = 100
_BYTES = "\u0120"
"""Begins words in vocabularies of bytes, which read every script."""


def find_scripts(vocabulary: Iterable[str]) -> frozenset[str] | None:
    """Return the scripts of which a vocabulary has many pieces, or some of several letters; None for every script."""
    pieces: Counter[str] = Counter()
    longer: Counter[str] = Counter()
    for token in vocabulary:
        if token.startswith(_BYTES):
            return None
        letters = [letter for letter in token.removeprefix("##") if letter.isalpha()]
        if letters:
            script = script_of(letters[0])
            pieces[script] += 1
            longer[script] += len(letters) > 1
    return frozenset(
        script for script in pieces if pieces[script] >= _MIN_PIECES or longer[script] >= _MIN_LONGER_PIECES
    )


def script_of(letter: str) -> str:
    """Return the script of a letter, by the first word of its name in Unicode."""
    return unicodedata.name(letter, "UNKNOWN").partition(" ")[0]
