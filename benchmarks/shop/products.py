"""Products of a made-up shop, of pronounceable words and vectors by chance."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from foundation.arrays import Floats
from foundation.contracts import Document
from serving.encode.projection import Codes

DIMENSION = 64
_VOCABULARY = 20_000
_TITLE_WORDS, _TEXT_WORDS = 5, 30
_BRANDS, _TAGS = 200, 1000


@dataclass(frozen=True, slots=True)
class ByChance:
    """Vectors of texts, drawn by chance."""

    def embed(self, texts: list[str]) -> Floats:
        """Return unit vectors."""
        vectors = np.stack([np.random.default_rng(zlib.crc32(text.encode())).normal(size=DIMENSION) for text in texts])
        unit: Floats = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def embed_tokens(self, _: list[str]) -> list[Codes] | None:
        """Return none."""
        return None


def make_words(random: np.random.Generator) -> list[str]:
    """Return pronounceable words, the most frequent first."""
    consonants, vowels = "bdfgklmnprtvz", "aiou"
    words: dict[str, None] = {}
    while len(words) < _VOCABULARY:
        letters = [random.choice(list(consonants)) + random.choice(list(vowels)) for _ in range(random.integers(2, 5))]
        words["".join(letters) + "k"] = None
    return list(words)


def draw_text(words: list[str], count: int, random: np.random.Generator) -> str:
    """Return words by Zipf's law."""
    ranks = np.minimum(np.exp(random.uniform(0, np.log(len(words)), count)).astype(int), len(words) - 1)
    return " ".join(words[rank] for rank in ranks)


def make_product(name: str, words: list[str], random: np.random.Generator) -> Document:
    """Return a product with some of four fields."""
    fields: dict[str, Any] = {"price": round(float(random.gamma(2.0, 20.0)), 2)}
    fields["brand"] = f"brand {int(random.integers(_BRANDS))}"
    fields["tags"] = sorted({f"tag {int(tag)}" for tag in random.integers(_TAGS, size=3)})
    fields["released"] = (
        f"20{int(random.integers(10, 26))}-0{int(random.integers(1, 10))}-{int(random.integers(10, 28))}"
    )
    kept = {key: value for key, value in fields.items() if random.random() < 0.9}
    return Document(name, draw_text(words, _TITLE_WORDS, random), draw_text(words, _TEXT_WORDS, random), fields=kept)


def reword(document: Document, words: list[str], random: np.random.Generator) -> Document:
    """Return a product with more in its text; what it is sorted by stays."""
    more = f"{document.text} {draw_text(words, 3, random)}"
    return Document(document.id, document.title, more, fields=document.fields)
