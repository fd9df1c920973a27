"""Whoever lacks the key learns nothing of a person from what is kept, and equal people stay equal."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from foundation.privacy.pseudonyms import Pseudonyms

ONE, OTHER = Pseudonyms(b"one key of the tests"), Pseudonyms(b"another key")
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256)


@given(NAMES)
def test_a_pseudonym_is_short_and_always_the_same(name: str) -> None:
    assert re.fullmatch("p-[0-9a-f]{40}", ONE.of(name))
    assert ONE.of(name) == Pseudonyms(ONE.key).of(name)


@given(NAMES)
def test_a_pseudonym_is_not_hashed_again(name: str) -> None:
    assert ONE.of(ONE.of(name)) == ONE.of(name)


@given(NAMES, NAMES)
def test_different_people_differ(name: str, another: str) -> None:
    assert (ONE.of(name) == ONE.of(another)) == (name == another)


@given(NAMES)
def test_another_key_knows_nobody(name: str) -> None:
    assert OTHER.of(name) != ONE.of(name)
    assert OTHER.of(ONE.of(name)) != ONE.of(name), "what another key made is an id like any"


def test_an_id_that_only_looks_like_a_pseudonym_is_hashed() -> None:
    made_up = "p-" + "0" * 40

    assert ONE.of(made_up) != made_up


def test_nobody_stays_nobody() -> None:
    assert ONE.of("") == ""


def test_the_key_is_not_printed() -> None:
    assert "one key" not in repr(ONE)


def test_signatures_and_pseudonyms_are_different_things() -> None:
    assert ONE.sign("anna") == ONE.sign("anna") != OTHER.sign("anna")
    assert ONE.of("anna")[2:34] not in ONE.sign("anna")
