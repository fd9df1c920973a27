import pytest

from clickloop.evaluation.causes import CAUSES, find_cause
from clickloop.evaluation.failures import Texts

FILLER = {f"filler-{number}": "something else entirely" for number in range(200)}
TEXTS = Texts(
    {
        "part": "toner cartridge HP-305XL",
        "case": "leather phone case",
        "cover": "protective shell for mobiles",
        "watch": "gps watch",
        "strap": "silicone strap",
        **{f"tv-{number}": "flat television screen" for number in range(12)},
        **FILLER,
    }
)


def cause(query: str, relevant: list[str], words: list[str], meaning: list[str], difference: float) -> str:
    grades = dict.fromkeys(relevant, 1) | {name: 0 for name in (*words, *meaning) if name not in relevant}
    return find_cause(query, grades, words, meaning, difference, TEXTS)


@pytest.mark.parametrize(
    ("query", "relevant", "words", "meaning", "difference", "expected"),
    [
        ("gps watch", [], ["watch"], ["strap"], 0.0, "nothing answers"),
        ("gps watch", ["watch"], ["watch"], ["watch"], 0.0, "as good"),
        ("hp-305xl", ["part"], ["part"], ["strap"], 1.0, "identifier"),
        ("gps watch", ["watch"], ["watch"], ["strap"], 1.0, "drift"),
        ("phone cases", ["cover"], ["case"], ["cover"], -1.0, "other words"),
        ("flat television", ["tv-1"], ["tv-2", "tv-3"], ["tv-1"], -1.0, "many hold the words"),
        ("gps watch", ["watch"], ["strap", "watch"], ["watch", "strap"], -0.4, "order"),
        ("gps watch", ["watch"], ["watch", "strap"], ["strap", "watch"], 0.4, "order"),
    ],
)
def test_causes(
    query: str, relevant: list[str], words: list[str], meaning: list[str], difference: float, expected: str
) -> None:
    assert cause(query, relevant, words, meaning, difference) == expected
    assert expected in CAUSES


def test_what_nobody_judged_is_told_before_anything_else() -> None:
    grades = {"watch": 1, "case": 0}
    assert find_cause("gps watch", grades, ["watch"], ["strap", "cover"], 1.0, TEXTS) == "unjudged"


def test_where_judges_name_only_what_answers_nothing_is_unjudged() -> None:
    assert find_cause("gps watch", {"watch": 1}, ["watch"], ["strap", "cover"], 1.0, TEXTS) == "drift"


def test_a_system_that_found_nothing_has_a_cause_too() -> None:
    assert find_cause("gps watch", {"watch": 1}, ["watch"], [], 1.0, TEXTS) == "order"
    assert find_cause("", {"watch": 1}, [], ["watch"], -1.0, TEXTS) in CAUSES
