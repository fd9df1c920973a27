"""A text cut into the words that it can be found by, in any script.

A word is a run of letters, digits and their marks. Where a script puts no spaces between words, as Chinese, Japanese,
Thai, Khmer, Lao and Burmese do, and where particles cling to them as in Korean, each pair of neighbouring characters
is a word. So whatever stands inside a run is found, without a dictionary.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from foundation.language.folding import fold

MAX_LETTERS = 64
"""Longer words are left out: nobody types them."""

MIN_PART = 3
"""Letters that stand at least before a word inside a compound."""

MIN_ASKED = 4
"""Shorter words are not looked for inside others."""

_MAX_PARTS = 6
_MAX_JOINED = 3
_MARKED_BLOCKS = ((0x0900, 0x1CFF), (0x3099, 0x309A), (0xA660, 0xABFF), (0x10A00, 0x11FFF))
_MARKS = "".join(
    chr(code)
    for first, last in _MARKED_BLOCKS
    for code in range(first, last + 1)
    if unicodedata.category(chr(code))[0] == "M"
)
_LETTERS = f"(?:[^\\W_]++[{_MARKS}]*+)++"
_UNSPACED = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fe\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff"  # kana, bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7fb"  # Hangul
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0edf\u1000-\u109f\ua9e0-\ua9fe\uaa60-\uaa7f\u1780-\u17d3"  # of South-East Asia
)
_JOINED = r"(?:(?<![^\s(])\.)?{0}(?:[-.&'_/:\\@]{0})*+(?:(?:\+\+|\#)(?![^\W\d_]))?"
_CHUNK = re.compile(_JOINED.format(_LETTERS))
_ASCII_CHUNK = re.compile(_JOINED.format("[a-z0-9]++"))
_WORD = re.compile(_LETTERS)
_RUN = re.compile(rf"(?:[{_UNSPACED}][{_MARKS}]*+)++")
_SIGNS = re.compile(rf"[^\w{_MARKS}]|[\d_]|^$")
_CHARACTER = re.compile(rf".[{_MARKS}]*")  # a run may begin with a mark that stands alone
_JOINING = re.compile(rf"{_LETTERS}(?:[-.&]{_LETTERS})++")
_ELIDED = re.compile(rf"[^\W\d_]'({_LETTERS})")
_DIGIT_THEN_LETTER = re.compile(r"(?<=\d)(?=[^\W\d_])")
_ALIKE = re.compile(r"\d{2,}|[^\W\d_]{2,}")
_MIXED = re.compile(r"\d[^\W\d_]|[^\W\d_]\d")
_HUMPS = re.compile(r"(?<![^\W_])(?:[a-z]{2,}+(?:[A-Z][a-z0-9]++)++|(?:[A-Z][a-z0-9]++){3,}+)(?![^\W_])")
_HUMP = re.compile(r"[A-Z]?[a-z0-9]+")
_SAID = {"++": ("pp", "plusplus"), "#": ("sharp",), ".": ("dot",)}


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text in its order, and what else it is found by.

    Attributes:
        plain: Its words. Where there are no spaces, the pairs of neighbouring characters.
        whole: Words with what joins or follows them: "USB-C" is usbc too, "C++" is c++ and cpp.
        parts: Pieces of words: "iphone15" has iphone and 15, "getUserById" has get, user, by and id.
        runs: Where `plain` holds the pairs of one run: number of the first and of the one after the last.
        ends: The last character of each run of several, so that each character of a text begins some word.
        signed: Words that a sign before them makes others, by their number in `plain`: .net for net.
    """

    plain: list[str]
    whole: list[str]
    parts: list[str]
    runs: list[tuple[int, int]]
    ends: list[str]
    signed: dict[int, str] = field(default_factory=dict)

    def standing(self) -> list[str]:
        """Return the words as they stand in the text, with what makes every character of a run the first of a word."""
        return [*self.plain, *self.ends]

    def forms(self) -> list[str]:
        """Return what else the text is found by."""
        return [*self.whole, *self.parts]


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """A word where it stands in a text.

    Attributes:
        start: Its first character.
        end: The one behind its last.
        names: What it is found by, in its normal form.
    """

    start: int
    end: int
    names: tuple[str, ...]


def cut_words(text: str) -> Words:
    """Return the words of a text in their normal form; those of more than `MAX_LETTERS` are left out."""
    words = Words([], [], [], [], [])
    for humps in _HUMPS.findall(text):
        words.parts.extend(hump.lower() for hump in _HUMP.findall(humps))
    folded = fold(text)
    for chunk in (_ASCII_CHUNK if folded.isascii() else _CHUNK).findall(folded):
        _cut_chunk(chunk, words)
    return words


def place_words(folded: str) -> Iterator[PlacedWord]:
    """Yield where the words of a text in its normal form stand, longer ones before those inside them."""
    for chunk in (_ASCII_CHUNK if folded.isascii() else _CHUNK).finditer(folded):
        words = Words([], [], [], [], [])
        _cut_chunk(chunk[0], words)
        if words.whole or words.plain == [chunk[0]]:
            yield PlacedWord(chunk.start(), chunk.end(), (*words.whole, chunk[0]))
        for piece in _WORD.finditer(chunk[0]):
            yield from _place_piece(piece[0], chunk.start() + piece.start())


def is_word(text: str) -> bool:
    """Return whether a text is one word of letters, of a script with spaces between words."""
    return text.isalpha() if text.isascii() else _is_foreign_word(text)


def inner_words(word: str) -> list[str]:
    """Return what a word of letters may end with as a compound: Fahrplan in Straßenbahnfahrplan, and shorter ends."""
    return [word[start:] for start in range(MIN_PART, len(word) - MIN_ASKED + 1)]


def is_unspaced(word: str) -> bool:
    """Return whether a word is of a script without spaces between words."""
    return _RUN.match(word) is not None


def _is_foreign_word(text: str) -> bool:
    return not (_SIGNS.search(text) or _RUN.search(text))


def _cut_chunk(chunk: str, words: Words) -> None:
    if chunk.isascii() and chunk.isalpha():
        if len(chunk) <= MAX_LETTERS:
            words.plain.append(sys.intern(chunk))
        return
    whole = list(_as_written(chunk))
    pieces = [piece for piece in _WORD.findall(chunk) if len(piece) <= MAX_LETTERS]
    if whole and whole[0] == chunk and len(pieces[0]) == 1:
        words.plain.append(whole.pop(0))  # C++ is not C
        pieces = []
    if chunk[0] == "." and whole and len(pieces) == 1:
        words.signed[len(words.plain)] = whole[0]
    words.whole.extend(whole)
    for piece in pieces:
        _cut_piece(piece, words)


def _cut_piece(piece: str, words: Words) -> None:
    end = 0
    for run in _RUN.finditer(piece):
        _add_word(piece[end : run.start()], words)
        _add_run(_CHARACTER.findall(run[0]), words)
        end = run.end()
    _add_word(piece[end:], words)


def _place_piece(piece: str, at: int) -> Iterator[PlacedWord]:
    end = 0
    for run in _RUN.finditer(piece):
        yield from _place_word(piece[end : run.start()], at + end)
        places = [(at + run.start() + one.start(), at + run.start() + one.end()) for one in _CHARACTER.finditer(run[0])]
        yield from (_placed(piece, at, start, stop) for start, stop in places)
        yield from (_placed(piece, at, one[0], other[1]) for one, other in pairwise(places))
        end = run.end()
    yield from _place_word(piece[end:], at + end)


def _place_word(word: str, at: int) -> Iterator[PlacedWord]:
    if word:
        words = Words([], [], [], [], [])
        _add_word(word, words)
        yield PlacedWord(at, at + len(word), (*words.plain, *words.parts))


def _placed(piece: str, at: int, start: int, end: int) -> PlacedWord:
    return PlacedWord(start, end, (piece[start - at : end - at],))


def _add_word(word: str, words: Words) -> None:
    if not word:
        return
    words.plain.append(word)
    if _MIXED.search(word):
        parts = dict.fromkeys((*_DIGIT_THEN_LETTER.split(word), *_ALIKE.findall(word)))
        found = [part for part in parts if len(part) > 1 and part != word]
        words.parts.extend(found if len(found) <= _MAX_PARTS else ())


def _add_run(characters: list[str], words: Words) -> None:
    start = len(words.plain)
    if len(characters) == 1:
        words.plain.extend(characters)
        return
    words.plain.extend(one + other for one, other in pairwise(characters))
    words.ends.append(characters[-1])
    words.runs.append((start, len(words.plain)))


def _as_written(chunk: str) -> Iterator[str]:
    """Return the words of a chunk with what joins them left out, and with its signs, as written and as said."""
    body = chunk.rstrip("+#")
    sign = chunk[len(body) :]
    if chunk[0] == "." and len(body) > 2:
        yield from (body, f"{_SAID['.'][0]}{body[1:]}")
    if sign == "++" or (sign == "#" and len(body) <= 2):
        yield from (chunk, *(body + said for said in _SAID[sign]))
    body = body.lstrip(".")
    elided = _ELIDED.fullmatch(body)
    if elided:
        yield body[0] + elided[1]
    elif _JOINING.fullmatch(body):
        pieces = _WORD.findall(body)
        few = len(pieces) <= _MAX_JOINED or max(map(len, pieces)) == 1
        if few and not all(map(str.isdigit, pieces)):
            yield "".join(pieces)
