"""`clickloop bench`: the benchmarks, found by their entry point where they are installed."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import NoReturn

import typer

from foundation.errors import MissingExtra

GROUP = "clickloop.benchmarks"


def run_benchmarks(arguments: list[str]) -> NoReturn:
    """Run the benchmarks' own command line and end the process with its status.

    Raises:
        MissingExtra: They are not here; they come with the source, not with the wheel.
    """
    (entry,) = entry_points(group=GROUP)
    try:
        app = entry.load()
    except ModuleNotFoundError as missing:
        if missing.name != entry.module.partition(".")[0]:
            raise
        raise MissingExtra(
            "the benchmarks are not part of the installed package: clone clickloop's repository, run `make install`"
            " there, and call `.venv/bin/clickloop bench` from it"
        ) from None
    typer.main.get_command(app)(args=arguments, prog_name="clickloop bench")
    raise SystemExit(0)  # Typer ends the process by itself; this is for the type
