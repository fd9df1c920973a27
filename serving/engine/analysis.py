"""How texts and queries become the words that are matched."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Self

import tantivy

from foundation.languages import Language
from serving.engine.synonyms import NO_SYNONYMS, Synonyms, read_synonyms

_FORM = 1  # of the index; counted up when what it holds changes
_LONGEST_WORD = 40
_CODE = re.compile(r"[^\W_]+(?:[-_./:\\+#@]{1,3}[^\W_]+)*")
_PIECE = re.compile(r"[^\W_]+")
_EDGES = ".,:;!?()\"'"
_QUOTED = re.compile(r'["“”„«»]([^"“”„«»]+)["“”„«»]')


@dataclass(frozen=True, slots=True)
class Analysis:
    """How a lexical index reads texts and queries, and what each field counts.

    Attributes:
        language: Whose endings are cut off; "none" matches words as they are written.
        weights: Factor of a match by field, 1 for those not named; a field of weight 0 is not searched.
        typos: Whether a word that no document has is also looked for in other spellings.
        synonyms: What else to look for.
    """

    language: Language = "english"
    weights: Mapping[str, float] = field(default_factory=dict)
    typos: bool = True
    synonyms: Synonyms = field(default_factory=lambda: NO_SYNONYMS)

    @classmethod
    def load(cls, language: Language, synonyms: Path | None, typos: bool) -> Self:
        """Return the analysis that settings describe.

        Args:
            synonyms: File for `read_synonyms`, None for none.

        Raises:
            InvalidRequest: The synonyms cannot be read.
        """
        return cls(language=language, typos=typos, synonyms=read_synonyms(synonyms) if synonyms else NO_SYNONYMS)

    @property
    def key(self) -> str:
        """Name of what is fixed when an index is created; an index of another key must be built again."""
        return f"{self.language}-{_FORM}"

    def stems(self) -> tantivy.TextAnalyzer:
        """Return the analyzer of texts: words in lower case without endings and accents."""
        return _analyzer(self.language)

    def words(self) -> tantivy.TextAnalyzer:
        """Return an analyzer that gives the same words with their endings."""
        return _analyzer("none")


@dataclass(frozen=True, slots=True)
class Code:
    """An identifier or part number, such as HP-305XL, 0x80070057, err_conn_reset or v2.1.3.

    Attributes:
        pieces: What punctuation divides, in lower case.
    """

    pieces: tuple[str, ...]

    @property
    def forms(self) -> tuple[str, ...]:
        """How it may be written as one word: divided, and in one piece unless two numbers would run together."""
        divided = "-".join(self.pieces)
        runs = any(one[-1].isdigit() and other[0].isdigit() for one, other in pairwise(self.pieces))
        return (divided,) if runs or len(self.pieces) == 1 else (divided, "".join(self.pieces))

    @property
    def is_open(self) -> bool:
        """Whether it may be the beginning of a longer one; a number or a compound word is what it is."""
        letters = "".join(self.pieces)
        mixed = any(letter.isdigit() for letter in letters) and any(letter.isalpha() for letter in letters)
        return len(letters) > 2 and mixed


def normalise(text: str) -> str:
    """Return a text with every character in its one usual form (NFKC), halves of characters as question marks."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text.encode(errors="replace").decode())


def read_codes(text: str) -> list[Code]:
    """Return what in a text has digits, or punctuation between letters."""
    found = (tuple(_PIECE.findall(code)) for code in _CODE.findall(text.lower()))
    return [Code(pieces) for pieces in found if len(pieces) > 1 or any(map(str.isdigit, pieces[0]))]


def compound_forms(text: str) -> set[str]:
    """Return the forms of all codes of several pieces in a text. Fast enough for every document."""
    parts = {part for part in set(text.split()) if not part.strip(_EDGES).isalnum()}
    return {form for code in read_codes(" ".join(parts)) if len(code.pieces) > 1 for form in code.forms}


def read_phrases(query: str) -> list[str]:
    """Return what a query has in quotation marks."""
    return _QUOTED.findall(query)


def _analyzer(language: Language) -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    builder = builder.filter(tantivy.Filter.remove_long(_LONGEST_WORD)).filter(tantivy.Filter.lowercase())
    if language != "none":
        builder = builder.filter(tantivy.Filter.stemmer(language))
    return builder.filter(tantivy.Filter.ascii_fold()).build()
