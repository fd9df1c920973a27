"""Character trigrams as fixed bitmaps, so that comparing spellings takes a few machine operations."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

from foundation.arrays import Bits
from foundation.language.folding import fold

WORDS = 8
_BITS = WORDS * 64


def fingerprint(text: str) -> Bits:
    """Return the trigram bitmap of `text`, uint64 of shape (8,); words are padded by a space."""
    bits = np.zeros(WORDS, dtype=np.uint64)
    padded = f" {' '.join(fold(text).split())} "
    for start in range(len(padded) - 2):
        bit = zlib.crc32(padded[start : start + 3].encode()) % _BITS
        bits[bit >> 6] |= np.uint64(1 << (bit & 63))
    return bits


def count_bits(bits: Bits) -> npt.NDArray[np.float32]:
    """Return the number of set bits along the last axis, as float32."""
    count: npt.NDArray[np.float32] = np.bitwise_count(bits).sum(axis=-1, dtype=np.float32)
    return count


def dice(one: Bits, many: Bits) -> npt.NDArray[np.float32]:
    """Return Dice's coefficient in [0, 1] between a bitmap and each row of `many`, shape (n, 8)."""
    both = count_bits(many & one)
    total = count_bits(many) + count_bits(one)
    result: npt.NDArray[np.float32] = 2 * both / np.maximum(total, 1)
    return result
