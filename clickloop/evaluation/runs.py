"""Rankings as TREC run files: `query Q0 document rank score tag`, a line a result."""

from __future__ import annotations

import math
from pathlib import Path

from foundation.disk.files import write_whole
from foundation.errors import InvalidRequest

Run = dict[str, dict[str, float]]
"""Scores by query id and document id, best first."""

_COLUMNS = 6


def read_run(file: Path) -> Run:
    """Return the run in a file.

    Raises:
        InvalidRequest: A line is not of six columns, or its score is no finite number.
    """
    run: Run = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        columns = line.split()
        try:
            if len(columns) != _COLUMNS:
                raise ValueError(f"{len(columns)} columns")
            score = float(columns[4])
            if not math.isfinite(score):
                raise ValueError(f"score {columns[4]}")
            run.setdefault(columns[0], {})[columns[2]] = score
        except ValueError as problem:
            wanted = "`query Q0 document rank score tag` is expected"
            raise InvalidRequest(f"{file} line {number}: {wanted} ({problem})") from problem
    return run


def write_run(run: Run, file: Path, tag: str) -> None:
    """Write a run; ranks follow the order of the scores, as trec_eval reads them."""
    lines = [
        f"{query} Q0 {document} {rank} {score:.6f} {tag}"
        for query, scores in run.items()
        for rank, (document, score) in enumerate(sorted(scores.items(), key=lambda pair: -pair[1]), start=1)
    ]
    write_whole(file, ("\n".join(lines) + "\n").encode())
