"""The operators that people type into a search: `-word`, `OR`, quoted phrases, `field:word` (pure).

Words without an operator stay what they are: any of them may match, and more is better. An operator is a demand. What
makes no sense as one is text like any other, and no text is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from serving.index.fields.values import FieldType, Value, read_value
from serving.index.lexical.words import cut_words

TEXTS = ("title", "text")
"""Names before a colon that stand for a part of the document itself."""

_QUOTES = '"“”„«»'
_OR = "OR"
_SHORTEST_EXCLUDED = 3
_MAY_ASK = re.compile(rf"(?:^|\s)-\S|(?:^|\s)OR\s|[{_QUOTES}]|\w:\S")
_PIECE = re.compile(
    rf"(?P<minus>-)?(?:(?P<field>[^\W_][\w.-]*):)?[{_QUOTES}](?P<quoted>[^{_QUOTES}]+)[{_QUOTES}](?=\s|$)"
    r"|(?P<word>\S+)"
)
_WORD = re.compile(r"(?P<minus>-)?(?:(?P<field>[^\W_][\w.-]*):(?=[^:/\\\s]))?(?P<body>\S+)")
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that a document must hold, or must not.

    Attributes:
        words: As they were typed, without operators.
        field: "title" or "text", a field of the collection, or "" for title and text alike.
        value: What a field that is no keyword must be; None for words.
    """

    words: str
    field: str = ""
    value: Value | None = None


@dataclass(frozen=True, slots=True)
class AskedText:
    """A query as it was meant.

    Attributes:
        text: What is searched for by words and by meaning; quoted phrases keep their marks.
        required: Of each group, a document must hold one term.
        excluded: What no document may hold.
        operators: What was typed and is no part of `text`.
    """

    text: str
    required: tuple[tuple[Term, ...], ...] = ()
    excluded: tuple[Term, ...] = ()
    operators: str = ""

    @property
    def demands(self) -> bool:
        """Whether anything is demanded beside the words."""
        return bool(self.required or self.excluded)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the text between spaces, a quoted one with those inside.

    Attributes:
        term: What it demands as an operator, None where it is only words.
        is_words: Whether its words are searched for.
    """

    raw: str
    term: Term | None = None
    is_words: bool = True
    excludes: bool = False
    quoted: bool = False

    @property
    def is_or(self) -> bool:
        return self.raw == _OR

    @property
    def operand(self) -> Term:
        return self.term or Term(self.raw)


def read_operators(text: str, types: Mapping[str, FieldType]) -> AskedText:
    """Return a query with its operators read.

    Args:
        types: The fields of the collection; a name that is none of them is a word.
    """
    if not _MAY_ASK.search(text):
        return AskedText(text)
    pieces = [_read_piece(found, types) for found in _PIECE.finditer(text)]
    if all(piece.excludes or piece.is_or for piece in pieces):  # nothing is left to search for
        return AskedText(text)
    groups, joined = _join(pieces)
    demanded = [group for group in groups if len(group) > 1 or pieces[group[0]].term is not None]
    required = tuple(tuple(pieces[at].operand for at in group) for group in demanded if not pieces[group[0]].excludes)
    excluded = tuple(piece.operand for piece in pieces if piece.excludes)
    if not required and not excluded:
        return AskedText(text)
    told = [piece.raw for at, piece in enumerate(pieces) if at in joined or not piece.is_words]
    words = [piece.raw for at, piece in enumerate(pieces) if at not in joined and piece.is_words]
    return AskedText(" ".join(words), required, excluded, " ".join(told))


def _join(pieces: list[_Piece]) -> tuple[list[list[int]], set[int]]:
    """Return the places of operands, those that OR joins together, and the places of the ORs that do so."""
    groups: list[list[int]] = []
    joined: set[int] = set()
    for at, piece in enumerate(pieces):
        before, after = (pieces[place] if 0 <= place < len(pieces) else None for place in (at - 1, at + 1))
        if piece.is_or and _is_operand(before) and _is_operand(after):
            joined.add(at)
        elif at - 1 in joined:
            groups[-1].append(at)
        else:
            groups.append([at])
    return groups, joined


def _is_operand(piece: _Piece | None) -> bool:
    return piece is not None and not piece.excludes and not piece.is_or and _has_words(piece.operand.words)


def _read_piece(found: re.Match[str], types: Mapping[str, FieldType]) -> _Piece:
    raw = found[0]
    quoted = found["quoted"] is not None
    parts = found if quoted else _WORD.fullmatch(raw)
    if parts is None:  # a single minus
        return _Piece(raw)
    body, minus, name = (found["quoted"] if quoted else parts["body"]), parts["minus"], parts["field"] or ""
    term = _read_term(body, name, types)
    if term is None or (minus and not name and not quoted and not _may_be_excluded(body)):
        return _Piece(raw)
    if minus or name:
        return _Piece(raw, term, is_words=False, excludes=bool(minus), quoted=quoted)
    return _Piece(raw, term if quoted else None, quoted=quoted)


def _read_term(body: str, name: str, types: Mapping[str, FieldType]) -> Term | None:
    """Return what a word or phrase demands; None where it cannot be demanded."""
    kind = types.get(name)
    if not name or name in TEXTS or kind == "keyword":
        return Term(body, name) if _has_words(body) else None
    if kind is None:
        return None
    value = read_value(_as_json(body, kind), kind)
    return None if value is None else Term(body, name, value)


def _as_json(body: str, kind: FieldType) -> object:
    """Return what a typed word is as a value of a field, itself where it is none."""
    if kind == "boolean":
        return _TRUTH.get(body.lower())
    if kind == "number":
        try:
            return float(body)
        except ValueError:
            return None
    return body


def _may_be_excluded(word: str) -> bool:
    """Return whether `-word` can be meant as an exclusion: `-5` and the `-rf` of a command are text."""
    return word[0].isalpha() and sum(map(str.isalnum, word)) >= _SHORTEST_EXCLUDED


def _has_words(text: str) -> bool:
    return bool(cut_words(text).plain)
