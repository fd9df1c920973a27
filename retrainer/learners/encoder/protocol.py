"""What a training asks of the slow learner; knows nothing of the libraries that train, which take seconds to load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from foundation.contracts import Label
from serving.encode.query import Query
from serving.index.corpus import Corpus


@dataclass(frozen=True, slots=True)
class LearnedEncoder:
    """A fine-tuned encoder, ready to serve.

    Attributes:
        name: Its name in manifests.
        form: Its exported form, packed.
        source: The weights that the form was made of, packed.
        lineage: How it was made.
    """

    name: str
    form: bytes
    source: bytes
    lineage: dict[str, Any]


class LearnsEncoder(Protocol):
    """Fine-tunes the encoder of the settings."""

    def learn(
        self,
        labels: list[Label],
        corpus: Corpus,
        queries: dict[str, Query],
        *,
        seed: int,
        progress: Callable[[str], None],
    ) -> LearnedEncoder:
        """Return the encoder that labels teach; blocks for minutes.

        Args:
            corpus: The documents, embedded by the encoder to start from.
            queries: Queries by key, encoded by it too.

        Raises:
            Conflict: There are too few pairs, or the encoder got no better by them.
            ArtifactDamaged: The exported form says something else than the trained encoder.
        """
