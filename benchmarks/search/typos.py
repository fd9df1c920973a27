"""Titles with one slip in a word, queries without sense, and queries of people: what is found first, or not at all."""

from __future__ import annotations

import random
import string
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.harness.report import Bar, at_least, at_most
from clickloop.container import Container
from clickloop.evaluation.systems import Systems
from foundation.settings import Settings
from simulator.collection import JudgedCollection, read_beir

COLLECTIONS = {"libreoffice_help": 2600, "chorus_electronics": 1500, "postgresql_docs": 300, "banking77": 100}
"""Most documents taken of each; all are embedded once, into the home."""

QUICK_DOCUMENTS = 100
MIN_FIRST = 0.97
MIN_NOTHING = 0.95
MAX_LOST = 0.01
_TITLES = 300
_QUERIES = 300
_DEPTH = 10
_ACCENTS = "\u0300\u0301\u0302\u0308"
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def measure_typos(data: Path, settings: Settings, seed: int, *, quick: bool) -> tuple[list[Bar], dict[str, Any]]:
    """Return the bars of slips and of queries without sense, over the collections that are there."""
    container = Container(settings)
    rng = random.Random(seed)
    details: dict[str, Any] = {}
    kept = right = nothing = senseless = lost = real = 0
    for name, most in COLLECTIONS.items():
        if not (data / name).exists():
            continue
        judged = read_beir(data / name)
        systems = Systems(container, _take(judged, QUICK_DOCUMENTS if quick else most, rng), _DEPTH)
        one, other = count_first(systems, rng)
        kept, right = kept + one, right + other
        gibberish = {str(number): write_gibberish(rng) for number in range(_QUERIES)}
        found = _count_empty(systems, gibberish)
        nothing, senseless = nothing + found, senseless + len(gibberish)
        details[name] = {"right titles first": other, "first with a slip": one, "gibberish that finds nothing": found}
        if len(systems.corpus) == len(judged.documents):
            asked = sorted(judged.split("test"))
            queries = {query: judged.queries[query] for query in rng.sample(asked, min(_QUERIES, len(asked)))}
            details[name]["held-out queries that find nothing"] = empty = _count_empty(systems, queries)
            lost, real = lost + empty, real + len(queries)
    container.engine.dispose()
    bars = [
        at_least("search.typos", f"of {right} titles that are first, share first with a slip", kept / right, MIN_FIRST),
        at_least(
            "search.nothing", f"of {senseless} queries of letters, share without hits", nothing / senseless, MIN_NOTHING
        ),
    ]
    if real:
        bars.append(at_most("search.nothing", f"of {real} held-out queries, share without hits", lost / real, MAX_LOST))
    return bars, details


def count_first(systems: Systems, rng: random.Random) -> tuple[int, int]:
    """Return how many titles are found first with a slip in a word, and how many without."""
    corpus = systems.corpus
    documents = [corpus.document(row) for row in range(corpus.size)]
    chosen = rng.sample(documents, min(_TITLES, len(documents)))
    slips = {one.id: slip for one in chosen if (slip := slip_once(one.title, rng))}
    titles = {one.id: one.title for one in chosen if one.id in slips}
    first = {query for query, found in _first(systems, titles).items() if found == query}
    found = _first(systems, {query: slips[query] for query in first})
    return sum(found[query] == query for query in first), len(first)


def slip_once(text: str, rng: random.Random) -> str:
    """Return a text with letters swapped, one left out, doubled or of a neighbouring key; "" without a long word."""
    words = text.split()
    long = [place for place, word in enumerate(words) if len(word) >= 4 and word.isascii() and word.isalpha()]
    if not long:
        return ""
    place = rng.choice(long)
    words[place] = rng.choice([slip for slip in _slips(words[place], rng) if slip != words[place]])
    return " ".join(words)


def accent(text: str, rng: random.Random) -> str:
    """Return a text with an accent on a vowel of its longest word, as another keyboard may put it."""
    words = text.split()
    place = max(range(len(words)), key=lambda number: len(words[number]), default=-1)
    vowels = [number for number, letter in enumerate(words[place]) if letter in "aeiou"] if words else []
    if not vowels:
        return text
    at = rng.choice(vowels)
    words[place] = unicodedata.normalize("NFC", words[place][: at + 1] + rng.choice(_ACCENTS) + words[place][at + 1 :])
    return " ".join(words)


def write_gibberish(rng: random.Random) -> str:
    """Return one to three words of letters at random, of one row of keys or of syllables."""
    return " ".join(_write_word(rng) for _ in range(rng.randint(1, 3)))


def _slips(word: str, rng: random.Random) -> Iterator[str]:
    place = rng.randrange(len(word) - 1)
    yield word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    yield word[:place] + word[place + 1 :]
    yield word[:place] + word[place] + word[place:]
    row = next(row for row in _KEYS if word[place].lower() in row)
    key = row.index(word[place].lower())
    yield word[:place] + rng.choice(row[max(key - 1, 0) : key] + row[key + 1 : key + 2]) + word[place + 1 :]


def _write_word(rng: random.Random) -> str:
    kind = rng.randrange(3)
    if kind == 0:
        return "".join(rng.choice("bcdfghjklmnpqrstvwxz") + rng.choice("aeiou") for _ in range(rng.randint(3, 5)))
    letters = string.ascii_lowercase if kind == 1 else rng.choice(_KEYS)
    return "".join(rng.choice(letters) for _ in range(rng.randint(5, 11)))


def _take(judged: JudgedCollection, most: int, rng: random.Random) -> JudgedCollection:
    documents = judged.documents
    return judged if len(documents) <= most else replace(judged, documents=rng.sample(documents, most))


def _first(systems: Systems, queries: Mapping[str, str]) -> dict[str, str]:
    return {query: next(iter(found), "") for query, found in systems.rank("hybrid", queries).items()}


def _count_empty(systems: Systems, queries: Mapping[str, str]) -> int:
    return sum(not found for found in systems.rank("hybrid", queries).values())
