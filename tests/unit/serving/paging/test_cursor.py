"""A cursor is a text that comes back, and nothing else is one."""

from __future__ import annotations

import base64
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import InvalidRequest
from serving.paging.cursor import MAX_CHARACTERS, Cursor, digest_of, read_cursor

DIGEST = digest_of("default", "toner", None)


def test_a_cursor_is_read_as_it_was_written() -> None:
    cursor = Cursor(DIGEST, "q-1", tuple(range(2**47, 2**47 + 1000)), 40, 40, (["a", 3.5, None], 7))
    text = cursor.write()
    assert read_cursor(text, DIGEST) == cursor
    assert len(text) < MAX_CHARACTERS


def test_that_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="another query"):
        read_cursor(Cursor(DIGEST).write(), digest_of("default", "ink", None))


@given(st.text(alphabet="ABCdef012-_", max_size=60))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="cursor"):
        read_cursor(text, DIGEST)


@pytest.mark.parametrize(
    "body",
    [
        [DIGEST, "", [2**80], 0, 0, None],
        [DIGEST, "", ["x"], 0, 0, None],
        [DIGEST, "", 3, 0, 0, None],
        [DIGEST, "", [], 0, 0, [[], 2**70]],
        [DIGEST, "", [], 0, 0, [1]],
        {"a": 1},
        ["x" * 10_000_000, "", [], 0, 0, None],  # packed small
    ],
)
def test_what_only_looks_like_one_is_refused(body: object) -> None:
    text = base64.urlsafe_b64encode(zlib.compress(json.dumps(body).encode())).decode().rstrip("=")
    with pytest.raises(InvalidRequest):
        read_cursor(text, DIGEST)
