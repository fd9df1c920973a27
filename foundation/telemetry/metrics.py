"""Every metric. A name that is not listed here is not emitted."""

from __future__ import annotations

from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

METRICS = CollectorRegistry()

_NEWEST: Literal["mostrecent"] = "mostrecent"
"""Of several processes that tell a number, the last one to tell is right."""

_LATENCY_BUCKETS_S = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.0, 2.0, 4.0)

REQUESTS = Counter(
    "clickloop_requests", "HTTP requests by route, method and status.", ["route", "method", "status"], registry=METRICS
)
REQUEST_SECONDS = Histogram(
    "clickloop_request_seconds", "Time to answer by route.", ["route"], buckets=_LATENCY_BUCKETS_S, registry=METRICS
)
STAGE_SECONDS = Histogram(
    "clickloop_stage_seconds", "Time of a search stage.", ["stage"], buckets=_LATENCY_BUCKETS_S, registry=METRICS
)
EVENTS = Counter("clickloop_events", "Feedback events by type and verdict.", ["type", "verdict"], registry=METRICS)
FOLDED = Counter("clickloop_folded_records", "Records folded by the consumer, by kind.", ["kind"], registry=METRICS)
HELD = Counter(
    "clickloop_held_users", "Users held in quarantine for their behaviour.", ["collection"], registry=METRICS
)
DEAD_LETTER_ALARMS = Gauge(
    "clickloop_dead_letter_alarms",
    "Collections, by partition of the log, with more dead letters than the limit.",
    registry=METRICS,
    multiprocess_mode=_NEWEST,
)
LAG = Gauge(
    "clickloop_consumer_lag_records", "Log records not folded yet.", registry=METRICS, multiprocess_mode=_NEWEST
)
LOG_RESETS = Counter(
    "clickloop_log_resets",
    "Times that the log ended before what was read of it: it was lost or made anew.",
    registry=METRICS,
)
STORE_AWAY = Gauge(
    "clickloop_store_away",
    "1 while a store cannot be read or written, by what was found last.",
    ["store", "use"],
    registry=METRICS,
    multiprocess_mode=_NEWEST,
)
UNLOGGED = Counter(
    "clickloop_unlogged_searches", "Searches answered without an impression, as the log was away.", registry=METRICS
)
LOST_LINES = Counter(
    "clickloop_lost_log_lines", "Log lines that could not be written, as to a full disk.", registry=METRICS
)
SWAPS = Counter("clickloop_swaps", "Version swaps by their result.", ["collection", "result"], registry=METRICS)
OFF_CHAMPION = Gauge(
    "clickloop_processes_off_champion",
    "Processes of this server that serve another version than the champion.",
    ["collection"],
    registry=METRICS,
    multiprocess_mode="livesum",
)
DOCUMENTS = Gauge(
    "clickloop_documents", "Searchable documents.", ["collection"], registry=METRICS, multiprocess_mode=_NEWEST
)

SKIPPED = Counter("clickloop_skipped_stages", "Stages left out to answer in time.", ["stage"], registry=METRICS)
REFUSED = Counter("clickloop_refused_searches", "Searches refused while too many waited.", registry=METRICS)
WAITING = Gauge(
    "clickloop_documents_waiting",
    "Documents whose meaning is not searchable yet.",
    ["collection"],
    registry=METRICS,
    multiprocess_mode=_NEWEST,
)
