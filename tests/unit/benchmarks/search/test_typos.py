"""How the bench misspells."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.search.typos import accent, slip_once
from foundation.language.folding import fold


@given(st.text(string.ascii_lowercase + " ", max_size=60), st.integers(0, 9))
def test_an_accent_leaves_the_normal_form_as_it_is(text: str, seed: int) -> None:
    assert fold(accent(text, random.Random(seed))).split() == text.split()


@pytest.mark.parametrize("text", ["reset password", "how to print"])
def test_an_accent_and_a_slip_change_one_word(text: str) -> None:
    for seed in range(20):
        for changed in (accent(text, random.Random(seed)), slip_once(text, random.Random(seed))):
            assert sum(one != other for one, other in zip(text.split(), changed.split(), strict=True)) == 1
