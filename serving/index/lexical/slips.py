"""How a word is mistyped: which slips are common, and how words look after one at their beginning (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from rapidfuzz.distance import OSA

_KEYBOARDS = (
    ("qwertyuiop", "asdfghjkl", "zxcvbnm"),
    ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю"),
    ("ςερτυθιοπ", "ασδφγηξκλ", "ζχψωβνμ"),
)
_BESIDE = {frozenset(pair) for keys in _KEYBOARDS for row in keys for pair in pairwise(row)} | {
    frozenset((key, below))
    for keys in _KEYBOARDS
    for upper, lower in pairwise(keys)
    for place, key in enumerate(upper)
    for below in lower[max(place - 1, 0) : place + 1]
}
_ALPHABETS = tuple(
    frozenset(letters)
    for letters in (
        "abcdefghijklmnopqrstuvwxyz",
        "абвгдежзийклмнопрстуфхцчшщъыьэюя",
        "αβγδεζηθικλμνξοπρστυφχψω",
        "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
        "אבגדהוזחטיךכלםמןנסעףפץצקרשת",
    )
)
_SOUND_ALIKE = ("aeiouyаеиоуыэюя", "ckqsz", "dt", "bp", "fv", "gj", "mn")
# Log-odds of slips, by those of swapping, leaving out or doubling a letter.
_NEIGHBOUR_KEY = -0.3
_ALIKE = -0.5
_OTHER_LETTER = -1.5
_OTHER_KEY = -2.0
_BEFORE_THE_WORD = -3.0
_SECOND_SLIP = -4.0
_SURE_LETTERS = 7
_SHORT_LETTERS = 3


def slip_log_odds(typed: str, meant: str) -> float:
    """Return how likely it is that one word is typed for another, as log-odds up to a constant.

    Swapped neighbours, a letter left out and a letter doubled are the likeliest slips, then a neighbouring key and a
    letter that sounds alike.
    """
    edits = OSA.distance(typed, meant)
    if edits != 1:
        return _SECOND_SLIP * (edits - 1)
    if len(typed) < len(meant) or sorted(typed) == sorted(meant):
        return 0.0
    place = next((i for i, (one, other) in enumerate(zip(typed, meant, strict=False)) if one != other), len(meant))
    if len(typed) == len(meant):
        return _replacement_log_odds(typed[place], meant[place])
    if typed[place] in typed[max(place - 1, 0) : place] + typed[place + 1 : place + 2]:
        return 0.0
    return _OTHER_LETTER if place else _BEFORE_THE_WORD


def is_likely_slip(typed: str, meant: str) -> bool:
    """Return whether a word is so like a known one that it may be taken for it without asking.

    The shorter a word, the more words there are that differ by a letter.
    """
    odds = slip_log_odds(typed, meant)
    if len(typed) <= _SHORT_LETTERS:
        return odds == 0.0
    return odds >= _ALIKE or (len(typed) >= _SURE_LETTERS and odds != _BEFORE_THE_WORD)


def _replacement_log_odds(typed: str, meant: str) -> float:
    if frozenset((typed, meant)) in _BESIDE:
        return _NEIGHBOUR_KEY
    alike = any(typed in letters and meant in letters for letters in _SOUND_ALIKE)
    return _ALIKE if alike else _OTHER_KEY


def first_letter_forms(typed: str) -> Iterator[str]:
    """Return the words for which a word may stand by one slip that changed the first letter."""
    yield typed[1:]
    yield typed[1::-1] + typed[2:]
    for letter in next((letters for letters in _ALPHABETS if typed[0] in letters), ()):
        yield letter + typed
        yield letter + typed[1:]
