from __future__ import annotations

from serving.encode.scripts import find_scripts, script_of

LATIN = [f"w{number}ord" for number in range(200)]
SINGLE = [chr(0x4E00 + number) for number in range(400)]


def test_a_script_of_single_letters_is_not_read() -> None:
    assert find_scripts([*LATIN, *SINGLE, "##\u05d0", "[PAD]"]) == frozenset({"LATIN"})


def test_many_letters_or_words_are_read_and_bytes_read_all() -> None:
    many = [chr(0x4E00 + number) for number in range(1200)]

    assert find_scripts([*LATIN, *many]) == frozenset({"LATIN", "CJK"})
    assert find_scripts([*LATIN, "\u0120word"]) is None


def test_a_letter_says_its_script() -> None:
    assert [script_of(letter) for letter in "aж密\ue000"] == ["LATIN", "CYRILLIC", "CJK", "UNKNOWN"]
