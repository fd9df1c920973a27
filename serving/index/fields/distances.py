"""Distances on the Earth."""

from __future__ import annotations

import numpy as np

from foundation.arrays import Doubles

_RADIUS_KM = 6371.0088
"""Mean radius of the Earth (IUGG)."""


def kilometres(lat: Doubles, lon: Doubles, to_lat: float, to_lon: float) -> Doubles:
    """Return great-circle distances in km by the haversine formula; infinite where a coordinate is not a number.

    Args:
        lat: Degrees north, shape (n,).
        lon: Degrees east, shape (n,).
    """
    here, there = np.radians(lat), np.radians(to_lat)
    half = np.sin((here - there) / 2) ** 2
    half = half + np.cos(here) * np.cos(there) * np.sin(np.radians(lon - to_lon) / 2) ** 2
    far: Doubles = 2 * _RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))
    return np.where(np.isnan(far), np.inf, far)
