"""How near to a corpus texts come that mean nothing, so that nearness by chance is told from nearness by meaning.

Cosines of encoders have different scales, and the best of many documents is nearer than the best of few. So each corpus
is asked what is nearest to strings of letters without sense.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from foundation.arrays import Floats

_PROBES = 48
_DEVIATIONS = 3.0
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
