"""Words that mean the same, from a file in the format of Solr."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from foundation.errors import InvalidRequest

Phrase = str
Synonyms = Mapping[Phrase, tuple[Phrase, ...]]
"""What else to look for, by what a query says; each of one word or of several."""

NO_SYNONYMS: Synonyms = {}

_COMMA = re.compile(r"(?<!\\),")
_ARROW = re.compile(r"(?<!\\)=>")
_ESCAPE = re.compile(r"\\(.)")


def read_synonyms(file: Path) -> Synonyms:
    r"""Return the synonyms of a UTF-8 file, one rule a line.

    `tv, television` makes each stand for the other; `lcd => screen, display` finds the right-hand
    side for the left and not the other way. Rules add up. A backslash takes a comma, an arrow or a
    backslash literally; empty lines and lines that begin with `#` say nothing.

    Raises:
        InvalidRequest: The file cannot be read or a line is no rule; the message names the line.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise InvalidRequest(f"the synonyms in {file} cannot be read: {problem}") from problem
    found: dict[Phrase, dict[Phrase, None]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        for said, meant in _read_rule(line, f"{file}, line {number}"):
            found.setdefault(said, {}).update(dict.fromkeys(meant))
    return {said: tuple(meant) for said, meant in found.items()}


def _read_rule(line: str, place: str) -> list[tuple[Phrase, list[Phrase]]]:
    sides = _ARROW.split(line)
    if len(sides) > 2:
        raise InvalidRequest(f"{place}: a rule has one arrow at most; write a second line")
    phrases = [_read_phrases(side, place) for side in sides]
    if len(phrases) == 2:
        said, meant = phrases
        return [(phrase, meant) for phrase in said]
    same = phrases[0]
    if len(same) < 2:
        raise InvalidRequest(f"{place}: {same[0]!r} stands alone; write at least two phrases with a comma between")
    return [(phrase, [other for other in same if other != phrase]) for phrase in same]


def _read_phrases(side: str, place: str) -> list[Phrase]:
    phrases = [" ".join(_ESCAPE.sub(r"\1", phrase).split()) for phrase in _COMMA.split(side)]
    if not all(phrases):
        raise InvalidRequest(f"{place}: a phrase is empty; remove the comma or write what is missing")
    return phrases
