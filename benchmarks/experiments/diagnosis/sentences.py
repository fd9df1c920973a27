"""Whether the report's sentence agrees with the decision, over plans and looks drawn at random."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ab_testing.decide.evidence import weigh
from ab_testing.decide.look import Look, summarise
from ab_testing.decide.rules import Verdict, decide
from ab_testing.design.arm import Arm
from ab_testing.design.plan import INTERLEAVED, ExperimentPlan, Guardrail
from ab_testing.report.sentence import write_sentence

Bar = dict[str, Any]

CASES = 200
_BEGINS = {
    "promote": r"The (new ranking|new one|arm \w+) wins: ",
    "rollback": r"The (new ranking|new one|arm \w+) does harm: ",
    "keep_control": r"(No winner: |The old one is better: |The (new ranking|new one|arm \w+) is better, but )",
    "invalid": r"The numbers cannot be trusted: ",
    "continue": r"(Undecided so far: |Nobody has taken part yet\.)",
}
_PREFERENCES = re.compile(r"(\d+) went to the new ranking and (\d+) to the old(, and those .* to the (new|old))?")
_WEIGHT = 2520


def sentences(seed: int, quick: bool) -> list[Bar]:
    """Return the bar of sentences that agree with the decision; a quick run draws no fewer."""
    del quick
    random = np.random.default_rng(seed)
    cases = [draw_case(random) for _ in range(CASES)]
    wrong = [told for plan, look in cases for told in _disagreements(plan, look)]
    kinds = sorted({decide(plan, [look]).decision for plan, look in cases})
    what = f"sentences that agree with the decision, of {CASES} generated plans and looks ({', '.join(kinds)})"
    agreeing = CASES - len(wrong)
    return [{"id": "ab.report_sentences", "what": what, "value": agreeing, "bound": CASES, "met": agreeing == CASES}]


def disagreement(plan: ExperimentPlan, look: Look, verdict: Verdict, told: str) -> str:
    """Return why a sentence says something else than a verdict, "" where it does not."""
    if not re.match(_BEGINS[verdict.decision], told):
        return f"{verdict.decision} begins otherwise"
    if (verdict.decision == "promote") != (" wins" in told) or (verdict.decision == "rollback") != ("harm" in told):
        return "it names another outcome"
    if verdict.decision in {"keep_control", "rollback", "invalid"} and not told.endswith("stays."):
        return "it does not say that the old one stays"
    if verdict.decision == "promote" and len(plan.arms) > 2 and f"The arm {verdict.winner} wins" not in told:
        return f"the winner is {verdict.winner}"
    evidence = weigh(plan, look)
    proven = any(one.superior or one.inferior for one in evidence)
    if "chance alone" in told and proven:
        return "what is proven is called chance"
    if verdict.decision == "promote" and (found := _PREFERENCES.search(told)):
        leads = found[4] == "new" if found[4] else int(found[1]) > int(found[2])
        return "" if leads else "the figures name the other side"
    return ""


def draw_case(random: np.random.Generator) -> tuple[ExperimentPlan, Look]:
    """Return a plan and a look at it: both kinds, two to four arms, early and late, gains, losses and nothing."""
    if random.random() < 0.4:
        return _interleaved(random)
    arms = [f"a{number}" for number in range(int(random.integers(2, 5)))]
    plan = _plan(random, "ab", arms, random.choice(["click_rate", "abandonment", "csat"], 2, replace=False).tolist())
    return plan, _look(random, _tables(random, plan, arms))


def _disagreements(plan: ExperimentPlan, look: Look) -> Iterator[str]:
    verdict = decide(plan, [look])
    told = write_sentence(plan, look, verdict, weigh(plan, look), started=True)
    if why := disagreement(plan, look, verdict, told):
        yield f"{why}: {told}"


def _plan(random: np.random.Generator, kind: Any, arms: list[str], success: list[str]) -> ExperimentPlan:
    guarded = () if kind != "ab" or random.random() < 0.5 else (Guardrail("reformulation", 0.01),)
    test: Any = random.choice(["sequential", "sequential", "fixed"])
    return ExperimentPlan(
        "drawn",
        kind,
        arms=tuple(Arm(name, f"v-{name}") for name in arms),
        planned_searches=int(random.choice([400, 2000, 8000])),
        min_days=float(random.choice([0.0, 7.0])),
        max_days=float(random.choice([7.0, 14.0])),
        success=tuple(success[: int(random.integers(1, 3))]),
        guardrails=guarded,
        test=test,
    )


def _interleaved(random: np.random.Generator) -> tuple[ExperimentPlan, Look]:
    """Return a look at preferences; those near the top may lean to one side, and those further down to the other."""
    plan = _plan(random, "interleaving", ["control", "treatment"], ["preference"])
    wins, losses, ties = (int(one) for one in random.integers(0, 700, 3))
    high = int(random.integers(0, 400)) * int(random.choice([0, 1, -1]))
    table = {(_WEIGHT // 4, _WEIGHT // 4): wins, (-_WEIGHT // 4, _WEIGHT // 4): losses, (0, _WEIGHT): ties}
    table[(_WEIGHT if high > 0 else -_WEIGHT, _WEIGHT)] = abs(high)
    counts = {
        "wins": {INTERLEAVED: wins + max(high, 0)},
        "losses": {INTERLEAVED: losses + max(-high, 0)},
        "ties": {INTERLEAVED: ties},
    }
    look = _look(random, {"preference": {INTERLEAVED: table}})
    return plan, replace(look, counts=counts)


def _tables(random: np.random.Generator, plan: ExperimentPlan, arms: list[str]) -> dict[str, Any]:
    names = {*plan.success, *(one.metric for one in plan.guardrails)}
    units = int(random.choice([4, 60, 400, 1500]))
    tables = {}
    for name in sorted(names):
        base, spread = random.uniform(0.2, 0.6), float(random.choice([0.0, 0.03, 0.2]))
        shares = [base, *(base + random.normal(0, spread) for _ in arms[1:])]
        chances = [min(max(share, 0.0), 1.0) for share in shares]
        tables[name] = {arm: _table(random, units, chance, name) for arm, chance in zip(arms, chances, strict=True)}
    return tables


def _table(random: np.random.Generator, units: int, share: float, name: str) -> dict[tuple[int, int], int]:
    yes = int(random.binomial(units, share))
    high, low = ((5, 1), (2, 1)) if name == "csat" else ((4, 4), (0, 4))
    return {high: yes, low: units - yes}


def _look(random: np.random.Generator, tables: dict[str, Any]) -> Look:
    caps, ratios = summarise(tables)
    first = next(iter(tables.values()))
    mixed = int(random.choice([0, 0, 0, 0, 0, 60]))
    return Look(
        change=1,
        days=float(random.uniform(0.5, 16)),
        units={arm: sum(table.values()) for arm, table in first.items()},
        searches={arm: 4 * sum(table.values()) for arm, table in first.items()},
        mixed=mixed,
        caps=caps,
        ratios=ratios,
    )
