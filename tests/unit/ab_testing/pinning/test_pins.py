"""Pinned evidence comes back as it was, from the store of artifacts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from ab_testing.pinning.pins import EvidencePins, read_pin, write_pin
from foundation.clock import FrozenClock
from foundation.contracts import CURVE_RANKS, Evidence
from foundation.errors import ArtifactDamaged, NotFound
from foundation.packed_evidence import QueryEvidence, pack
from foundation.registry.artifacts import ArtifactStore

ONCE = (1.0,) + (0.0,) * (CURVE_RANKS - 1)
ROWS = [
    Evidence("print", "envelope", ONCE, ONCE, users=2, satisfied=0.5),
    Evidence("print", "label", ONCE, (0.0,) * CURVE_RANKS),
    Evidence("größe \ud800", "sheet", ONCE, ONCE, users=1),
]


def rows(queries: tuple[QueryEvidence, ...]) -> list[Evidence]:
    return [row for query in queries for row in query.rows()]


@pytest.mark.parametrize("evidence", [ROWS, []])
def test_evidence_comes_back_as_it_was(evidence: list[Evidence]) -> None:
    pinned = read_pin(write_pin(pack(evidence), 17))
    assert pinned.change == 17
    assert sorted(rows(pinned.queries), key=repr) == sorted(evidence, key=repr)


def test_the_same_evidence_is_the_same_bytes_in_any_order() -> None:
    queries = list(pack(ROWS))
    assert write_pin(queries, 3) == write_pin(queries[::-1], 3)


@pytest.mark.parametrize("content", [b"", b"no zip", write_pin(pack(ROWS), 1)[:-40]])
def test_other_bytes_are_told(content: bytes) -> None:
    with pytest.raises(ArtifactDamaged):
        read_pin(content)


def test_pickled_objects_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "hostile.npz"
    np.savez(path, names=np.array([{}], object), counts=np.zeros(1))
    with pytest.raises(ArtifactDamaged):
        read_pin(path.read_bytes())


def test_what_was_taken_is_there_until_it_is_dropped(engine: sa.Engine, tmp_path: Path) -> None:
    clock = FrozenClock(datetime(2026, 11, 1, tzinfo=UTC))
    pins = EvidencePins(engine, ArtifactStore(str(tmp_path)), clock, 30.0)
    digest = pins.take("shop", "one")
    assert pins.take("shop", "another") != digest, "nobody drops what another reads"
    assert pins.load(digest).queries == ()
    pins.drop(digest)
    pins.drop(digest)
    with pytest.raises(NotFound):
        pins.load(digest)
