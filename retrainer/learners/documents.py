"""The documents of a corpus as the learners number them."""

from __future__ import annotations

from foundation.arrays import Floats
from serving.index.corpus import Corpus
from serving.ranking.features import Candidates


class DocumentVectors:
    """The documents of a corpus by number, for the learners."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.ids = corpus.ids()
        self.number = {document: place for place, document in enumerate(self.ids)}
        rows = [row for document in self.ids if (row := corpus.row(document)) is not None]
        self.vectors: Floats = corpus.means(rows)

    def names(self, found: Candidates) -> list[str]:
        """Return the document ids of candidates."""
        return [self.corpus.name(row) for row in found.rows]
