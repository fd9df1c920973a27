"""What is preferred of the traits of documents, as far as choices bear it out (pure).

One step of logistic regression from "nothing is preferred", under a prior of two parts: most people prefer nothing of
a field or of a meaning, and those who do prefer by so much. What chance might have brought about counts little.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from foundation.arrays import Doubles, Floats
from serving.personal.choices import Choices

_WIDTH = 1.0
"""Variance, in squared log-odds, of how documents of one list please somebody who has preferences."""

_PREFER = 0.1
"""The share of people who do, before anything is known of them."""

_NO_SPREAD = 1e-9

_DOUBT = -2.0
"""Log-odds that somebody does, below which nothing is moved."""


def fit(choices: Choices, traits: Doubles) -> Doubles:
    """Return the log-odds that one more of each trait adds to pleasing, shape (n,); all 0 without evidence.

    Args:
        traits: By entry and trait, shape (len(choices.rows), n). Only differences within a list count.
    """
    nothing = np.zeros(traits.shape[1])
    apart = _within_lists(choices, traits)
    spread = float((apart**2).sum()) / len(apart)
    if spread < _NO_SPREAD:
        return nothing
    width = _WIDTH / spread
    deviation = np.sqrt(choices.variance)
    scaled = apart * deviation[:, None]
    score = choices.surplus / deviation
    found, size = _solve(scaled.astype(np.float32), score, width)
    odds = 0.5 * (float(score @ scaled @ found) - size) + math.log(_PREFER / (1 - _PREFER))
    return found / (1 + math.exp(-odds)) if odds > _DOUBT else nothing


def _solve(scaled: Floats, score: Doubles, width: float) -> tuple[Doubles, float]:
    """Return the ridge regression of scores on traits, shape (n,), and the log determinant of prior to posterior.

    By entries or by traits, whichever are fewer.
    """
    by_traits = scaled.shape[1] <= scaled.shape[0]
    product = (scaled.T @ scaled if by_traits else scaled @ scaled.T).astype(np.float64)
    factor = cho_factor(np.eye(len(product)) + width * product, lower=True)
    solved = cho_solve(factor, score @ scaled) if by_traits else cho_solve(factor, score) @ scaled
    return width * solved, 2 * float(np.log(np.diag(factor[0])).sum())


def _within_lists(choices: Choices, traits: Doubles) -> Doubles:
    """Return traits beside their mean in the same list, each entry counting as far as chance moves it."""
    weights = choices.variance[:, None]
    sums = np.add.reduceat(weights * traits, choices.starts, axis=0)
    means = sums / np.add.reduceat(weights, choices.starts, axis=0)
    lengths = np.diff([*choices.starts.tolist(), len(traits)])
    apart: Doubles = traits - np.repeat(means, lengths, axis=0)
    return apart
