"""Every metric. A name that is not listed here is not emitted."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

METRICS = CollectorRegistry()

_LATENCY_BUCKETS_S = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.0, 2.0, 4.0)


def _counter(name: str, what: str, *labels: str) -> Counter:
    return Counter(f"clickloop_{name}", what, labels, registry=METRICS)


def _gauge(name: str, what: str, *labels: str) -> Gauge:
    """Return a gauge; of several processes, the one that set it last is right."""
    return Gauge(f"clickloop_{name}", what, labels, registry=METRICS, multiprocess_mode="mostrecent")


def _latency(name: str, what: str, *labels: str) -> Histogram:
    return Histogram(f"clickloop_{name}", what, labels, registry=METRICS, buckets=_LATENCY_BUCKETS_S)


REQUESTS = _counter("requests", "HTTP requests by route, method and status.", "route", "method", "status")
REQUEST_SECONDS = _latency("request_seconds", "Time to answer by route.", "route")
STAGE_SECONDS = _latency("stage_seconds", "Time of a search stage.", "stage")
EVENTS = _counter("events", "Feedback events by type and verdict.", "type", "verdict")
FOLDED = _counter("folded_records", "Records folded by the consumer, by kind.", "kind")
HELD = _counter("held_users", "Users held in quarantine for their behaviour.", "collection")
DEAD_LETTER_ALARMS = _gauge(
    "dead_letter_alarms", "Collections, by partition of the log, with more dead letters than the limit."
)
LAG = _gauge("consumer_lag_records", "Log records not folded yet.")
LOG_RESETS = _counter("log_resets", "Times that the log ended before what was read of it: it was lost or made anew.")
STORE_AWAY = _gauge("store_away", "1 while a store cannot be read or written, by what was found last.", "store", "use")
UNLOGGED = _counter("unlogged_searches", "Searches answered without an impression, as the log was away.")
LOST_LINES = _counter("lost_log_lines", "Log lines that could not be written, as to a full disk.")
WEBHOOK_ATTEMPTS = _counter("webhook_attempts", "Attempts to tell another service of a decision.", "result")
SWAPS = _counter("swaps", "Version swaps by their result.", "collection", "result")
OFF_CHAMPION = Gauge(
    "clickloop_processes_off_champion",
    "Processes of this server that serve another version than the champion.",
    ["collection"],
    registry=METRICS,
    multiprocess_mode="livesum",
)
DOCUMENTS = _gauge("documents", "Searchable documents.", "collection")
SKIPPED = _counter("skipped_stages", "Stages left out to answer in time.", "stage")
REFUSED = _counter("refused_searches", "Searches refused while too many waited.")
WAITING = _gauge("documents_waiting", "Documents whose meaning is not searchable yet.", "collection")
