"""Kills (SIGKILL) within a fine-tuning, an embedding and a swap: the run goes on, and ends as one that nobody killed.

Two services begin as copies of one home. In one the run is left alone, in the other it is killed again and again: by
turns its training process alone, and everything that the service started. Its evidence does not age, so both learn from
the same.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.finetune.clicked_home import fill, make_shallow, shorten
from benchmarks.harness.report import Findings, at_least, at_most
from benchmarks.harness.server import Server, children
from foundation.clock import monotonic_s
from foundation.contracts import DEFAULT_COLLECTION
from foundation.errors import ClickloopError, NotReady
from foundation.settings import Settings
from retrainer.learners.encoder.tuning import TuningPlan
from simulator.collection import JudgedCollection
from simulator.docstrings import package_folders, parse_docstrings
from simulator.quality import ndcg

_AGELESS_DAYS = 1e9
_EXPORTING = "fine-tuning: exporting"
"""What the run says from the end of the fine-tuning until every document is embedded."""

_MAX_DELAY_S = 0.3
_LOOK_S = 0.05
_TIMEOUT_S = 900.0
_PROBES = 5
_NOISE = 0.01
_NUMBERS = re.compile(r"\d+")
_STEP = re.compile(r"fine-tuning: step (\d+) of")


@dataclass(frozen=True, slots=True)
class _Size:
    """How much is learned, and how many kills come within each part of it."""

    packages: tuple[str, ...]
    documents: int
    tuning: int
    embedding: int
    swap: int


_FULL = _Size(("numpy", "scipy"), 800, tuning=8, embedding=6, swap=6)
_QUICK = _Size(("numpy", "scipy"), 500, tuning=1, embedding=0, swap=1)


@dataclass(slots=True)
class _Ended:
    """How a run ended, and what it took.

    Attributes:
        embedding_s: From the fine-tuned weights to the last document embedded by them.
        held: How many kills it went on after.
        again: Most steps that were taken a second time after a kill.
        met: What the run said it was at when a kill met it, and how often.
    """

    version: str
    encoder: str
    steps: int
    embedding_s: float
    seconds: float
    held: int = 0
    again: int = 0
    met: Counter[str] = field(default_factory=Counter)
    quality: float = 0.0
    champions: set[str] = field(default_factory=set)
    registered: int = 0


def measure(seed: int, quick: bool, tell: Callable[[str], None]) -> Findings:
    """Return the bars of twenty kills (quick: two) at moments that the seed decides."""
    size = _QUICK if quick else _FULL
    collection = shorten(parse_docstrings(package_folders(size.packages), size.documents))
    with TemporaryDirectory(prefix="clickloop-bench-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        first = Settings(
            home=folder / "calm",
            model=str(make_shallow(folder / "model")),
            evidence_half_life_days=_AGELESS_DAYS,
            log_level="warning",
            seed=seed,
        )
        fill(first, collection)
        other = first.model_copy(update={"home": folder / "killed"})
        shutil.copytree(first.home, other.home)
        tell("a run that nobody kills")
        calm = _Watched(first, collection, seed, tell).run(_Size((), 0, 0, 0, 0), None)
        tell(f"{size.tuning + size.embedding + size.swap} kills")
        killed = _Watched(other, collection, seed, tell).run(size, calm)
    return _judge(size, calm, killed)


def _judge(size: _Size, calm: _Ended, killed: _Ended) -> Findings:
    kills = size.tuning + size.embedding + size.swap
    said = f"{size.tuning} within the fine-tuning, {size.embedding} export or embedding, {size.swap} a swap"
    lost = abs(killed.quality - calm.quality)
    return Findings(
        [
            at_least("finetune.8", f"of {kills} kills ({said}), those after which it went on", killed.held, kills),
            at_most("finetune.8", "versions that serve or are pointed at in the end", len(killed.champions), 1),
            at_most("finetune.8", "versions that the killed run registered", killed.registered, 1),
            at_most("finetune.8", "nDCG@10 of held-out queries, distance to the run nobody killed", lost, _NOISE),
        ],
        {
            "same encoder": killed.encoder == calm.encoder,
            "same version": killed.version == calm.version,
            "nDCG@10 of both": [round(calm.quality, 4), round(killed.quality, 4)],
            "steps of the fine-tuning": calm.steps,
            "most steps taken again after a kill": killed.again,
            "seconds of export and embedding, undisturbed": round(calm.embedding_s, 1),
            "killed while it said": dict(killed.met),
            "seconds of training, undisturbed and killed": [round(calm.seconds, 1), round(killed.seconds, 1)],
        },
    )


class _Watched:
    """A service over a home, one run of it that fine-tunes the encoder, and whoever kills it."""

    def __init__(
        self, settings: Settings, collection: JudgedCollection, seed: int, tell: Callable[[str], None]
    ) -> None:
        self._server = Server(settings)
        self._collection = collection
        self._random = np.random.default_rng([seed, 8])
        self._tell = tell
        self._run = ""
        self._kills = 0
        self._reached = 0
        self._again = 0
        self._met: Counter[str] = Counter()

    def run(self, size: _Size, calm: _Ended | None) -> _Ended:
        """Train and swap, with kills at random steps and moments of what the calm run took."""
        with self._server as server:
            began_s = monotonic_s()
            self._run = server.remote.post("/v1/training-runs", {"autopilot": False, "learners": "encoder"})["id"]
            held = 0
            embedding_s = self._time_embedding() if calm is None else calm.embedding_s
            if calm is not None:
                held += sum(self._kill_tuning(step) for step in self._draw(size.tuning, calm.steps))
                held += sum(self._kill_embedding(calm) for _ in range(size.embedding))
            version = self._await_version()
            seconds = monotonic_s() - began_s
            held += sum(self._kill_swap(version, number) for number in range(size.swap))
            self._promote(version)
            found = server.remote.get(f"/v1/versions/{version}")
            return _Ended(
                version=version,
                encoder=found["manifest"]["encoder"],
                steps=int(found["lineage"]["encoder_steps"]),
                embedding_s=embedding_s,
                seconds=seconds,
                held=held,
                again=self._again,
                met=self._met,
                quality=self._measure_quality(),
                champions=self._champions(),
                registered=self._count_registered(),
            )

    def _draw(self, count: int, end: int) -> list[int]:
        """Return so many steps before an end, in their order: what was reached is not killed away again."""
        return sorted(self._random.integers(1, max(end, 2), size=count).tolist())

    def _time_embedding(self) -> float:
        self._await(self._is_exporting, "the export of the encoder")
        began_s = monotonic_s()
        self._await(lambda: not self._is_exporting(), "the documents' vectors")
        return monotonic_s() - began_s

    def _kill_tuning(self, step: int) -> bool:
        """Kill the run once it has taken so many steps, and return whether it goes on from its last checkpoint."""
        self._await(lambda: self._step() >= step, f"step {step}")
        time.sleep(self._random.uniform(0, _MAX_DELAY_S))
        return self._kill_training()

    def _kill_embedding(self, calm: _Ended) -> bool:
        """Kill the run at a moment between its fine-tuning and its last vector; return as `_kill_tuning`."""
        self._await(self._is_exporting, "the export of the encoder")
        until_s = monotonic_s() + self._random.uniform(0, calm.embedding_s)
        self._await(lambda: monotonic_s() >= until_s or not self._is_exporting(), "a moment to kill")
        self._reached = calm.steps
        return self._kill_training()

    def _kill_training(self) -> bool:
        reached = max(self._step(), self._reached)
        self._met[_NUMBERS.sub("N", self._doing()).partition(",")[0]] += 1
        self._kill(everything=self._kills % 2 == 1)
        self._await(lambda: not self._is_learning(), "a new training process")
        self._await(self._is_learning, "the fine-tuning to go on")
        step = self._step()
        first = step or reached
        self._tell(f"at step {reached} before, now: {self._doing()}")
        self._reached = max(reached, first)
        self._again = max(self._again, reached - first + 1 if step else 0)
        save_every = TuningPlan().save_every
        return first > (reached - 1) // save_every * save_every

    def _kill(self, *, everything: bool) -> None:
        """Kill the training process alone, or all that the service started, and start that again."""
        tree = _descendants(self._server.process_id)
        training = [one for one in tree if b"--run" in _command_line(one)]
        self._kills += 1
        self._tell(f"kill {self._kills}: {'everything' if everything else 'the training process'}")
        if everything:
            self._server.kill()
        for process in tree if everything else training:
            with suppress(ProcessLookupError):  # it ended with the others
                os.kill(process, signal.SIGKILL)
        if everything:
            self._server.start()

    def _kill_swap(self, version: str, number: int) -> bool:
        """Kill everything while the service swaps, and return whether the swap is finished afterwards."""
        remote, champion = self._server.remote, self._server.remote.get("/v1/versions")["champion"]
        known = [one["id"] for one in remote.get("/v1/versions")["versions"]]
        wanted = version if champion != version else next(one for one in known if one != version)
        threading.Thread(target=_try, args=(lambda: self._point_at(wanted),), daemon=True).start()
        time.sleep(self._random.uniform(0, 3.0 if number == 0 else 0.5))
        self._kill(everything=True)
        self._promote(wanted)
        return self._champions() == {wanted}

    def _promote(self, version: str) -> None:
        """Point at a version unless it is pointed at, and wait until it serves."""
        if self._server.remote.get("/v1/versions")["champion"] != version:
            self._point_at(version)
        self._await(lambda: self._state().get("version") == version, f"{version} to serve")

    def _point_at(self, version: str) -> None:
        self._server.remote.post(f"/v1/versions/{version}/promote", {"reason": "bench"})

    def _await_version(self) -> str:
        self._await(lambda: self._read()["state"] != "active", "the end of the run")
        run = self._read()
        if not run["version"]:
            raise ClickloopError(f"the run made no version: {run['report']}")
        return str(run["version"])

    def _await(self, there: Callable[[], bool], what: str) -> None:
        """Wait for something of the run.

        Raises:
            NotReady: It does not come in a quarter of an hour, or the run failed.
        """
        deadline_s = monotonic_s() + _TIMEOUT_S
        while not there():
            if monotonic_s() > deadline_s or self._read()["state"] == "failed":
                raise NotReady(f"still waiting for {what}: {self._read()['report']}")
            time.sleep(_LOOK_S)

    def _read(self) -> dict[str, Any]:
        found: dict[str, Any] = self._server.remote.get(f"/v1/training-runs/{self._run}")
        return found

    def _doing(self) -> str:
        return str(self._read()["report"].get("doing", ""))

    def _is_learning(self) -> bool:
        return self._doing().startswith("fine-tuning")

    def _step(self) -> int:
        """Return the step that the fine-tuning says it is at, 0 where it says none."""
        found = _STEP.match(self._doing())
        return int(found[1]) if found else 0

    def _is_exporting(self) -> bool:
        return self._doing().startswith(_EXPORTING)

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._server.remote.get("/readyz")["collections"].get(DEFAULT_COLLECTION, {})
        return state

    def _champions(self) -> set[str]:
        """Return the version that is pointed at, the one that the service says it serves, and those that answer."""
        remote = self._server.remote
        asked = list(self._collection.queries.values())[:_PROBES]
        answered = {remote.post("/v1/search", {"query": query, "log": False})["version"] for query in asked}
        return {remote.get("/v1/versions")["champion"], self._state()["version"], *answered}

    def _count_registered(self) -> int:
        versions = self._server.remote.get("/v1/versions")["versions"]
        return sum(one["lineage"].get("training_run") == self._run for one in versions)

    def _measure_quality(self) -> float:
        """Return nDCG@10 of the queries that nobody asked."""
        judged = self._collection.split("test")
        asked = {query: {"query": self._collection.queries[query], "log": False} for query in judged}
        answers = {query: self._server.remote.post("/v1/search", body)["hits"] for query, body in asked.items()}
        rankings = {query: [hit["id"] for hit in hits] for query, hits in answers.items()}
        return fmean(ndcg(judged, rankings).values())


def _descendants(process: int) -> list[int]:
    found = children(process)
    return found + [other for child in found for other in _descendants(child)]


def _command_line(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


def _try(act: Callable[[], object]) -> None:
    with suppress(ClickloopError):  # killed meanwhile: either it was done or it was not
        act()
