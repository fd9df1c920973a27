"""Words that mean the same, read from lines as Solr writes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from foundation.errors import FieldFault, InvalidRequest
from serving.index.lexical.words import cut_words

Stems = tuple[str, ...]
Table = dict[Stems, tuple[Stems, ...]]

_COMMA = re.compile(r"(?<!\\),")
_ARROW = re.compile(r"(?<!\\)=>")
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Expansions:
    """Synonyms as one index reads them.

    Attributes:
        table: The synonyms of each phrase.
        words: The words of these phrases in their normal form; none of them is a slip.
    """

    table: Table
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Synonyms:
    """What else is searched for when something is asked."""

    rules: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def compile(self, stem: Callable[[str], list[str]]) -> Table:
        """Return the synonyms of each phrase, both as stems; what has no stems is left out."""
        table: dict[Stems, dict[Stems, None]] = {}
        for phrase, others in self.rules:
            key = tuple(stem(phrase))
            values = dict.fromkeys(tuple(stem(other)) for other in others)
            if key:
                table.setdefault(key, {}).update(value for value in values.items() if value[0] not in {(), key})
        return {key: tuple(values) for key, values in table.items()}

    def expand(self, stem: Callable[[str], list[str]]) -> Expansions:
        """Return the synonyms as an index reads them that makes stems in this way."""
        words = frozenset(word for phrase, _ in self.rules for word in cut_words(phrase).plain)
        return Expansions(self.compile(stem), words)


def parse_synonyms(text: str, source: str = "synonyms") -> Synonyms:
    """Read synonyms, one rule a line.

    "tv, television" makes each a synonym of the other; "lcd => screen, display" works one way. A number
    sign starts a comment line, a backslash takes a comma or an arrow literally. Unlike Solr, the word that
    was asked for is always searched for too.

    Args:
        source: What the text is called in errors, as a path.

    Raises:
        InvalidRequest: Lines that are no rule; `fields` names each as source:line.
    """
    rules: list[tuple[str, tuple[str, ...]]] = []
    faults: list[FieldFault] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            rules += _parse_rule(line)
        except ValueError as fault:
            faults.append(FieldFault(f"{source}:{number}", str(fault)))
    if faults:
        raise InvalidRequest(f"{source} has lines that are no synonyms.", tuple(faults))
    return Synonyms(tuple(rules))


def read_synonyms(path: Path) -> Synonyms:
    """Read synonyms from a file in UTF-8; see `parse_synonyms`.

    Raises:
        InvalidRequest: The file cannot be read, or has lines that are no rule.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"The synonyms in {path} cannot be read: {error}.") from error
    return parse_synonyms(text, str(path))


def find_synonyms(stems: list[str], table: Table) -> list[Stems]:
    """Return the synonyms of the longest phrases of the table that the stems hold, from left to right."""
    longest = max(map(len, table), default=0)
    found: dict[Stems, None] = {}
    start = 0
    while start < len(stems):
        lengths = range(min(longest, len(stems) - start), 0, -1)
        length = next((one for one in lengths if tuple(stems[start : start + one]) in table), 0)
        found.update(dict.fromkeys(table.get(tuple(stems[start : start + length]), ())))
        start += max(length, 1)
    return list(found)


def _parse_rule(line: str) -> list[tuple[str, tuple[str, ...]]]:
    sides = _ARROW.split(line)
    if len(sides) > 2:
        raise ValueError("has more than one =>")
    left = _parse_list(sides[0])
    if len(sides) == 2:
        right = _parse_list(sides[1])
        return [(phrase, right) for phrase in left]
    if len(left) < 2:
        raise ValueError("has one entry and no =>; write at least two, parted by commas")
    return [(phrase, tuple(other for other in left if other != phrase)) for phrase in left]


def _parse_list(text: str) -> tuple[str, ...]:
    entries = [_ESCAPED.sub(r"\1", entry).strip() for entry in _COMMA.split(text)]
    for entry in entries:
        if not any(map(str.isalnum, entry)):
            raise ValueError(f"has an entry without a letter or digit: {entry!r}")
    return tuple(entries)
