"""What other parts use of the collector: the reads of its tables, labels out of evidence, and the way into the log.

Functions take an engine or an open connection, read, and change nothing.
"""

from __future__ import annotations

from collector.click_models.labels import Signals, label
from collector.fold.preference import SearchPreference, preference
from collector.fold.signals import SIGNALS, CustomSignals, custom_signal
from collector.intake.pipeline import IntakePipeline
from collector.intake.schemas.foreign import body_id
from collector.intake.schemas.parsed import Parsed, Taken
from collector.join.retention_watermark import must_recount
from collector.reads.activity import ActivityDay, count_days, total
from collector.reads.asked import AskedQuery, read_asked
from collector.reads.choices import read_choices
from collector.reads.collections import (
    collections_erased_since,
    count_clicks_since,
    erased_since,
    erased_versions,
    first_shown,
)
from collector.reads.evidence import count_clicked_queries, latest_change, read_changed, read_evidence
from collector.reads.first_arms import read_seen_units
from collector.reads.interleaved import InterleavedSearch, read_interleaved
from collector.reads.rated import read_signals
from collector.reads.run_lists import AskedSearch, RunList, read_asked_searches, read_run_lists
from collector.reads.surfaces import read_surfaces
from collector.totals.history import History, read_history
from collector.totals.recent import RecentWindow, read_recent
from collector.totals.refolded import refolded_history, refolded_totals
from collector.totals.run import ExperimentRun, Ratio, RunTotals, UnitCounts, UnitTable, UnitTotals
from collector.totals.stored import stored_totals

__all__ = [
    "SIGNALS",
    "ActivityDay",
    "AskedQuery",
    "AskedSearch",
    "CustomSignals",
    "ExperimentRun",
    "History",
    "IntakePipeline",
    "InterleavedSearch",
    "Parsed",
    "Ratio",
    "RecentWindow",
    "RunList",
    "RunTotals",
    "SearchPreference",
    "Signals",
    "Taken",
    "UnitCounts",
    "UnitTable",
    "UnitTotals",
    "body_id",
    "collections_erased_since",
    "count_clicked_queries",
    "count_clicks_since",
    "count_days",
    "custom_signal",
    "erased_since",
    "erased_versions",
    "first_shown",
    "label",
    "latest_change",
    "must_recount",
    "preference",
    "read_asked",
    "read_asked_searches",
    "read_changed",
    "read_choices",
    "read_evidence",
    "read_history",
    "read_interleaved",
    "read_recent",
    "read_run_lists",
    "read_seen_units",
    "read_signals",
    "read_surfaces",
    "refolded_history",
    "refolded_totals",
    "stored_totals",
    "total",
]
