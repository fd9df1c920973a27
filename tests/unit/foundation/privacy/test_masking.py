"""What people typed is kept without what identifies them, and with everything that searches depend on."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.contracts import query_key
from foundation.privacy.masking import CARD, EMAIL, PHONE, Masks, has_check_digit
from foundation.settings import Settings
from tests.unit.foundation.personal_data import CARDS, EMAILS, HARMLESS, PHONES

MASKS = Masks(Settings(_env_file=None).phone_countries.split())
KINDS = {EMAIL: EMAILS, CARD: CARDS, PHONE: PHONES}
OPERATIONS = Path(__file__).parents[4] / "docs" / "operations.md"


def plain(case: str) -> str:
    return case.replace("«", "").replace("»", "")


def found(mask: str) -> int:
    """Return how many cases of a kind are masked, wholly and with nothing beside."""
    return sum(MASKS.mask(plain(case)) == re.sub("«[^»]*»", mask, case) for case in KINDS[mask])


def test_the_list_is_long_enough_to_say_something() -> None:
    assert sum(len(cases) for cases in KINDS.values()) >= 120
    assert len(HARMLESS) >= 120


def test_recall_is_what_the_documentation_says() -> None:
    figures = " | ".join(f"{found(mask)} of {len(cases)}" for mask, cases in KINDS.items())

    assert f"| masked | {figures} |" in OPERATIONS.read_text()


def test_order_numbers_part_numbers_and_codes_survive() -> None:
    assert [case for case in HARMLESS if MASKS.mask(case) != case] == []
    assert f"none of {len(HARMLESS)}" in OPERATIONS.read_text()


@pytest.mark.parametrize("case", [*EMAILS, *CARDS, *PHONES])
def test_masking_twice_changes_nothing_and_keys_agree(case: str) -> None:
    masked = MASKS.mask(plain(case))

    assert MASKS.mask(masked) == masked
    assert MASKS.mask(query_key(masked)) == query_key(masked)
    assert len(masked.encode()) <= len(plain(case).encode())


@given(st.text(st.sampled_from("0123456789 +-()./@at.ex[]a") | st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_is_masked_to_one_that_is_no_longer(text: str) -> None:
    masked = MASKS.mask(text)

    assert len(masked.encode()) <= len(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "1-" * 500,
        "12 " * 333,
        "+1 202 555 0123," * 60,
        "a@" * 500,
        "a-" * 400 + "@" + "a-" * 300,
        '"' * 999 + "@",
        "(1)" * 330,
    ],
)
def test_no_query_keeps_the_service_busy(text: str) -> None:
    started = time.process_time()
    MASKS.mask(text)

    assert time.process_time() - started < 0.5


def test_a_list_of_numbers_is_masked_as_a_whole() -> None:
    assert not re.search(r"\d{3}", MASKS.mask("202 555 0123, " * 60))


def test_national_numbers_need_their_country() -> None:
    assert Masks(()).mask("tel 030 123456") == "tel 030 123456"
    assert Masks(("DE",)).mask("tel 030 123456") == f"tel {PHONE}"
    assert Masks(()).mask("tel +49 30 123456") == f"tel {PHONE}"


@given(st.text("0123456789", min_size=1, max_size=18))
def test_one_last_digit_in_ten_is_the_check_digit(digits: str) -> None:
    assert sum(has_check_digit(digits + last) for last in "0123456789") == 1
