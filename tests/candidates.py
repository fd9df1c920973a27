"""A candidate that was refused, for whoever is told of candidates."""

from __future__ import annotations

from datetime import UTC, datetime

from foundation.contracts import Manifest
from foundation.registry.registry import Version

_MANIFEST = Manifest("encoder", fusion="linear")
CANDIDATE = Version(
    collection="default",
    id=_MANIFEST.id,
    parent="v-0",
    status="refused",
    reason="not better",
    manifest=_MANIFEST,
    lineage={"data_digest": "abc", "labels": 12},
    metrics={"judged": 40, "change": -0.01},
    created_at=datetime(2026, 1, 5, tzinfo=UTC),
)
