"""What other parts use of serving beside the rooms that rank: the retrainer and the simulator build on it."""

from __future__ import annotations

from serving.live.replicas import Replica, living_replicas

__all__ = ["Replica", "living_replicas"]
