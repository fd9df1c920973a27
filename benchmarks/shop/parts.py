"""Parts of the search bench that need no articles: each makes what it measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.harness.report import Bar, Findings
from benchmarks.search.evidence import measure_evidence
from benchmarks.shop.business import measure_fields
from benchmarks.shop.pages import measure_pages
from benchmarks.shop.personal import measure_personal
from benchmarks.shop.ranking import measure_ranking
from benchmarks.shop.rules import measure_rules

Tell = Callable[[str], None]
Part = Callable[[int, bool, Tell], tuple[list[Bar], dict[str, Any]]]

PARTS: Mapping[str, Part] = {
    "pages": measure_pages,
    "rank": measure_ranking,
    "rules": measure_rules,
    "evidence": measure_evidence,
    "fields": measure_fields,
    "personal": measure_personal,
}


def run(names: Sequence[str], seed: int, quick: bool, tell: Tell) -> Findings:
    """Return the bars of some parts."""
    bars: list[Bar] = []
    details: dict[str, Any] = {}
    for name in names:
        found, details[name] = PARTS[name](seed, quick, tell)
        bars += found
    return Findings(bars, details)
