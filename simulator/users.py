"""Simulated users: which results of a shown list they click (pure).

Three families. All examine some ranks and click what they examine with a probability that grows
with its grade; `noise` is how readily they click what is not relevant. Position: Joachims et al.
2017 (arXiv:1608.04468). Cascade: Craswell et al. 2008, leaving after a click with a probability, as
in dependent click models. Trust: a high rank is believed in itself, Agarwal et al. 2019.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from foundation.errors import InvalidRequest

DEFAULT_NOISE = 0.1


class User(Protocol):
    """Somebody who reads a result list and clicks."""

    def clicks(self, grades: Sequence[int], rng: np.random.Generator) -> list[int]:
        """Return the clicked ranks, ascending, 1 on top.

        Args:
            grades: Grades of the shown results, index 0 is rank 1; 0 is not relevant.
            rng: Source of chance; the same state gives the same clicks.
        """

    def click_rate(self, grades: Sequence[int]) -> float:
        """Return the probability of at least one click."""


def gain(grade: int, max_grade: int) -> float:
    """Return a grade's worth in [0, 1]: (2^grade - 1) / (2^max_grade - 1), 0 for grades below 1."""
    return float((2 ** min(max(grade, 0), max_grade) - 1) / (2**max_grade - 1))


class _RankwiseUser(ABC):
    """Somebody who clicks each result by its own rank and grade, whatever the others are."""

    __slots__ = ()

    @abstractmethod
    def click_probability(self, rank: int, grade: int) -> float:
        """Return P(click) of a result of `grade` at `rank`."""

    def clicks(self, grades: Sequence[int], rng: np.random.Generator) -> list[int]:
        """Return the clicked ranks; one draw per result."""
        chances = [self.click_probability(rank, grade) for rank, grade in enumerate(grades, start=1)]
        return [int(index) + 1 for index in np.flatnonzero(rng.random(len(chances)) < chances)]

    def click_rate(self, grades: Sequence[int]) -> float:
        """Return the probability of at least one click."""
        return 1 - math.prod(1 - self.click_probability(rank, grade) for rank, grade in enumerate(grades, start=1))


@dataclass(frozen=True, slots=True)
class PositionUser(_RankwiseUser):
    """Examines rank k with probability k^-eta, each by itself; the position-based model.

    Attributes:
        noise: P(click | examined, not relevant), in [0, 1].
        eta: Steepness of the examination curve.
        max_grade: Grade that is clicked whenever it is examined.
    """

    noise: float = DEFAULT_NOISE
    eta: float = 1.0
    max_grade: int = 1

    def click_probability(self, rank: int, grade: int) -> float:
        """Return P(click) of a result of `grade` at `rank`."""
        return float(rank**-self.eta) * (self.noise + (1 - self.noise) * gain(grade, self.max_grade))


@dataclass(frozen=True, slots=True)
class TrustUser(_RankwiseUser):
    """Examines rank k with probability 1/k and believes what stands high.

    P(click | examined, best grade) falls linearly from .95 at rank 1 to .80 at rank 10, and
    P(click | examined, not relevant) is noise + 2 noise / k; grades between lie between.

    Attributes:
        noise: Scale of the clicks on results that are not relevant, in [0, 0.3].
        max_grade: The best grade.
    """

    noise: float = DEFAULT_NOISE
    max_grade: int = 1

    def click_probability(self, rank: int, grade: int) -> float:
        """Return P(click) of a result of `grade` at `rank`."""
        relevant = 0.95 - 0.15 * min(rank - 1, 9) / 9
        other = self.noise + 2 * self.noise / rank
        return (other + (relevant - other) * gain(grade, self.max_grade)) / rank


@dataclass(frozen=True, slots=True)
class CascadeUser:
    """Reads from the top, clicks, and leaves when satisfied or tired.

    Attributes:
        noise: P(click | read, not relevant), in [0, 1].
        attraction: P(click | read, best grade).
        stop_after_hit: P(leave | clicked, best grade).
        stop_after_miss: P(leave | clicked, not relevant).
        stop_after_skip: P(leave | read, not clicked).
        max_grade: The best grade.
    """

    noise: float = DEFAULT_NOISE
    attraction: float = 0.95
    stop_after_hit: float = 0.9
    stop_after_miss: float = 0.2
    stop_after_skip: float = 0.05
    max_grade: int = 1

    def clicks(self, grades: Sequence[int], rng: np.random.Generator) -> list[int]:
        """Return the clicked ranks; two draws per result that is read."""
        clicked: list[int] = []
        for rank, grade in enumerate(grades, start=1):
            worth = gain(grade, self.max_grade)
            click = rng.random() < self._attraction(grade)
            stop = self.stop_after_miss + (self.stop_after_hit - self.stop_after_miss) * worth
            if click:
                clicked.append(rank)
            if rng.random() < (stop if click else self.stop_after_skip):
                break
        return clicked

    def click_rate(self, grades: Sequence[int]) -> float:
        """Return the probability of at least one click."""
        unclicked = read = 1.0
        for grade in grades:
            unclicked -= read * self._attraction(grade)
            read *= (1 - self._attraction(grade)) * (1 - self.stop_after_skip)
        return 1 - unclicked

    def _attraction(self, grade: int) -> float:
        return self.noise + (self.attraction - self.noise) * gain(grade, self.max_grade)


FAMILIES: dict[str, Callable[..., User]] = {"position": PositionUser, "cascade": CascadeUser, "trust": TrustUser}
"""The kinds of users by name."""


@dataclass(frozen=True, slots=True)
class Population:
    """Who the simulated persons are: person number i is of family i modulo their count."""

    users: tuple[User, ...]

    def person(self, number: int) -> User:
        """Return the user that person `number`, from 0, always is."""
        return self.users[number % len(self.users)]


def make_user(name: str, noise: float | None = None, max_grade: int = 1) -> User:
    """Return a user of a family, who clicks what is not relevant at a rate of `noise`, in [0, 0.3]; 0.1 when None.

    Raises:
        InvalidRequest: The family is unknown, or the noise is out of range.
    """
    level = DEFAULT_NOISE if noise is None else noise
    if not 0 <= level <= 0.3:
        raise InvalidRequest(f"noise {level} is out of range; take one from 0 to 0.3")
    if name in FAMILIES:
        return FAMILIES[name](level, max_grade=max_grade)
    raise InvalidRequest(f"there is no user family {name!r}; take one of {', '.join(FAMILIES)} or 'mixed'")


def make_population(name: str = "trust", noise: float | None = None, max_grade: int = 1) -> Population:
    """Return a population of one family, or of all of them in equal parts when `name` is "mixed".

    Raises:
        InvalidRequest: As `make_user`.
    """
    families = FAMILIES if name == "mixed" else [name]
    return Population(tuple(make_user(family, noise, max_grade) for family in families))
