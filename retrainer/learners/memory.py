"""What the query memory keeps of labels."""

from __future__ import annotations

from foundation.contracts import Label
from retrainer.learners.belief import Relevance, relevance_of

_MIN_RELEVANCE = 0.1


def remember(labels: list[Label]) -> Relevance:
    """Return the relevance of the documents to remember."""
    return relevance_of(label for label in labels if label.relevance >= _MIN_RELEVANCE)
