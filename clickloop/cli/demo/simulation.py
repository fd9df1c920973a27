"""Simulated users on a service that somebody else started."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from simulator.collection import read_beir
from simulator.driver import Driver
from simulator.traffic import Traffic
from simulator.users import make_population


def simulate_users(
    url: str, name: str, folder: Path, users: str, clicks: int, seed: int, concurrency: int, console: Console
) -> dict[str, Any]:
    """Search and click until `clicks` clicks are accepted; return the tally."""
    judged = read_beir(folder)
    people = make_population(users, max_grade=judged.max_grade)
    driver = Driver(url, judged, people, Traffic(judged, seed), concurrency, name)
    try:
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task("clicks", total=clicks)
            tally = driver.run(clicks=clicks, on_progress=lambda now: progress.update(task, completed=now.clicks))
    finally:
        driver.close()
    return asdict(tally)
