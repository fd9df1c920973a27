"""Bars 2, 3 and 4: time, overload, memory and start of a service that holds the articles."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from benchmarks.harness.load import quantile_ms
from benchmarks.harness.report import Bar, at_least, at_most
from benchmarks.harness.server import Server
from benchmarks.search.load import Questions, fire

PLAIN: dict[str, Any] = {"skip": ["rerank"]}
"""What a search says that wants every stage but late interaction."""

OVERLOAD = 10
GOOD_S = 0.5
"""An answer after this is worth nothing: what a search may take unless its request says otherwise."""

_CLIENTS = 16
_SAMPLE_S = 0.5


def measure_latency(server: Server, questions: Questions, seconds: float, *, late: bool) -> list[Bar]:
    """Return the time of one client's searches, with or without late interaction."""
    options = {} if late else PLAIN
    fire(server.url, questions, options=options, clients=2, seconds=min(10.0, seconds))
    volley = fire(server.url, questions, options=options, clients=1, seconds=seconds)
    bounds, what = (
        ((30.0, 80.0), "with late interaction") if late else ((12.0, 40.0), "all stages but late interaction")
    )
    said = f"of {len(volley.answered())} searches, one client, {what}, ms"
    return [
        at_most("search.2", f"median {said}", quantile_ms(volley.answered(), 0.5), bounds[0]),
        at_most("search.2", f"99th percentile {said}", quantile_ms(volley.answered(), 0.99), bounds[1]),
        at_most("search.2", f"failed {said}", len(volley.failed()) + len(volley.refused()), 0),
    ]


def measure_throughput(server: Server, questions: Questions, seconds: float) -> tuple[list[Bar], float]:
    """Return what sixteen clients get, and their answers a second."""
    volley = fire(server.url, questions, options=PLAIN, clients=_CLIENTS, seconds=seconds)
    rate = len(volley.answered()) / volley.seconds
    return [
        at_least("search.2", f"searches a second of {_CLIENTS} clients", rate, 100.0),
        at_most("search.2", f"99th percentile of {_CLIENTS} clients, ms", quantile_ms(volley.answered(), 0.99), 300.0),
        at_most("search.2", f"failed of {_CLIENTS} clients", len(volley.failed()), 0),
    ], rate


def measure_overload(
    server: Server, questions: Questions, peak: float, seconds: float
) -> tuple[list[Bar], dict[str, Any]]:
    """Return what becomes of ten times as many searches as the service can answer."""
    resident = [resident_mib(server.process_id)]
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(fire, server.url, questions, rate=OVERLOAD * peak, seconds=seconds)
        while not load.done():
            resident.append(resident_mib(server.process_id))
            time.sleep(_SAMPLE_S)
        volley = load.result()
    answered = volley.answered()
    bars = [
        at_least("search.3", "goodput under ten times the peak, share of the peak", volley.goodput(GOOD_S) / peak, 0.8),
        at_most("search.3", "99th percentile of refusals, ms", quantile_ms(volley.refused(), 0.99), 100.0),
        at_most("search.3", "requests without any answer", len(volley.failed()), 0),
        at_most("search.3", "growth of resident memory under overload, MiB", max(resident) - resident[0], 100.0),
    ]
    return bars, {
        "offered a second": round(OVERLOAD * peak),
        "answered": len(answered),
        "refused": len(volley.refused()),
        "answered with stages left out": sum(shot.skipped for shot in answered),
        "median of answers, ms": round(quantile_ms(answered, 0.5), 1),
        "99th percentile of answers, ms": round(quantile_ms(answered, 0.99), 1),
        "resident MiB every 10 s": [round(mib) for mib in resident[:: round(10 / _SAMPLE_S)]],
    }


def measure_footprint(server: Server, questions: Questions, seconds: float) -> tuple[list[Bar], float]:
    """Return the time a service takes to start from a snapshot, and its resident memory once it has been used."""
    server.stop()
    began = time.perf_counter()
    server.start()
    started_s = time.perf_counter() - began
    fire(server.url, questions, clients=4, seconds=seconds)
    used = resident_mib(server.process_id)
    return [
        at_most("search.4", "resident memory with everything on, MiB", used, 1.2 * 1024),
        at_most("search.4", "from start to ready, seconds", started_s, 5.0),
    ], used


def measure_filters(
    server: Server, questions: Questions, filters: Mapping[str, dict[str, Any]], seconds: float
) -> list[Bar]:
    """Return the time over HTTP of one client's searches under each filter.

    Args:
        filters: As `POST /v1/search` takes them, by what they leave.
    """
    bars = []
    for what, wanted in filters.items():
        options = {**PLAIN, "filters": wanted}
        answered = fire(server.url, questions, options=options, clients=1, seconds=seconds).answered()
        said = f"99th percentile of {len(answered)} searches under a filter of {what}, over HTTP, ms"
        bars.append(at_most("search.5", said, quantile_ms(answered, 0.99), 50.0))
    return bars


def stage_shares(server: Server, questions: Questions, searches: int) -> dict[str, str]:
    """Return the mean milliseconds of each stage over some searches."""
    totals: dict[str, float] = {}
    bodies = questions.ask(explain=True)[:searches]
    questions.advance(searches)
    with httpx.Client(base_url=server.url, timeout=30.0) as client:
        for body in bodies:
            answer = client.post("/v1/search", json=body).raise_for_status().json()
            for stage, took_ms in answer["stages_ms"].items():
                totals[stage] = totals.get(stage, 0.0) + took_ms
    whole = sum(totals.values())
    return {stage: f"{total / len(bodies):.2f} ms, {100 * total / whole:.0f}%" for stage, total in totals.items()}


def resident_mib(process: int) -> float:
    """Return the resident memory of a process in MiB, the pages it shares included."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
