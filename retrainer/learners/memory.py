"""What the query memory keeps of labels."""

from __future__ import annotations

from foundation.contracts import Label

_WORTH_REMEMBERING = 0.1


def remember(labels: list[Label]) -> dict[str, dict[str, float]]:
    """Return what the memory keeps of labels: by query key, documents worth remembering."""
    choices: dict[str, dict[str, float]] = {}
    for label in labels:
        if label.relevance >= _WORTH_REMEMBERING:
            choices.setdefault(label.query_key, {})[label.document_id] = label.relevance
    return choices
