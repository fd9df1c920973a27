"""What a person prefers: in what they chose, beside all that the same lists showed (pure).

What ranks alone bring about is no taste: who prefers nothing chooses as the click curve says. And a preference counts
as far as chance would not bring it about: whoever picks at random has none, however often.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from foundation.arrays import Doubles, Floats, Ints
from foundation.contracts import PRIOR_CURVE, ChosenList, ClickCurve
from serving.index.corpus import Corpus
from serving.index.fields.table import FieldTable
from serving.personal.choices import Choices, gather
from serving.personal.places import move_within
from serving.personal.preference import fit
from serving.rules.personal_term import PersonalTerm

_ARRANGED = 100


@dataclass(frozen=True, slots=True)
class ValueTaste:
    """What is preferred of one field.

    Attributes:
        values: Distinct values as they are stored, ascending, shape (n,).
        log_odds: How each is preferred, shape (n,).
    """

    values: npt.NDArray[np.generic]
    log_odds: Doubles

    def of(self, table: FieldTable, field: str, rows: Ints) -> Doubles:
        """Return the sum over each row's values, 0 for those that are unknown; shape (len(rows),)."""
        places, stored = table.stored(field, rows)
        found = np.minimum(np.searchsorted(self.values, stored), len(self.values) - 1)
        odds = np.where(self.values[found] == stored, self.log_odds[found], 0.0)
        total: Doubles = np.bincount(places, weights=odds, minlength=len(rows)).astype(np.float64)
        return total


@dataclass(frozen=True, slots=True)
class Taste:
    """What a person prefers, in log-odds.

    Attributes:
        choices: How many choices it rests on.
        meaning: By dimension of the vectors; all 0 where choices show nothing.
        fields: Of those fields in which choices show something.
    """

    term: PersonalTerm
    choices: int
    meaning: Doubles
    fields: Mapping[str, ValueTaste]

    @property
    def is_known(self) -> bool:
        """Whether choices show anything."""
        return bool(self.fields) or bool(self.meaning.any())

    def lift(self, corpus: Corpus, rows: Ints) -> Doubles:
        """Return what is added to the scores of distinct documents, from -`by` to `by`, shape (len(rows),)."""
        total = np.zeros(len(rows))
        if self.meaning.any():
            vectors = corpus.means(rows)
            near, embedded = vectors @ self.meaning, vectors.any(axis=1)
            total[embedded] = near[embedded] - near[embedded].mean() if embedded.any() else 0.0
        for name, taste in self.fields.items():
            total += taste.of(corpus.fields, name, rows)
        lift: Doubles = self.term.by * np.tanh(total / self.term.by)
        return lift

    def arrange(
        self, corpus: Corpus, rows: Sequence[int], order: Sequence[int], scores: Floats
    ) -> tuple[list[int], Floats]:
        """Return candidates in the person's order and by what their scores change; none moves further than it may.

        The first hundred are arranged; what is behind them stays.

        Args:
            order: Places in `rows`, best first.
            scores: By place in `rows`.
        """
        head, behind = np.array(order[:_ARRANGED], np.int64), order[_ARRANGED:]
        wanted = scores[head] + self.lift(corpus, np.array(rows, np.int64)[head])
        places = move_within(wanted, self.term.max_places)
        held = np.minimum.accumulate(wanted[places])  # what may rise no further has the score of what it stands below
        if len(behind):
            held = np.maximum(held, scores[behind[0]])
        moved = np.zeros_like(scores)
        moved[head[places]] = held - scores[head[places]]
        return [*head[places].tolist(), *behind], moved


def read_taste(
    lists: Sequence[ChosenList], corpus: Corpus, term: PersonalTerm, now: datetime, curve: ClickCurve = PRIOR_CURVE
) -> Taste:
    """Return what a person prefers by the lists that they chose from.

    A document that was chosen from several lists counts for the latest one.

    Args:
        lists: The latest first.
        curve: How much of a click is the rank's doing.
    """
    choices = gather(lists, corpus, term.half_life_days, now, curve)
    if not choices.count:
        return Taste(term, 0, np.zeros(corpus.dense.dimension), {})
    meaning = fit(choices, corpus.means(choices.rows).astype(np.float64))
    fields = {name: one for name in term.fields if (one := _read_field(choices, corpus.fields, name)) is not None}
    return Taste(term, choices.count, meaning, fields)


def _read_field(choices: Choices, table: FieldTable, field: str) -> ValueTaste | None:
    """Return what is preferred of a field, None where choices show nothing."""
    if table.types.get(field) not in {"keyword", "boolean"}:
        return None
    rows, entries = np.unique(choices.rows, return_inverse=True)
    places, stored = table.stored(field, rows)
    values, codes = np.unique(stored, return_inverse=True)
    traits = np.zeros((len(rows), len(values)))
    traits[places, codes] = 1.0
    log_odds = fit(choices, traits[entries])
    return ValueTaste(values, log_odds) if log_odds.any() else None
