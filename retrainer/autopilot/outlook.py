"""What the autopilot of a collection will do next, when, and why not now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from retrainer.autopilot.pauses import Pause, Pauses
from retrainer.data.threshold import Threshold
from retrainer.runs import Learners, Run, Runs
from retrainer.timetable import Due, Timetable

_DOING = {
    "train": "trains a candidate",
    "plan": "plans the experiments of a candidate",
    "interleave": "compares a candidate with the champion in interleaved lists",
    "compare": "compares a candidate with the champion in an A/B test",
    "promote": "promotes a candidate",
    "holdback": "watches the new champion against the one before, in a holdback",
}
_NAMES: dict[Learners, str] = {"fast": "the fast learners", "encoder": "the encoder"}


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A scheduled run to come.

    Attributes:
        at: When it is due; past where something else holds it up, None where nobody can tell.
        why: What makes it due then, in a sentence.
    """

    learners: Learners
    at: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the autopilot does.

    Attributes:
        automatic: Whether runs are requested on schedule.
        pause: None where it is not paused.
        doing: What active runs do, a sentence each, oldest first.
        upcoming: Scheduled runs to come; empty where none are requested.
        waits: Why nothing is requested now, a sentence each.
        missing: What a run would still lack, a sentence each.
    """

    automatic: bool
    pause: Pause | None
    doing: list[str]
    upcoming: list[Upcoming]
    waits: list[str]
    missing: list[str]


class Outlooks:
    """Reads the outlook of a collection from the database.

    Args:
        threshold: Tells how near a collection is to what learning needs.
        automatic: Whether runs are requested on schedule.
    """

    def __init__(
        self,
        runs: Runs,
        pauses: Pauses,
        timetables: Sequence[Timetable],
        threshold: Callable[[str], Threshold],
        *,
        automatic: bool,
    ) -> None:
        self._runs = runs
        self._pauses = pauses
        self._timetables = timetables
        self._threshold = threshold
        self._automatic = automatic

    def of(self, collection: str) -> Outlook:
        """Return what the autopilot of a collection does, will do, and waits for; a few reads."""
        pause, active = self._pauses.of(collection), self._runs.active_of(collection)
        dues = [(one, one.look([collection])[collection]) for one in self._timetables] if self._automatic else []
        threshold = self._threshold(collection)
        return Outlook(
            automatic=self._automatic,
            pause=pause,
            doing=[_tell_run(run) for run in active],
            upcoming=[Upcoming(table.learners, due.at, _tell_due(table, due)) for table, due in dues],
            waits=_waits(self._automatic, pause, active),
            missing=[] if threshold.reached else [threshold.tell()],
        )


def _tell_run(run: Run) -> str:
    return f"{run.name} {_DOING[run.step]}" + (f": {run.version}" if run.version else "")


def _tell_due(table: Timetable, due: Due) -> str:
    what = f"a run of {_NAMES[table.learners]}"
    if due.at is None:
        return f"{what} is due one interval after the first list is shown; none was shown yet"
    sooner = f", or with {table.clicks} new clicks, of which {due.clicks} came" if table.clicks else ""
    return f"{what} {'is due' if due.now else 'comes'} by the timetable{sooner}"


def _waits(automatic: bool, pause: Pause | None, active: Sequence[Run]) -> list[str]:
    waits = []
    if not automatic:
        waits.append("no run is requested on schedule: CLICKLOOP_AUTOPILOT is off; ask with POST /v1/training-runs")
    if pause:
        waits.append(f"paused by {pause.actor}: {pause.reason}")
    waits += [f"{run.name} is active at step {run.step!r}" for run in active if run.step != "holdback"]
    return waits
