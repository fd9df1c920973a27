"""What judgments of people come to."""

from __future__ import annotations

from retrainer.gold.judgment import GoldJudgment, grades_of


def test_grades_are_kept_under_the_key_of_the_query() -> None:
    judged = [GoldJudgment("Reset  PASSWORD", "reset", 3), GoldJudgment("reset password", "forgot", 0)]
    assert grades_of(judged) == {"reset password": {"reset": 3, "forgot": 0}}


def test_of_two_spellings_of_one_query_the_higher_grade_counts() -> None:
    judged = [GoldJudgment("Reset", "a", 1), GoldJudgment("reset", "a", 3), GoldJudgment("RESET", "a", 2)]
    assert grades_of(judged) == {"reset": {"a": 3}}
