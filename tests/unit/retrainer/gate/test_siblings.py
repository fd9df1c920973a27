"""A fold judges only what never learned from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from foundation.contracts import ClickCurve, Manifest
from foundation.registry.registry import Version
from retrainer.gate.siblings import (
    SIBLINGS,
    CrossFitted,
    has_learned,
    open_siblings,
    read_siblings,
    stand_alone,
    write_siblings,
)

UNTAUGHT = Manifest("encoder")
LEARNED = Manifest(
    "encoder",
    adapter="a",
    memory="m",
    fusion="linear",
    weights={"bm25": 1.5},
    curve=ClickCurve((0.5, 0.25), (0.1, 0.05)),
)
OTHER = replace(LEARNED, adapter="b")


def version(manifest: Manifest, **lineage: str) -> Version:
    return Version("default", manifest.id, "", "approved", "", manifest, lineage, {}, datetime(2026, 1, 5, tzinfo=UTC))


@pytest.mark.parametrize("fold", range(6))
def test_what_never_learned_is_judged_by_every_fold(fold: int) -> None:
    assert stand_alone(UNTAUGHT).before(fold) == UNTAUGHT
    assert not has_learned(UNTAUGHT)


def test_what_kept_one_fold_aside_is_judged_by_it_alone() -> None:
    assert [stand_alone(LEARNED).before(fold) is not None for fold in range(3)] == [True, False, False]


def test_each_fold_judges_its_sibling() -> None:
    found = CrossFitted(LEARNED, {0: OTHER})
    assert found.before(0) == OTHER
    assert found.before(1) is None


def test_siblings_come_back_as_they_were_kept() -> None:
    kept = {0: LEARNED, 5: OTHER}
    assert read_siblings(write_siblings(kept)) == kept
    found = open_siblings(version(LEARNED, **{SIBLINGS: "digest"}), {"digest": write_siblings(kept)}.__getitem__)
    assert (found.manifest, found.siblings) == (LEARNED, kept)


def test_a_version_without_siblings_stands_for_itself() -> None:
    def none(digest: str) -> bytes:
        raise AssertionError(digest)

    assert open_siblings(version(LEARNED), none) == stand_alone(LEARNED)
