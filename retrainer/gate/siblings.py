"""Versions that stand in for another one before a judge that it has learned from.

A version that learned from every query has no query left to be judged by. So for each fold of the queries it has a
sibling, which learned in the same way without the fold, and which the fold judges in its place. Folds are drawn for
good. So a version that serves and one that is to follow it are always judged by queries that neither stand-in knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from foundation.contracts import Manifest
from foundation.registry.registry import Version

SIBLINGS = "siblings"
"""The entry of a version's lineage that names the artifact with its siblings."""

KEPT_ASIDE = 0
"""The fold that a version without siblings has never learned from."""


@dataclass(frozen=True, slots=True)
class CrossFitted:
    """A version, and what stands in for it.

    Attributes:
        siblings: By fold, the version that never learned from it.
    """

    manifest: Manifest
    siblings: Mapping[int, Manifest]

    def before(self, fold: int) -> Manifest | None:
        """Return what a fold may judge, None where all have learned from it."""
        return self.siblings.get(fold, None if has_learned(self.manifest) else self.manifest)


def stand_alone(manifest: Manifest) -> CrossFitted:
    """Return a version that learned from all folds but the one that is kept aside, or from none."""
    return CrossFitted(manifest, {KEPT_ASIDE: manifest})


def has_learned(manifest: Manifest) -> bool:
    """Return whether a version learned anything from queries."""
    return bool(manifest.adapter or manifest.residuals or manifest.memory or manifest.weights)


def write_siblings(siblings: Mapping[int, Manifest]) -> bytes:
    """Return the artifact that holds siblings by their fold."""
    return json.dumps({str(fold): one.to_json() for fold, one in siblings.items()}, sort_keys=True).encode()


def read_siblings(content: bytes) -> dict[int, Manifest]:
    """Return the siblings that `write_siblings` wrote."""
    return {int(fold): Manifest.from_json(one) for fold, one in json.loads(content).items()}


def open_siblings(version: Version, fetch: Callable[[str], bytes]) -> CrossFitted:
    """Return a registered version with its siblings.

    Args:
        fetch: Returns an artifact's bytes by digest; its errors pass through.
    """
    digest = version.lineage.get(SIBLINGS, "")
    return CrossFitted(version.manifest, read_siblings(fetch(digest))) if digest else stand_alone(version.manifest)
