"""One list that an engine outside clickloop ranked for a unit of an experiment, from JSON to its impression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ab_testing.design.assignment import Visitor, is_targeted, unit_of
from ab_testing.design.experiment import Experiment
from ab_testing.traffic.assignments import Assignments
from collector.api import Parsed, Taken, body_id
from foundation.contracts import EXTERNAL, Impression, ShownResult
from foundation.errors import FieldFault
from foundation.eventlog.sizes import list_fault
from foundation.privacy.privacy import Privacy
from foundation.texts import NOT_TEXT, as_id, query_fault

_AHEAD = timedelta(minutes=10)
_SOURCE = "exposure"


def _printable(text: str) -> str:
    if NOT_TEXT.search(text):
        raise ValueError("must not hold control characters")
    return text


def _asked(text: str) -> str:
    if not text.strip():
        raise ValueError("must hold at least one visible character")
    if reason := query_fault(text):
        raise ValueError(reason)
    return text


_Short = Annotated[str, Field(max_length=64), AfterValidator(_printable)]
_Id = Annotated[
    str, Field(max_length=256), BeforeValidator(as_id, json_schema_input_type=str | int), AfterValidator(_printable)
]
_Document = Annotated[_Id, Field(min_length=1)]


class Exposure(BaseModel):
    """A list that the app's engine ranked, and the arm under which a unit saw it. Null stands for absent."""

    model_config = ConfigDict(extra="forbid")

    arm: str = Field(description="Name of the arm; it names the engine.", max_length=32)
    query: Annotated[str, AfterValidator(_asked)] = Field(description="What was asked.")
    results: list[_Document] = Field(description="Ids of what was shown, rank 1 first.", max_length=1000)
    query_id: _Id = Field(
        "", description="Your id of the list, for its events; made of the content when absent.", max_length=128
    )
    user: _Id = Field("", description="The person's id, as in a search.")
    session: _Id = Field("", description="The visit's id.")
    conversation: _Id = Field("", description="The conversation's id.")
    at: AwareDatetime | None = Field(None, description="When it was shown; the moment of receipt when absent.")
    surface: str = Field("page", description="Where it was shown.", pattern="^[a-z0-9_-]{1,32}$")
    attributes: dict[_Short, _Short] = Field({}, description="As in a search.", max_length=16)
    took_ms: float = Field(0.0, description="Milliseconds that the engine took, 0 if unknown.", ge=0, le=1e9)


@dataclass(frozen=True, slots=True)
class ExposureReader:
    """Reads exposures of one running experiment. Never blocks.

    Attributes:
        now: The moment of receipt.
    """

    experiment: Experiment
    assignments: Assignments
    privacy: Privacy
    now: datetime

    def read(self, value: Any) -> Parsed:
        """Return the impression that an exposure is, or everything that is wrong with it."""
        given = {name: one for name, one in value.items() if one is not None} if isinstance(value, dict) else value
        try:
            exposure = Exposure.model_validate(given)
        except ValidationError as problem:
            return [
                FieldFault(".".join(map(str, one["loc"])) or "exposure", one["msg"].removeprefix("Value error, "))
                for one in problem.errors()[:20]
            ]
        by_content = body_id(f"{_SOURCE}/{self.experiment.id}", value)
        shown = self._impression(exposure, self.privacy.id_of(exposure.query_id or by_content))
        visitor = self._visitor(exposure, shown.query_id)
        faults = list(self._faults(exposure, shown, visitor))
        return faults or Taken((replace(shown, drawn_by=unit_of(self.experiment.plan.unit, visitor)),))

    def _impression(self, exposure: Exposure, query_id: str) -> Impression:
        """Return the impression, but for whom the experiment counts it for."""
        ranks: dict[str, int] = {}
        for rank, document_id in enumerate(exposure.results, start=1):
            ranks.setdefault(document_id, rank)
        return Impression(
            collection=self.experiment.collection,
            query_id=query_id,
            query=exposure.query,
            unit=exposure.user or exposure.session or query_id,
            version=EXTERNAL,
            results=tuple(ShownResult(document_id, rank, 0.0) for document_id, rank in ranks.items()),
            at=exposure.at or self.now,
            experiment=self.experiment.id,
            arm=exposure.arm,
            surface=exposure.surface,
            run=self.experiment.run,
            plan_hash=self.experiment.plan.hash,
            known=bool(exposure.user),
            took_ms=exposure.took_ms,
        )

    def _visitor(self, exposure: Exposure, query_id: str) -> Visitor:
        return Visitor(
            user=self.privacy.person(exposure.user),
            session=self.privacy.person(exposure.session),
            conversation=self.privacy.person(exposure.conversation),
            query=query_id,
            surface=exposure.surface,
            attributes=exposure.attributes,
        )

    def _faults(self, exposure: Exposure, shown: Impression, visitor: Visitor) -> Iterator[FieldFault]:
        plan, started_at = self.experiment.plan, self.experiment.started_at
        arm = next((one for one in plan.arms if one.name == exposure.arm), None)
        if arm is None:
            yield FieldFault("arm", f"is none of the experiment's: {', '.join(one.name for one in plan.arms)}")
        elif not arm.engine:
            yield FieldFault("arm", "names no engine of yours: ask /v1/search, which ranks and logs it")
        if shown.at > self.now + _AHEAD:
            yield FieldFault("at", f"lies more than 10 minutes ahead of the server's clock ({self.now.isoformat()})")
        if started_at is None or shown.at < started_at:
            yield FieldFault("at", f"lies before the start of the experiment's present run, {started_at}")
        if reason := list_fault(shown.results):
            yield FieldFault("results", reason)
        if not is_targeted(plan, visitor):
            yield FieldFault("surface", "and attributes are not those of the experiment's searches")
        elif not unit_of(plan.unit, visitor):
            yield FieldFault(plan.unit, f"is required: the experiment counts each {plan.unit}")
        elif plan.assigned_by == "clickloop" and (reason := self._contradiction(exposure.arm, visitor)):
            yield FieldFault("arm", reason)

    def _contradiction(self, arm: str, visitor: Visitor) -> str:
        """Return why a unit is not in an arm by its assignment, "" where it is."""
        found = self.assignments.assign(self.experiment.collection, visitor)
        if found is None or found.key != (self.experiment.id, self.experiment.run):
            return "is claimed for a unit that takes no part; GET /v1/assignments tells who does"
        return "" if found.arm == arm else f"is not the unit's, which is {found.arm!r} by GET /v1/assignments"
