"""Rankings as TREC run files: `query Q0 document rank score tag`, a line a result."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from io import StringIO
from pathlib import Path
from typing import Any, TextIO, cast

import ir_measures

from foundation.disk.files import write_whole
from foundation.errors import InvalidRequest

Run = dict[str, dict[str, float]]
"""Scores by query id and document id, best first."""


_read_scores = cast("Callable[[TextIO], Iterable[Any]]", ir_measures.read_trec_run)
"""Reads documents with their queries and scores; the library gives it no types."""


def read_run(file: Path) -> Run:
    """Return the run in a file.

    Raises:
        InvalidRequest: A line is not of six columns, or its score is no finite number.
    """
    run: Run = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            for scored in _read_scores(StringIO(line)):
                if not math.isfinite(scored.score):
                    raise ValueError(f"score {scored.score}")
                run.setdefault(scored.query_id, {})[scored.doc_id] = scored.score
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
