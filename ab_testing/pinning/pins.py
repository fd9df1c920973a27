"""Evidence that an experiment pinned: all that was live at one moment, kept as one artifact.

Both sides of the experiment read it. So neither learns from what the other's users do while it is measured.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from collector.api import read_changed
from foundation.arrays import Floats
from foundation.clock import Clock
from foundation.errors import ArtifactDamaged
from foundation.packed_evidence import QueryEvidence
from foundation.registry.artifacts import ArtifactStore


@dataclass(frozen=True, slots=True)
class PinnedEvidence:
    """The evidence of every query at one moment.

    Attributes:
        change: The newest change of the evidence that is in it.
    """

    queries: tuple[QueryEvidence, ...]
    change: int


class EvidencePins:
    """Takes and keeps the evidence that experiments pin. Safe for many threads.

    Args:
        half_life_days: Age at which evidence counts half.
    """

    def __init__(self, engine: sa.Engine, artifacts: ArtifactStore, clock: Clock, half_life_days: float) -> None:
        self._engine = engine
        self._artifacts = artifacts
        self._clock = clock
        self._half_life_days = half_life_days

    def take(self, collection: str, owner: str) -> str:
        """Keep the live evidence of a collection as it is now, and return the digest. Reads all of it.

        Args:
            owner: Who pins it; two owners of the same evidence get two digests, so that neither drops the other's.
        """
        queries, change = read_changed(
            self._engine, collection, since=0, now=self._clock.now(), half_life_days=self._half_life_days
        )
        return self._artifacts.put(write_pin(queries, change, owner))

    def load(self, digest: str) -> PinnedEvidence:
        """Return what was taken.

        Raises:
            NotFound: It was dropped, or never taken.
            ArtifactDamaged: It is not as it was.
        """
        return read_pin(self._artifacts.get(digest))

    def drop(self, digest: str) -> None:
        """Forget what was taken; nothing happens where there is none."""
        self._artifacts.remove(digest)


def write_pin(queries: Iterable[QueryEvidence], change: int, owner: str = "") -> bytes:
    """Return evidence as bytes, the same for the same evidence and owner in any order of the queries."""
    ordered = sorted(queries, key=lambda query: query.key)
    told = {"change": change, "owner": owner, "queries": [[query.key, query.documents] for query in ordered]}
    counts = np.concatenate([query.counts for query in ordered]) if ordered else np.zeros((0, 0))
    out = io.BytesIO()
    names = np.frombuffer(json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass"), np.uint8)
    np.savez_compressed(out, counts=counts.astype(np.float32), names=names)
    return out.getvalue()


def read_pin(content: bytes) -> PinnedEvidence:
    """Return what `write_pin` wrote.

    Raises:
        ArtifactDamaged: It wrote something else.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            told = json.loads(arrays["names"].tobytes().decode("utf-8", "surrogatepass"))
            return PinnedEvidence(tuple(_cut(told["queries"], arrays["counts"])), int(told["change"]))
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as problem:
        raise ArtifactDamaged(f"this is no pinned evidence: {problem!r}") from problem


def _cut(named: list[tuple[str, list[str]]], counts: Floats) -> Iterator[QueryEvidence]:
    start = 0
    for key, documents in named:
        yield QueryEvidence(key, tuple(documents), counts[start : start + len(documents)])
        start += len(documents)
