"""Log lines: one JSON object each, to standard error."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog

from foundation.telemetry.metrics import LOST_LINES


class _Sink:
    """Standard error; a full disk under it stops no work.

    It is looked up for every line, as tests put another in its place.
    """

    def write(self, text: str) -> int:
        """Write `text`; count what cannot be written."""
        try:
            return sys.stderr.write(text)
        except OSError:
            LOST_LINES.inc()
            return 0

    def flush(self) -> None:
        """Flush; what cannot be written is counted in `write`."""
        with suppress(OSError):
            sys.stderr.flush()


_SINK = _Sink()


def configure_logs(level: str) -> None:
    """Write one JSON object per log line to standard error, from `level` upwards.

    APScheduler warns of each look that comes while the one before still works, which is how looks are meant.
    """
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: structlog.PrintLogger(cast("TextIO", _SINK)),
    )


def get_log(part: str) -> structlog.typing.FilteringBoundLogger:
    """Return the log of one part of clickloop."""
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger(part=part)
    return log
