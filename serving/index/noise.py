"""How near to a corpus texts come that mean nothing, so that nearness by chance is told from nearness by meaning.

Cosines of encoders have different scales, and the best of many documents is nearer than the best of few. So each corpus
is asked what is nearest to strings of letters without sense.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from foundation.arrays import Floats, Ints
from serving.index.dense.index import DenseIndex

_PROBES = 48
_DEVIATIONS = 3.0
MIN_PASSAGES = 8
"""Of fewer, all may be shown whatever is asked."""

_LETTERS = ("abcdefghijklmnopqrstuvwxyz", "asdfghjkl", "qwertyuiop")


@dataclass(frozen=True, slots=True)
class Noise:
    """Nearness by chance: the cosine of a text without sense with the passage nearest to it.

    Attributes:
        usual: Its mean.
        most: What hardly any such text exceeds.
    """

    usual: float = -1.0
    most: float = -1.0

    def floor(self, *, common: bool) -> float:
        """Return the cosine from which a query without any known word is near to something.

        Args:
            common: Whether it has a common word of the encoder's language, so that it means something.
        """
        return self.usual if common else self.most

    def certainty(self, nearest: float) -> float:
        """Return how sure it is, from 0 to 1, that a query means what is nearest to it, by their cosine."""
        if nearest >= self.most:
            return 1.0
        return max(nearest - self.usual, 0.0) / (self.most - self.usual)


class Probes:
    """The noise of a corpus by its probes: the same whatever came and went before.

    Args:
        dense: The passages.
        vectors: Of the probes, float32 of shape (probes, dimension).
        nearest: Returns the cosine of a vector with the passage nearest to it.

    Attributes:
        noise: What they say now.
    """

    def __init__(self, dense: DenseIndex, vectors: Floats, nearest: Callable[[Floats], float]) -> None:
        self._dense = dense
        self._vectors = dense.as_kept(vectors)
        self._find_nearest = nearest
        self._nearest = np.array([nearest(vector) for vector in self._vectors], np.float32)
        self.noise = self._measure()

    def add(self, passages: Ints) -> None:
        """Take in passages that came."""
        self._nearest = np.maximum(self._nearest, self._largest(passages))
        self.noise = self._measure()

    def remove(self, passages: Ints) -> None:
        """Measure anew how near those probes come that were nearest to passages that went."""
        for number in np.flatnonzero(self._largest(passages) >= self._nearest).tolist():
            self._nearest[number] = self._find_nearest(self._vectors[number])
        self.noise = self._measure()

    def _measure(self) -> Noise:
        return measure_noise(self._nearest) if self._dense.living >= MIN_PASSAGES else SILENCE

    def _largest(self, passages: Ints) -> Floats:
        """Return the cosine of each probe with the nearest of some passages, below all cosines without any."""
        cosines: Floats = self._dense.similarities(passages, self._vectors.T).max(axis=0, initial=-2.0)
        return cosines


SILENCE = Noise()
"""Of a corpus that was not asked: every nearness says something."""


def measure_noise(nearest: Floats) -> Noise:
    """Return the noise by the cosines of some probes with the passages nearest to them."""
    usual = float(np.mean(nearest))
    return Noise(usual, usual + _DEVIATIONS * max(float(np.std(nearest)), 1e-3))


def probes() -> list[str]:
    """Return texts without sense: letters at random, of one row of the keyboard, and in syllables."""
    rng = random.Random(20)
    return [" ".join(_write_word(rng, number % 4) for _ in range(1 + number % 3)) for number in range(_PROBES)]


def _write_word(rng: random.Random, kind: int) -> str:
    if kind < len(_LETTERS):
        return "".join(rng.choice(_LETTERS[kind]) for _ in range(rng.randint(5, 11)))
    return "".join(rng.choice("bcdfghjklmnpqrstvwxz") + rng.choice("aeiou") for _ in range(rng.randint(2, 5)))
