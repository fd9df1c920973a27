"""The stream of visits: who asks which query, popular queries more often than rare ones (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foundation.errors import InvalidRequest
from simulator.collection import JudgedCollection

VISITS_PER_SESSION = 3
ANONYMOUS_EVERY = 5


@dataclass(frozen=True, slots=True)
class Visit:
    """One person asking one query.

    Attributes:
        number: Position in the stream, from 0.
        person: Number of the person, from 0.
        user: The person's id, "" for somebody who is not signed in.
        session: Id of the person's present session.
    """

    number: int
    query_id: str
    person: int
    user: str
    session: str


def zipf_shares(count: int, exponent: float) -> npt.NDArray[np.float64]:
    """Return the shares rank^-exponent of `count` ranks, summing to 1."""
    shares = np.power(np.arange(1, count + 1, dtype=np.float64), -exponent)
    return np.asarray(shares / shares.sum())


class Traffic:
    """A seeded stream of visits over the train queries of a collection.

    Any visit can be had by its number alone, in any order and from any thread, so that a run is the
    same however many work on it.

    Args:
        collection: Its "train" queries are asked; those of other splits never are.
        seed: Decides which queries are popular, and everything else.
        persons: How many different people there are; a fifth of them never sign in.
        zipf: Exponent of query popularity; 0 makes all queries equally popular.
        interest: How many times as often as its popularity says a query is asked, by its id; once where none is named.
        people: What the ids of the people begin with; those of two names are different people.

    Raises:
        InvalidRequest: `persons` or `zipf` is out of range, or nothing is asked.
        NotFound: The collection has no train queries.
    """

    def __init__(
        self,
        collection: JudgedCollection,
        seed: int = 0,
        persons: int = 2000,
        zipf: float = 0.8,
        *,
        interest: Mapping[str, float] | None = None,
        people: str = "person",
    ) -> None:
        if persons < 1 or zipf < 0:
            raise InvalidRequest(f"persons ({persons}) must be at least 1 and zipf ({zipf}) at least 0")
        queries = np.array(list(collection.split("train")))
        self.seed = seed
        self.queries: list[str] = np.random.default_rng([seed, 0]).permutation(queries).tolist()
        self._persons = persons
        self._people = people
        wanted = np.array([(interest or {}).get(query, 1.0) for query in self.queries])
        shares = zipf_shares(len(queries), zipf) * wanted
        if shares.sum() <= 0:
            raise InvalidRequest("nobody is interested in any query")
        self._reach = np.cumsum(shares / shares.sum())

    def visit(self, number: int) -> Visit:
        """Return visit `number`, from 0."""
        rng = self.chance(number, 0)
        rank = min(int(np.searchsorted(self._reach, rng.random(), side="right")), len(self.queries) - 1)
        person = int(rng.integers(self._persons))
        user = f"{self._people}-{person}" if person % ANONYMOUS_EVERY else ""
        window = number // (self._persons * VISITS_PER_SESSION)
        return Visit(number, self.queries[rank], person, user, f"session-{self.seed}-{person}-{window}")

    def chance(self, number: int, purpose: int = 1) -> np.random.Generator:
        """Return the source of chance of visit `number`, the same at each call; one per purpose."""
        return np.random.default_rng([self.seed, number + 1, purpose])
