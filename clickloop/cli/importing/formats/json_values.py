"""Values that formats other than JSON have, as JSON values (pure)."""

from __future__ import annotations

import math
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any


def plain(value: Any) -> Any:
    """Return `value` as JSON has it: dates and times in ISO 8601, durations in seconds, NaN as null.

    Decimals of more digits than a number keeps are text.

    Raises:
        TypeError: JSON has nothing like it; bytes, for example.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        return None
    if isinstance(value, Decimal):
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, date | time):  # a datetime is a date, too
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    raise TypeError(f"holds {type(value).__name__}, which JSON cannot hold")
