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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import tantivy

WORDS = 150
NARROW = {"one_percent": 100, "one_permille": 1000}
"""Boolean fields that hold for one document in so many."""

FEW = 10
"""Documents for which the field `few` holds."""

_NEIGHBOURS = 12
_PRODUCTS = tuple(f"product-{number}" for number in range(10))
_FIELDS = ("title", "text")
_WRITER_BYTES = 64_000_000
_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_SHORTEST, _LONGEST = 4, 45
_DAY_ONE, _DAYS = 2015, 3650


@dataclass(frozen=True, slots=True)
class ArticleSource:
    """A real article cut into sentences."""

    title: str
    sentences: tuple[str, ...]
    words: str


def read_sources(documents: Sequence[dict[str, Any]]) -> list[ArticleSource]:
    """Return the documents that articles can grow from: with a title, and three sentences at least."""
    sources = []
    for document in documents:
        text = " ".join(str(document["text"]).split())
        found = _SENTENCE_END.split(text)
        sentences = tuple(one for one in found if _SHORTEST <= len(one.split()) <= _LONGEST)
        if document["title"] and len(sentences) >= 3:
            sources.append(ArticleSource(document["title"], sentences, text[:1000]))
    return sources


def grow(sources: Sequence[ArticleSource], count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield `count` articles as documents, with fields to filter by."""
    near = _find_neighbours(sources)
    order = list(range(len(sources)))
    random.Random(seed).shuffle(order)
    for number in range(count):
        place = order[number % len(order)]
        chance = random.Random(f"{seed} {number}")
        title, text = _write(sources, place, near(place), chance, again=number >= len(order))
        yield {
            "id": f"article-{number}",
            "title": title,
            "text": text,
            "url": f"/articles/{number}",
            "fields": _describe(number, count, chance),
        }


def _find_neighbours(sources: Sequence[ArticleSource]) -> Callable[[int], list[int]]:
    """Return what finds the sources nearest to one.

    By tantivy's own BM25, not by clickloop's: the engine may change, the articles must not.
    """
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("place", indexed=True, fast=True)
    for name in _FIELDS:
        builder.add_text_field(name, tokenizer_name="en_stem")
    index = tantivy.Index(builder.build())
    writer = index.writer(_WRITER_BYTES, 1)
    for place, source in enumerate(sources):
        writer.add_document(tantivy.Document(place=place, title=source.title, text=source.words))
    writer.commit()
    index.reload()
    searcher = index.searcher()

    @cache
    def find(place: int) -> list[int]:
        words = " ".join(_WORD.findall(sources[place].title.lower()))
        query, _ = index.parse_query_lenient(words, list(_FIELDS))
        hits = searcher.search(query, _NEIGHBOURS + 1, count=False).hits if words else []
        found = searcher.fast_field_values("place", [address for _, address in hits])
        return [int(other) for other in found if other is not None and other != place] or [place]

    return find


def _write(
    sources: Sequence[ArticleSource], place: int, near: list[int], chance: random.Random, *, again: bool
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
