"""Synthetic articles grown from real ones, to measure search at sizes that no judged collection has.

An article takes the title and the opening sentence of a real one, then sentences of that one and of
its nearest neighbours by BM25, alternately and each once, until it has about 150 words; further
articles of the same source take other sentences, and the words of a neighbour's title into their own.
Vocabulary, frequencies and topics stay real while every article is another. The same seed grows the
same articles from the same sources.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from serving.engine.lexical import LexicalIndex

WORDS = 150
NARROW = {"one_percent": 100, "one_permille": 1000}
"""Boolean fields that hold for one document in so many."""

FEW = 10
"""Documents for which the field `few` holds."""

_NEIGHBOURS = 12
_PRODUCTS = tuple(f"product-{number}" for number in range(10))
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_SHORTEST, _LONGEST = 4, 45
_DAY_ONE, _DAYS = 2015, 3650


@dataclass(frozen=True, slots=True)
class Source:
    """A real article cut into sentences."""

    title: str
    sentences: tuple[str, ...]
    words: str


def read_sources(documents: Sequence[dict[str, Any]]) -> list[Source]:
    """Return the documents that articles can grow from: with a title, and three sentences at least."""
    sources = []
    for document in documents:
        text = " ".join(str(document["text"]).split())
        found = _SENTENCE_END.split(text)
        sentences = tuple(one for one in found if _SHORTEST <= len(one.split()) <= _LONGEST)
        if document["title"] and len(sentences) >= 3:
            sources.append(Source(document["title"], sentences, text[:1000]))
    return sources


def grow(sources: Sequence[Source], count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield `count` articles as documents, with fields to filter by."""
    near = _neighbours(sources)
    order = list(range(len(sources)))
    random.Random(seed).shuffle(order)
    for number in range(count):
        place = order[number % len(order)]
        chance = random.Random(f"{seed} {number}")
        title, text = _write(sources, place, near[place], chance, again=number >= len(order))
        yield {
            "id": f"article-{number}",
            "title": title,
            "text": text,
            "url": f"/articles/{number}",
            "fields": _describe(number, count, chance),
        }


def _neighbours(sources: Sequence[Source]) -> list[list[int]]:
    index = LexicalIndex()
    for place, source in enumerate(sources):
        index.add(place, source.title, source.words)
    index.commit()
    found = [list(index.search(source.title, _NEIGHBOURS + 1)) for source in sources]
    return [[other for other in rows if other != place] or [place] for place, rows in enumerate(found)]


def _write(
    sources: Sequence[Source], place: int, near: list[int], chance: random.Random, *, again: bool
) -> tuple[str, str]:
    source = sources[place]
    other = sources[chance.choice(near)]
    title = f"{source.title} · {other.title}" if again else source.title
    lent = [sentence for row in near for sentence in sources[row].sentences]
    own = list(source.sentences[1:])
    chance.shuffle(own)
    chance.shuffle(lent)
    taken = [source.sentences[0]]
    length = len(taken[0].split())
    while length < WORDS and (own or lent):
        pool = own if own and (not lent or len(taken) % 2) else lent
        sentence = pool.pop()
        if sentence not in taken:
            taken.append(sentence)
            length += len(sentence.split())
    return title, " ".join(taken)


def _describe(number: int, count: int, chance: random.Random) -> dict[str, Any]:
    day = chance.randrange(_DAYS)
    fields: dict[str, Any] = {
        "product": chance.choice(_PRODUCTS),
        "views": int(chance.paretovariate(1.2) * 10),
        "updated": f"{_DAY_ONE + day // 365}-{day % 12 + 1:02}-{day % 28 + 1:02}",
        "published": chance.random() < 0.9,
        "few": number % max(1, count // FEW) == 0 and number // max(1, count // FEW) < FEW,
    }
    return fields | {name: number % one_in == 0 for name, one_in in NARROW.items()}
