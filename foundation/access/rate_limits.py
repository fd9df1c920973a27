"""Token buckets in memory, one per name: how much of something each may have in a time."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable

from foundation.clock import monotonic_s

_MAX_NAMES = 100_000


class Buckets:
    """Buckets that fill at one rate and hold at most `burst`. Safe to use from many threads.

    A bucket that holds one gives all that is asked and may go into debt. So no batch is too large, and over time
    nobody gets more than the rate. Beyond 100,000 buckets the least recently used ones are forgotten, which fills them.

    Args:
        rate_per_s: What a bucket gains in a second; 0 for buckets that are never empty.
        burst: What a full bucket holds, above 0.
    """

    def __init__(self, rate_per_s: float, burst: float, now_s: Callable[[], float] = monotonic_s) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._min_level = min(1.0, burst)
        self._now_s = now_s
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str, count: float) -> int:
        """Take `count` from a bucket: 0 when it gave, else the whole seconds until it may give again."""
        if not self._rate_per_s:
            return 0
        now_s = self._now_s()
        with self._lock:
            level, at_s = self._levels.pop(name, (self._burst, now_s))
            level = min(self._burst, level + (now_s - at_s) * self._rate_per_s)
            gives = level >= self._min_level
            self._levels[name] = (level - count if gives else level, now_s)
            if len(self._levels) > _MAX_NAMES:
                self._levels.popitem(last=False)
        return 0 if gives else math.ceil((self._min_level - level) / self._rate_per_s)
