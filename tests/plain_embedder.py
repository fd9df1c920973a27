"""An embedder for tests that have a function from texts to vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.encode.projection import Codes

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PlainEmbedder:
    """Vectors by a function, and no tokens."""

    encode: Callable[[list[str]], Floats]

    def embed(self, texts: list[str]) -> Floats:
        return self.encode(texts)

    def embed_tokens(self, _: list[str]) -> list[Codes] | None:
        return None
