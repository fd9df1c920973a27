"""Runs the demo under several seeds: does it end in what is true by the judgments, and in time?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.harness.report import Findings, at_least, at_most
from clickloop.cli.demo.demo import Demo, Story
from clickloop.cli.versions import await_champion
from foundation.errors import ClickloopError
from foundation.http_client import ServiceClient
from foundation.statistics import bootstrap_interval

MINUTES = 12.0
"""What a visitor waits for the demo, and no longer."""

_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class DemoEnding:
    """How one demo ended, and what is true of its candidate.

    Attributes:
        state: Of the autopilot's run, such as "promoted"; what went wrong where the demo itself failed.
        searches: That the experiment took, 0 without one.
        planned: That it was planned for.
        minutes: From the start to the report.
        gain: nDCG@10 of the candidate less that of the first version, on the held-out queries with the same
            live evidence; 0.0 where no candidate was made.
        low: Lower end of its 95% interval over queries.
        high: Upper end.
        why: The gate's or the experiment's last words.
    """

    seed: int
    state: str
    searches: int = 0
    planned: int = 0
    minutes: float = 0.0
    gain: float = 0.0
    low: float = 0.0
    high: float = 0.0
    why: str = ""

    @property
    def promoted(self) -> bool:
        """Whether the candidate took over."""
        return self.state == "promoted"

    @property
    def in_time(self) -> bool:
        """Whether it was promoted within its planned searches and the minutes a visitor waits."""
        return self.promoted and self.searches <= self.planned and self.minutes <= MINUTES

    def told(self) -> str:
        """Return it as one line."""
        return (
            f"seed {self.seed}: {self.state}, {self.minutes:.1f} min, {self.searches} of {self.planned} searches; "
            f"truly {self.gain:+.4f} ({self.low:+.4f} to {self.high:+.4f}); {self.why}"
        )


def run(home: Path, seeds: Sequence[int], quick: bool, tell: Callable[[str], None]) -> Findings:
    """Return bar "demo.1" over demos under `seeds`; quick: 600 clicks instead of the demo's own number.

    Blocks for about four minutes a seed. Runs share `home`, so that documents are embedded once.
    """
    endings = []
    for seed in seeds:
        endings.append(end_of(Demo(home, Console(stderr=True), seed, **({"clicks": 600} if quick else {}))))
        tell(endings[-1].told())
    return judge(endings)


def judge(endings: Sequence[DemoEnding]) -> Findings:
    """Return what several endings say together.

    A candidate counts as better, or as worse, when its gain on the held-out queries is above, or below, 0.
    """
    better = [ending for ending in endings if ending.gain > 0]
    worse = [ending for ending in endings if ending.promoted and ending.gain < 0]
    in_time = sum(ending.in_time for ending in better)
    return Findings(
        [
            at_least(
                "demo.1",
                f"share of {len(better)} truly better candidates promoted within their plan and {MINUTES:g} min",
                in_time / len(better) if better else 1.0,
                _SHARE,
            ),
            at_least(
                "demo.1", f"share of {len(endings)} demos whose candidate is better", len(better) / len(endings), _SHARE
            ),
            at_most("demo.1", "truly worse candidates promoted", len(worse), 0),
        ],
        {
            "minutes, median": round(median(ending.minutes for ending in endings), 1),
            "true gain in nDCG@10, mean": round(float(np.mean([ending.gain for ending in endings])), 4),
            **{f"seed {ending.seed}": ending.told().split(": ", 1)[1] for ending in endings},
        },
    )


def end_of(demo: Demo) -> DemoEnding:
    """Run one demo to its end, measure both its versions under the same evidence, and stop its service."""
    try:
        story = demo.run()
        return _ending(demo, story)
    except ClickloopError as problem:
        return DemoEnding(demo.seed, "failed", why=problem.detail)
    finally:
        demo.service.stop()


def _ending(demo: Demo, story: Story) -> DemoEnding:
    run = next(run for run in story.runs if run["autopilot"])
    searches, planned = _extent(story.experiments[:1])
    low, gain, high = _true_gain(demo, run["version"]) if run["version"] else (0.0, 0.0, 0.0)
    report = run["report"]
    why = report.get("why") or report.get("gate") or report.get("end", "")
    return DemoEnding(demo.seed, run["state"], searches, planned, story.seconds / 60, gain, low, high, why)


def _extent(cards: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Return the searches of the newest experiment and its planned ones, 0 and 0 without any."""
    return next(((card["searches"], card["experiment"]["plan"]["planned_searches"]) for card in cards), (0, 0))


def _true_gain(demo: Demo, candidate: str) -> tuple[float, float, float]:
    """Return lower end, mean and upper end of a candidate's gain over its parent, each served in its turn."""
    remote = ServiceClient(demo.service.url)
    parent = remote.get(f"/v1/versions/{candidate}")["parent"]
    first, last = (_measured(demo, remote, version) for version in (parent, candidate))
    gains = np.array([last[query] - first[query] for query in sorted(first)])
    low, high = bootstrap_interval(gains, confidence=0.95, seed=demo.seed)
    return low, float(gains.mean()), high


def _measured(demo: Demo, remote: ServiceClient, version: str) -> dict[str, float]:
    """Return nDCG@10 by held-out query as one version ranks, promoted by hand where another one serves."""
    if remote.get("/v1/versions")["champion"] != version:
        remote.post(f"/v1/versions/{version}/promote", {"reason": "to measure it"})
    await_champion(remote, version)
    return demo.measure()
