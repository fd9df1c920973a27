"""Rows by text survive crashes and are shared by whoever opens them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np

from serving.encode.rows import RowStore, VectorStore, key_of

KEYS = [key_of(word) for word in ("one", "two", "three")]
BLOCKS = [np.full((count, 4), count, np.uint8) for count in (2, 0, 3)]


def open_store(folder: Path) -> RowStore:
    return RowStore(folder, 4, np.uint8)


def test_what_one_stored_another_reads(tmp_path: Path) -> None:
    one, other = open_store(tmp_path), open_store(tmp_path)
    assert other.missing(KEYS) == [0, 1, 2]
    one.add(KEYS, BLOCKS)
    other.add([KEYS[0]], [np.zeros((9, 4), np.uint8)])

    assert [block.tolist() for block in other.get(KEYS)] == [block.tolist() for block in BLOCKS]
    assert open_store(tmp_path).missing([*KEYS, key_of("four"), key_of("four")]) == [3]


def test_a_key_twice_in_one_call_is_stored_once_and_moves_no_others(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.add([KEYS[0], KEYS[0], KEYS[1]], [BLOCKS[0], np.zeros((5, 4), np.uint8), BLOCKS[1]])
    store.add(KEYS[2:], BLOCKS[2:])

    assert [block.tolist() for block in store.get(KEYS)] == [block.tolist() for block in BLOCKS]


def test_what_a_crash_left_half_written_is_cut_off(tmp_path: Path) -> None:
    open_store(tmp_path).add(KEYS[:2], BLOCKS[:2])
    for name, rest in (("rows", b"\x07" * 13), ("ends", b"\x05" * 11), ("keys16", b"\x01" * 3)):
        with (tmp_path / name).open("ab") as stored:
            stored.write(rest)
    store = open_store(tmp_path)
    assert store.missing(KEYS) == [2]
    store.add(KEYS[2:], BLOCKS[2:])

    assert [block.tolist() for block in open_store(tmp_path).get(KEYS)] == [block.tolist() for block in BLOCKS]


def test_an_end_without_its_rows_is_cut_off(tmp_path: Path) -> None:
    open_store(tmp_path).add(KEYS, BLOCKS)
    rows = tmp_path / "rows"
    rows.write_bytes(rows.read_bytes()[:-1])

    store = open_store(tmp_path)
    assert store.missing(KEYS) == [2]
    assert store.get(KEYS[:1])[0].tolist() == BLOCKS[0].tolist()


def test_texts_are_embedded_in_steps_that_a_crash_cannot_undo(tmp_path: Path) -> None:
    steps: list[int] = []

    def encode(texts: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        steps.append(len(texts))
        if len(steps) == 3:
            raise KeyboardInterrupt
        return np.array([[float(len(text)), 1.0] for text in texts], np.float32)

    texts = ["x" * length for length in range(600)]
    with contextlib.suppress(KeyboardInterrupt):
        VectorStore(tmp_path, 2).embed(texts, encode)
    found = VectorStore(tmp_path, 2).embed(texts, encode)

    assert steps == [256, 256, 88, 88]
    assert found[:, 0].tolist() == list(range(600))
