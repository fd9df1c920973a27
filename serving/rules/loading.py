"""Brings revisions of the owner's settings into memory, each once."""

from __future__ import annotations

from dataclasses import replace

from serving.index.lexical.index import LexicalIndex
from serving.rules.settings import Items, Relevance, read_relevance
from serving.rules.store import RelevanceRevisions


class LoadedRelevance:
    """The revisions that one process uses. Safe to use from the threads that follow."""

    def __init__(self, revisions: RelevanceRevisions) -> None:
        self._revisions = revisions
        self._held: dict[tuple[str, int], Relevance] = {}

    def standing(self, collection: str, lexical: LexicalIndex) -> Relevance:
        """Return the settings that serve in a collection.

        Args:
            lexical: What reads its synonyms.
        """
        revision, items = self._revisions.standing(collection)
        return make_ready(revision.number, items, lexical)

    def of(self, collection: str, number: int, lexical: LexicalIndex) -> Relevance:
        """Return a revision.

        Raises:
            NotFound: The collection has none of this number.
        """
        place = (collection, number)
        if place not in self._held:
            _, items = self._revisions.of(collection, number)
            self._held[place] = make_ready(number, items, lexical)
        return self._held[place]


def make_ready(number: int, items: Items, lexical: LexicalIndex) -> Relevance:
    """Return stored settings as searches use them."""
    relevance = read_relevance(number, items)
    if not relevance.synonyms.rules:
        return relevance
    return replace(relevance, expansions=lexical.expand(relevance.synonyms))
