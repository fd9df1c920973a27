"""First-stage retrieval: a query read for a corpus, and what its indexes find, whichever version ranks it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from foundation.arrays import Bits, Flags, Floats
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.index.fingerprint import fingerprint
from serving.index.lexical.words import cut_words
from serving.personal.taste import Taste
from serving.ranking.stage_timer import StageTimer
from serving.rules.shaping import NO_SHAPING, Shaping

LEXICAL_CANDIDATES = 150
TEXT_SCORES = 400
DENSE_CANDIDATES = 200


@dataclass(frozen=True, slots=True)
class FirstStage:
    """What the indexes find for a query. Versions share it, and learners use it again and again.

    Attributes:
        allowed: Rows that may appear, bool by row; None allows all.
        lexical: BM25 by row, best first.
        matches: How many of the allowed rows hold a word of the query.
        text: BM25 of the text without the title, by row.
        near: Rows of the nearest passages, best first.
        makes_sense: Whether it is found by words, or nearer to something than a text without sense would be.
        shaping: What the owner's settings make of the search.
        taste: What the person who asks prefers, None where nobody asks for that.
    """

    query: Query
    allowed: Flags | None
    lexical: dict[int, float]
    text: dict[int, float]
    near: list[int]
    trigrams: Bits
    matches: int
    makes_sense: bool = True
    shaping: Shaping = NO_SHAPING
    taste: Taste | None = None

    def without_meaning(self) -> FirstStage:
        """Return what words alone find."""
        return replace(self, query=replace(self.query, vector=np.zeros_like(self.query.vector)), near=[])


class QueryEmbedder(Protocol):
    """Makes the vector of a query, and knows the common words of its language."""

    def read_query(self, text: str, key: str) -> Query:
        """Return a query with its vector, and its tokens where documents have them."""

    def is_common(self, word: str) -> bool:
        """Return whether a word, small, is common in the language."""

    def can_read(self, text: str) -> bool:
        """Return whether the script of a text can be read."""


def read_query(
    corpus: Corpus,
    embedder: QueryEmbedder,
    text: str,
    key: str,
    *,
    meaning: bool = True,
    known: frozenset[str] = frozenset(),
) -> Query:
    """Return a query as the engine reads it: its slips corrected by the words of the corpus, its meaning after that.

    A common word of the encoder's language is no slip, though no document has it. In a script that the encoder cannot
    read, the query has no meaning, and its words decide.

    Args:
        key: Its normal form, under which evidence is kept; that of what was typed.
        meaning: Whether its meaning is searched for too.
        known: Words that are no slips although no document has them, as those that have synonyms.
    """
    meant = corpus.lexical.correct(text, lambda word: word in known or embedder.is_common(word)) or ""
    unread = not embedder.can_read(text)
    if unread or not meaning:
        return Query(text, key, np.zeros(corpus.dense.dimension, np.float32), meant=meant, unread=unread)
    common = any(map(embedder.is_common, cut_words(text).plain))
    return replace(embedder.read_query(meant or text, key), text=text, meant=meant, common=common)


def retrieve(
    corpus: Corpus,
    query: Query,
    allowed: Flags | None = None,
    timer: StageTimer | None = None,
    shaping: Shaping = NO_SHAPING,
) -> FirstStage:
    """Return what the indexes of a corpus find for a query.

    Args:
        allowed: Rows that may appear, bool by row; None allows all.
        shaping: What the owner's settings make of the search; `allowed` is narrowed by it already.
    """
    timer = timer or StageTimer()
    matches = corpus.lexical.find(
        query.words,
        LEXICAL_CANDIDATES,
        allowed,
        expansions=shaping.expansions,
        texts=TEXT_SCORES,
        ties=corpus.columns.keys,
    )
    lexical = matches.scores
    timer.end("lexical")
    makes_sense = bool(lexical) or not query.has_meaning or is_near(corpus, query.vector, query)
    near = corpus.dense.search(query.vector, DENSE_CANDIDATES, allowed) if query.has_meaning and makes_sense else []
    timer.end("dense")
    return FirstStage(
        query=query,
        allowed=allowed,
        lexical=lexical,
        text=matches.texts,
        near=near,
        trigrams=fingerprint(query.words),
        matches=matches.total,
        makes_sense=makes_sense,
        shaping=shaping,
    )


def is_near(corpus: Corpus, vector: Floats, query: Query) -> bool:
    """Return whether a vector of a query is nearer to some passage than that of a text without sense would be."""
    return corpus.nearest(vector) >= corpus.noise.floor(common=query.common)
