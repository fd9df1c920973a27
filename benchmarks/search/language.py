"""Whether the title that holds a word is found by it: in ten languages, in all their forms, and for codes and names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.report import Bar, Findings, at_least
from benchmarks.search.titles import WORDS, TitleQuery, read_codes, read_titles
from benchmarks.search.typos import measure_typos
from foundation.settings import Settings
from serving.index.lexical.index import LexicalIndex

MIN_SHARE = 0.95
_WITHIN = 3
_TEXT = "Please follow these steps. 请参考以下步骤。 โปรดทำตามขั้นตอนต่อไปนี้ 次の手順に従ってください。"
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u0652\u0670\u093c]")


def run(data: Path | None, home: Path, seed: int, quick: bool) -> Findings:
    """Return the bars of language.

    Args:
        data: Folder of collections in BEIR form, whose titles are misspelt; without one only `titles` are asked for.
        home: Where vectors are kept between runs.
    """
    bars: list[Bar] = measure_language()
    details: dict[str, Any] = {}
    if data is not None:
        more, details = measure_typos(data, Settings(home=home, log_level="warning"), seed, quick=quick)
        bars += more
    return Findings(bars, details)


def measure_language() -> list[Bar]:
    """Return by language how many queries have their title among the first three, by words alone."""
    bars = [_measure(language, read_titles(language), forms_of) for language in WORDS]
    return [*bars, _measure("codes and names", read_codes(), lambda query: [query])]


def forms_of(word: str) -> Iterator[str]:
    """Return a word as it is written: composed, decomposed, without the marks that can be missed, in capitals."""
    decomposed = unicodedata.normalize("NFD", word)
    composed = unicodedata.normalize("NFC", word)
    bare = unicodedata.normalize("NFC", _MARKS.sub("", decomposed))
    yield from dict.fromkeys((word, composed, decomposed, bare, word.upper()))


def find_missed(index: LexicalIndex, titles: Sequence[str], asked: Iterable[TitleQuery]) -> list[TitleQuery]:
    """Return the queries whose title is not among the first three."""
    return [one for one in asked if one.title not in [titles[row] for row in index.search(one.query, _WITHIN)]]


def _measure(what: str, cases: list[TitleQuery], forms: Callable[[str], Iterable[str]]) -> Bar:
    titles = list(dict.fromkeys(case.title for case in cases))
    index = LexicalIndex()
    for row, title in enumerate(titles):
        index.add(row, title, _TEXT)
    index.commit()
    asked = [TitleQuery(form, case.title) for case in cases for form in forms(case.query)]
    share = 1 - len(find_missed(index, titles, asked)) / len(asked)
    said = f"{what}: share of {len(asked)} queries with their title among the first {_WITHIN}, by words alone"
    return at_least("search.language", said, share, MIN_SHARE)
