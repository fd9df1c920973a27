"""Every step is decided by its verdict and by the champion of the moment, and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from ab_testing.api import Verdict
from ab_testing.decide.rules import Word
from retrainer.autopilot.path import STAGES, Stage, Standing, next_move, next_promotion

TESTED = Standing(version="v-new", control="v-old", champion="v-old", moved="")
SERVING = replace(TESTED, champion="v-new", moved="won")
FINAL = [word for word in get_args(Word) if word != "continue"]


def verdict(word: Word) -> Verdict:
    return Verdict(word, f"because of {word}")


@pytest.mark.parametrize("stage", STAGES)
def test_without_a_verdict_the_experiment_goes_on(stage: Stage) -> None:
    standing = SERVING if stage == "holdback" else TESTED
    assert next_move(stage, standing).action == "experiment"


def test_the_whole_way_is_interleaving_an_ab_test_promotion_and_a_holdback() -> None:
    won = replace(TESTED, verdict=verdict("promote"))
    assert next_move("interleave", won).to == "compare"
    assert next_move("compare", won).to == "promote"
    assert next_promotion(TESTED, promoted=False).action == "promote"
    assert next_promotion(SERVING, promoted=True).to == "holdback"
    stays = next_move("holdback", replace(SERVING, verdict=verdict("promote")))
    assert (stays.action, stays.end) == ("end", "promoted")


def test_interleaving_alone_promotes_and_ends() -> None:
    alone = replace(TESTED, proof="interleaving", verdict=verdict("promote"))
    assert next_move("interleave", alone).to == "promote"
    done = next_promotion(replace(SERVING, proof="interleaving"), promoted=True)
    assert (done.action, done.end) == ("end", "promoted")


@pytest.mark.parametrize("stage", ["interleave", "compare"])
@pytest.mark.parametrize("word", [word for word in FINAL if word != "promote"])
def test_whatever_does_not_promote_drops_the_candidate(stage: Stage, word: Word) -> None:
    move = next_move(stage, replace(TESTED, verdict=verdict(word)))
    assert (move.action, move.end, move.refused) == ("end", "dropped", True)
    assert word in move.why


@pytest.mark.parametrize("stage", ["interleave", "compare"])
@pytest.mark.parametrize("word", [None, *FINAL])
def test_another_champion_ends_the_way_whatever_was_found(stage: Stage, word: Word | None) -> None:
    moved = replace(TESTED, champion="v-theirs", moved="a sale", verdict=verdict(word) if word else None)
    move = next_move(stage, moved)
    assert (move.action, move.end, move.refused) == ("end", "dropped", False)
    assert "a sale" in move.why


@pytest.mark.parametrize("stage", ["interleave", "compare"])
def test_a_candidate_promoted_by_hand_is_promoted(stage: Stage) -> None:
    move = next_move(stage, replace(SERVING, verdict=verdict("stopped")))
    assert (move.action, move.end, move.refused) == ("end", "promoted", False)


def test_nothing_is_promoted_over_another_champion() -> None:
    moved = replace(TESTED, champion="v-theirs")
    assert next_promotion(moved, promoted=False).end == "dropped"
    assert next_promotion(moved, promoted=True).end == "promoted"


@pytest.mark.parametrize("word", FINAL)
def test_only_proven_harm_rolls_back(word: Word) -> None:
    move = next_move("holdback", replace(SERVING, verdict=verdict(word)))
    assert (move.action == "roll_back") == (word == "rollback")


def test_a_rollback_that_was_made_ends_the_way_and_one_by_hand_too() -> None:
    back = replace(TESTED, moved="its holdback: harm", verdict=verdict("rollback"))
    assert next_move("holdback", replace(back, undone=True)).end == "rolled_back"
    assert next_move("holdback", back).end == "promoted"
