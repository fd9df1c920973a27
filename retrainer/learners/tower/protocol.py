"""What a training asks of the learner of the static tower; knows nothing of the libraries that read encoders."""

from __future__ import annotations

from typing import Protocol

from retrainer.learners.adapter import Judgments
from serving.ranking.tower.static_tower import StaticTower


class LearnsTower(Protocol):
    """Learns static towers over the documents of one corpus."""

    def learn(self, judgments: Judgments, seed: int) -> StaticTower:
        """Return the tower that labels teach, with every document embedded by it.

        Deterministic for a seed on one machine. Blocks for seconds, and a minute at 100,000 documents.

        Args:
            judgments: Labels over the numbers of the corpus' documents, with the keys of their queries.
        """
