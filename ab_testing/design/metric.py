"""What a metric is, and how an app defines one of its own (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

Role = Literal["success", "guardrail", "monitor"]
Sum = tuple[tuple[str, int], ...]
"""Signals and the factor of each."""

MAX_TERMS = 4
MAX_WINDOW_DAYS = 30
MAX_SENTENCE = 300
_ROLE = (
    "success: can carry a promotion. guardrail: must not get worse. monitor: is only shown. "
    "A plan may use each metric in either place."
)
_BETTER = "null: it should stay as it is."
_MARGIN = "Largest harm that a guardrail on it tolerates."
_RELATIVE = "Whether the margin is a share of the control's value."
_WINDOW = "Whole days that must have passed after a day of exposure before its searches count; 0: they count at once."
_SIGNALS = (
    f"1 to {MAX_TERMS} signals to be added: base signals, or of a custom event NAME.searches (searches with one), "
    "NAME.events or NAME.value."
)


@dataclass(frozen=True, slots=True)
class Metric:
    """One thing that is measured in every arm.

    Attributes:
        numerator: Signals that are summed above the line; empty for a quantile.
        denominator: Signals that are summed below it.
        scale: Factor that turns the ratio into the metric's own unit.
        quantile: Share of the searches below the value, for a quantile of latency in milliseconds.
        winsorised: Whether the largest totals of units are cut, as those of money and time must be.
    """

    name: str = field(metadata={"description": "Name of the metric in plans and reports."})
    sentence: str = field(metadata={"description": "What it measures."})
    role: Role = field(metadata={"description": _ROLE})
    higher_is_better: bool | None = field(metadata={"description": _BETTER})
    margin: float = field(metadata={"description": _MARGIN})
    relative: bool = field(default=False, metadata={"description": _RELATIVE})
    window: Literal["recontact"] | None = field(
        default=None, metadata={"description": "recontact: a day counts only when its recontact window has closed."}
    )
    window_days: int = field(default=0, metadata={"description": _WINDOW})
    numerator: Sum = ()
    denominator: Sum = (("searches", 1),)
    scale: float = 1.0
    quantile: float | None = None
    winsorised: bool = False
    own: bool = field(default=False, metadata={"description": "Whether the app defined it."})


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """A metric of an app's own: sums of signals over the searches of a unit, one divided by the other."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    sentence: str = field(metadata={"description": f"What it measures, in up to {MAX_SENTENCE} characters."})
    numerator: tuple[str, ...] = field(metadata={"description": _SIGNALS})
    higher_is_better: bool | None = field(metadata={"description": _BETTER})
    margin: float = field(metadata={"description": f"{_MARGIN} Above 0."})
    denominator: tuple[str, ...] = field(default=("searches",), metadata={"description": _SIGNALS})
    role: Role = field(default="monitor", metadata={"description": _ROLE})
    relative: bool = field(default=False, metadata={"description": _RELATIVE})
    capped: bool = field(
        default=False,
        metadata={
            "description": "Whether the largest thousandth of the units' totals is cut, as sums of money should."
        },
    )

    window_days: int = field(default=0, metadata={"description": f"{_WINDOW} At most {MAX_WINDOW_DAYS}."})

    @property
    def events(self) -> frozenset[str]:
        """The names of the custom events that it counts."""
        return frozenset(term.partition(".")[0] for term in (*self.numerator, *self.denominator) if "." in term)

    def to_metric(self, name: str) -> Metric:
        """Return the metric that this defines."""
        return Metric(
            name=name,
            sentence=self.sentence,
            role=self.role,
            higher_is_better=self.higher_is_better,
            margin=self.margin,
            relative=self.relative,
            window_days=self.window_days,
            numerator=tuple((term, 1) for term in self.numerator),
            denominator=tuple((term, 1) for term in self.denominator),
            scale=unit_of_sum(self.numerator) / unit_of_sum(self.denominator),
            winsorised=self.capped,
            own=True,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the definition as JSON values, to be read by `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> MetricDefinition:
        """Return the definition that `to_json` wrote."""
        sums = {side: tuple(value[side]) for side in ("numerator", "denominator")}
        return cls(**{**value, **sums})


def unit_of_sum(terms: Iterable[str]) -> float:
    """Return the factor from a sum of signals to the unit that people read it in."""
    first = next(iter(terms))
    if first == "revenue" or first.endswith(".value"):
        return 1e-6
    return 1e-3 if first == "success_ms" else 1.0
