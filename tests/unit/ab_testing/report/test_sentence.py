"""The sentence agrees with the decision, and a person who knows no statistics can read it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ab_testing.decide.evidence import weigh
from ab_testing.decide.look import Look, summarise
from ab_testing.decide.rules import Verdict, decide
from ab_testing.design.arm import Arm
from ab_testing.design.plan import ExperimentPlan, Guardrail
from ab_testing.report.sentence import write_sentence
from benchmarks.experiments.diagnosis.sentences import disagreement, draw_case

Tables = dict[str, dict[tuple[int, int], int]]
BEGINS = {
    "promote": ("The new",),
    "rollback": ("The new",),
    "keep_control": ("No winner", "The old one is better", "The new"),
    "continue": ("Undecided so far", "Nobody has taken part"),
    "invalid": ("The numbers cannot be trusted",),
}


def plan(**values: Any) -> ExperimentPlan:
    defaults: dict[str, Any] = {"kind": "ab", "planned_searches": 1600, "min_days": 7.0, "max_days": 14.0}
    return ExperimentPlan("test", control="v-1", treatment="v-2", **defaults | values)


def rates(control: float, treatment: float, units: int = 400) -> Tables:
    return {
        arm: {(4, 4): round(units * share), (0, 4): units - round(units * share)}
        for arm, share in (("control", control), ("treatment", treatment))
    }


def see(days: float = 8.0, counts: dict[str, dict[str, int]] | None = None, **tables: Tables) -> Look:
    caps, ratios = summarise(tables)
    first = next(iter(tables.values()))
    return Look(
        change=1,
        days=days,
        units={arm: sum(table.values()) for arm, table in first.items()},
        searches={arm: sum(y * n for (_, y), n in table.items()) for arm, table in first.items()},
        caps=caps,
        ratios=ratios,
        counts=counts or {},
    )


def read(look: Look, verdict: Verdict | None = None, **values: Any) -> str:
    of = plan(**values)
    return write_sentence(of, look, verdict or decide(of, [look]), weigh(of, look), started=True)


def test_a_winner_is_told_with_both_values() -> None:
    told = read(see(click_rate=rates(0.3, 0.5)))
    assert told == "The new one wins: the click rate is 50.0% with the new one and 30.0% with the old."


def test_no_winner_among_interleaved_searches_is_chance() -> None:
    table: Tables = {"interleaved": {(1, 1): 495, (-1, 1): 444, (0, 1): 1061}}
    counts = {"wins": {"interleaved": 495}, "losses": {"interleaved": 444}}
    assert read(see(preference=table, counts=counts), kind="interleaving") == (
        "No winner: of 939 searches with a preference, 495 went to the new ranking and 444 to the old; "
        "chance alone does that. The old one stays."
    )


def test_stars_are_stars() -> None:
    table: Tables = {"control": {(4, 1): 400, (3, 1): 400}, "treatment": {(5, 1): 400, (4, 1): 400}}
    assert "the mean rating is 4.50 stars with the new one and 3.50 stars with the old" in read(
        see(csat=table), success=("csat",)
    )


def test_a_guardrail_that_holds_back_is_named() -> None:
    look = see(click_rate=rates(0.3, 0.5), abandonment=rates(0.2, 0.24))
    told = read(look, guardrails=(Guardrail("abandonment", 0.01),))
    assert told.startswith("The new one is better, but the abandonment may have become worse")


@pytest.mark.parametrize(
    ("look", "told"),
    [
        (Look(change=0, days=0.0, units={}, searches={}), "Nobody has taken part yet."),
        (replace(see(click_rate=rates(0.3, 0.3)), mixed=100), "The numbers cannot be trusted: 100 of 900 units"),
    ],
)
def test_what_says_nothing_says_so(look: Look, told: str) -> None:
    assert read(look).startswith(told)


def test_a_draft_was_not_started() -> None:
    look = Look(change=0, days=0.0, units={}, searches={})
    of = plan()
    assert write_sentence(of, look, decide(of, [look]), weigh(of, look), started=False) == "It has not been started."


@given(
    control=st.floats(0, 1),
    treatment=st.floats(0, 1),
    units=st.integers(2, 500),
    days=st.floats(0.1, 20),
    searches=st.integers(100, 10_000),
)
def test_the_sentence_agrees_with_the_decision(
    control: float, treatment: float, units: int, days: float, searches: int
) -> None:
    look, of = see(days, click_rate=rates(control, treatment, units)), plan(planned_searches=searches)
    verdict = decide(of, [look])
    told = write_sentence(of, look, verdict, weigh(of, look), started=True)
    assert told.startswith(BEGINS[verdict.decision])
    assert ("wins" in told) == (verdict.decision == "promote")
    assert ("stays" in told) == (verdict.decision in {"keep_control", "rollback", "invalid"})


def test_an_experiment_that_ended_without_searches_says_how_it_ended() -> None:
    nothing = Look(change=0, days=0.0, units={}, searches={})
    told = read(nothing, Verdict("promote", "it was better by the release before", "treatment"))
    assert told == "It ended: it was better by the release before."


def test_a_winner_by_early_differences_is_not_told_by_counts_that_name_the_other_side() -> None:
    table: Tables = {"interleaved": {(2520, 2520): 300, (-2520, 2520): 100, (-252, 252): 400}}
    counts = {"wins": {"interleaved": 300}, "losses": {"interleaved": 500}}
    told = read(see(preference=table, counts=counts), kind="interleaving", planned_searches=800)
    assert told.startswith(
        "The new ranking wins: of 800 searches with a preference, 300 went to the new ranking and 500 to the old, "
        "and those whose lists differ near the top, which count most, to the new. "
    )


def test_a_winner_is_told_by_what_it_won() -> None:
    look = see(click_rate=rates(0.5, 0.3), conversion_rate=rates(0.3, 0.5))
    of = plan(success=("click_rate", "conversion_rate"))
    verdict = Verdict("promote", "it converts", "treatment")
    told = write_sentence(of, look, verdict, weigh(of, look), started=True)
    assert told == "The new one wins: the conversion rate is 50.0% with the new one and 30.0% with the old."


def test_the_guardrail_that_is_named_is_the_better_arms_own() -> None:
    arms = tuple(Arm(name, f"v-{name}") for name in ("control", "b", "c"))
    of = ExperimentPlan(
        "three",
        "ab",
        arms=arms,
        planned_searches=2400,
        min_days=7.0,
        max_days=14.0,
        guardrails=(Guardrail("abandonment", 0.01), Guardrail("reformulation", 0.01)),
    )
    low, high = {(4, 4): 80, (0, 4): 320}, {(4, 4): 200, (0, 4): 200}
    clicks, few = {"control": low, "b": low, "c": high}, {"control": low, "b": low, "c": low}
    look = see(click_rate=clicks, abandonment=few | {"b": {(4, 4): 90, (0, 4): 310}}, reformulation=few)
    verdict = decide(of, [look])
    told = write_sentence(of, look, verdict, weigh(of, look), started=True)
    assert verdict.decision == "keep_control"
    assert told.startswith("The arm c is better, but the abandonment may have become worse")


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_over_every_kind_of_plan_the_sentence_agrees_with_the_decision(seed: int) -> None:
    of, look = draw_case(np.random.default_rng(seed))
    verdict = decide(of, [look])
    told = write_sentence(of, look, verdict, weigh(of, look), started=True)
    assert disagreement(of, look, verdict, told) == ""


def test_a_win_by_interleaving_says_what_was_not_measured() -> None:
    table: Tables = {"interleaved": {(1, 1): 700, (-1, 1): 300}}
    told = read(see(preference=table), kind="interleaving")
    assert told.endswith("how long they wait with the new one alone was not measured.")


@pytest.mark.parametrize(
    ("aim", "clicks", "begins", "ends"),
    [
        ("no_harm", 0.5, "No harm was found", "The new one may serve."),
        ("no_harm", 0.3, "The new one does harm", "The old one stays."),
        ("holdback", 0.5, "No harm was found", "The new one stays."),
        ("holdback", 0.3, "The new one does harm", "The old one comes back."),
    ],
)
def test_a_test_for_harm_says_who_serves(aim: str, clicks: float, begins: str, ends: str) -> None:
    look = see(14.0, click_rate=rates(0.5, clicks, 40_000))
    told = read(look, aim=aim, guardrails=(Guardrail("click_rate", 0.02),))
    assert told.startswith(begins)
    assert told.endswith(ends)
