"""A dataset is frozen, digested, and never lets a judge's query be learned from."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import numpy as np
import numpy.typing as npt
import pytest
import sqlalchemy as sa

from collector.tables import evidence
from foundation.contracts import Evidence
from foundation.database.engine import transaction
from foundation.errors import Conflict
from foundation.ids import digest_bytes
from retrainer.data.dataset import Dataset, KeepClusters, freeze_dataset, split_dataset
from retrainer.data.splits import draw_folds, join_clusters
from retrainer.data.store import keep_clusters
from retrainer.data.threshold import FOLDS, JUDGED_WEEKS, MIN_CLICKED, MIN_KEPT_ASIDE, Threshold, read_threshold

NOW = datetime(2026, 1, 5, tzinfo=UTC)
SIZE = 64
EMPTY = [0] * 20


def embed(texts: list[str]) -> npt.NDArray[np.float32]:
    """Return a random direction per text; texts that differ in a last digit only are close."""
    found = np.stack([_direction(text.rstrip("0123456789")) + 0.01 * _direction(text) for text in texts])
    unit: npt.NDArray[np.float32] = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _direction(text: str) -> npt.NDArray[np.float64]:
    return np.random.default_rng(int(digest_bytes(text.encode())[:8], 16)).normal(size=SIZE)


def rows(keys: list[str]) -> list[Evidence]:
    one = (1.0, *[0.0] * 19)
    return [Evidence(key, document, one, one, users=1) for key in keys for document in ("a", "b")]


KEEP_NONE = partial(join_clusters, known={})


def split(keys: list[str], keep: KeepClusters = KEEP_NONE) -> Dataset:
    return split_dataset("default", NOW, rows(keys), rows(keys), embed, keep, cross_fitting=False)


def cross_fit(keys: list[str]) -> Dataset:
    return split_dataset("default", NOW, rows(keys), rows(keys), embed, KEEP_NONE)


def queries(evidence: list[Evidence]) -> set[str]:
    return {row.query_key for row in evidence}


def words(count: int) -> list[str]:
    return [f"{chr(97 + number // 26)}{chr(97 + number % 26)} question" for number in range(count)]


def test_every_query_is_on_one_side_only() -> None:
    found = split(words(300))
    learned, judged = ({row.query_key for row in side} for side in (found.learn, found.judge))
    assert not learned & judged
    assert len(learned) + len(judged) == 300
    assert 25 <= len(judged) <= 80


def test_queries_that_mean_the_same_are_on_the_same_side() -> None:
    found = split([f"{word} {digit}" for word in words(60) for digit in range(3)])
    judged = {row.query_key for row in found.judge}
    for word in words(60):
        assert len({f"{word} {digit}" in judged for digit in range(3)}) == 1
        assert len({found.clusters[f"{word} {digit}"] for digit in range(3)}) == 1


@pytest.mark.parametrize("cross_fitting", [True, False])
def test_nothing_is_learned_from_queries_that_people_judged_nor_from_those_near_them(cross_fitting: bool) -> None:
    keys = [f"{word} {digit}" for word in words(60) for digit in range(3)]
    judged = {words(60)[number] for number in range(0, 60, 2)}
    gold = [f"{word} 9" for word in judged]
    found = split_dataset("default", NOW, rows(keys), rows(keys), embed, KEEP_NONE, gold, cross_fitting=cross_fitting)
    for taught in (found.learn, *(fold.learn for fold in found.folds)):
        assert not {key[:-2] for key in queries(taught)} & judged
        assert queries(taught)


def test_a_query_never_changes_sides_as_evidence_grows() -> None:
    few, many = split(words(100)), split(words(300))
    assert {row.query_key for row in few.judge} <= {row.query_key for row in many.judge}
    assert not {row.query_key for row in few.judge} & {row.query_key for row in many.learn}


def test_a_paraphrase_that_comes_later_moves_nothing(engine: sa.Engine) -> None:
    keep = partial(keep_clusters, engine, "default")
    before = split(words(100), keep)
    sides = {row.query_key: "learn" for row in before.learn} | {row.query_key: "judge" for row in before.judge}

    after = split([*words(100), *(f"{word}0" for word in words(100))], keep)

    assert {word: after.clusters[word] for word in words(100)} == before.clusters
    assert {row.query_key: "learn" for row in after.learn} | {row.query_key: "judge" for row in after.judge} == {
        name: side for word, side in sides.items() for name in (word, f"{word}0")
    }


def test_a_query_nearly_equal_to_one_that_judges_is_not_learned_from() -> None:
    folds = draw_folds(map(str, range(99)), FOLDS, "gate").tolist()
    judges, learns = str(folds.index(0)), str(folds.index(1))
    clusters = {"ladder": judges, "ladder1": learns, "marble": learns}

    found = split_dataset(
        "default", NOW, rows([*clusters]), rows([*clusters]), embed, lambda *_: clusters, cross_fitting=False
    )

    assert {row.query_key for row in found.judge} == {"ladder"}
    assert {row.query_key for row in found.learn} == {"marble"}
    assert found.left_out == 1


def test_the_digest_names_the_evidence() -> None:
    assert split(words(50)).digest == split(words(50)).digest
    assert split(words(50)).digest != split(words(51)).digest


@pytest.mark.parametrize("copies", [1, 3])
def test_every_query_judges_once_a_version_that_never_saw_its_cluster(copies: int) -> None:
    keys = [f"{word} {digit}" for word in words(60 // copies) for digit in range(copies)]
    found = cross_fit(keys)
    assert found.cross_fitted
    assert queries(found.learn) == set(keys)
    assert sorted(key for fold in found.folds for key in queries(fold.judge)) == sorted(keys)
    for fold in found.folds:
        judging, taught = queries(fold.judge), queries(fold.learn)
        assert not {found.clusters[key] for key in judging} & {found.clusters[key] for key in taught}
        assert not (embed(sorted(judging)) @ embed(sorted(taught)).T > 0.9).any()
        assert judging | taught == set(keys)


def test_a_query_nearly_equal_to_one_of_a_fold_is_not_learned_from_before_that_fold() -> None:
    numbers = draw_folds(map(str, range(99)), FOLDS, "gate").tolist()
    clusters = {"ladder": str(numbers.index(1)), "ladder1": str(numbers.index(2)), "marble": str(numbers.index(3))}

    found = split_dataset("default", NOW, rows([*clusters]), rows([*clusters]), embed, lambda *_: clusters)

    assert queries(found.folds[1].learn) == queries(found.folds[2].learn) == {"marble"}
    assert queries(found.learn) == {*clusters}


def test_where_enough_queries_are_kept_aside_they_judge_alone() -> None:
    found = cross_fit(words(8 * MIN_KEPT_ASIDE))
    assert [fold.number for fold in found.folds] == [0]
    assert found.learn == found.folds[0].learn
    assert not queries(found.learn) & queries(found.judge)


def test_the_fold_of_a_query_is_the_same_however_many_judge() -> None:
    few, many = cross_fit(words(100)), split(words(300))
    assert queries(few.folds[0].judge) <= queries(many.judge)


def test_too_few_clicked_queries_are_refused(engine: sa.Engine) -> None:
    store(engine, words(MIN_CLICKED - 1), clicked=True)
    store(engine, ["shown only"], clicked=False)
    with pytest.raises(Conflict, match=f"{MIN_CLICKED - 1} queries have clicks lately; learning needs {MIN_CLICKED}"):
        freeze_dataset(engine, "default", NOW, 30.0, embed, {})


def test_forty_clicked_queries_are_enough(engine: sa.Engine) -> None:
    store(engine, words(MIN_CLICKED), clicked=True)
    found = freeze_dataset(engine, "default", NOW, 30.0, embed, {})
    assert queries(found.judge) == set(words(MIN_CLICKED))


def test_an_encoder_is_not_trained_where_too_few_are_kept_aside(engine: sa.Engine) -> None:
    store(engine, words(60), clicked=True)
    with pytest.raises(Conflict, match=r"60 queries have clicks lately, \d+ of them in the fold that an encoder"):
        freeze_dataset(engine, "default", NOW, 30.0, embed, {}, cross_fitting=False)


def test_everybody_reads_the_same_threshold(engine: sa.Engine) -> None:
    store(engine, words(MIN_CLICKED), clicked=True)
    store(engine, ["shown only"], clicked=False)
    store(engine, ["long ago"], clicked=True, weeks_ago=JUDGED_WEEKS + 1)

    found = read_threshold(engine, "default", NOW)

    assert (found, found.reached) == (Threshold(MIN_CLICKED), True)
    assert read_threshold(engine, "other", NOW) == Threshold(0)
    assert not read_threshold(engine, "other", NOW).reached


def test_a_query_resolved_without_a_click_counts_for_everybody(engine: sa.Engine) -> None:
    store(engine, words(MIN_CLICKED - 1), clicked=True)
    store(engine, ["resolved"], clicked=False)
    with transaction(engine) as connection:
        resolved = evidence.c.query_key == "resolved"
        connection.execute(sa.update(evidence).where(resolved).values(users=1, satisfied=1))
    assert read_threshold(engine, "default", NOW).clicked == MIN_CLICKED
    assert "resolved" in queries(freeze_dataset(engine, "default", NOW, 30.0, embed, {}).judge)


def test_a_frozen_dataset_holds_all_evidence_as_of_its_change(engine: sa.Engine) -> None:
    store(engine, words(200), clicked=True)
    store(engine, ["shown only"], clicked=False)
    found = freeze_dataset(engine, "default", NOW, 30.0, embed, {})
    assert found.change == 3
    assert {row.query_key for row in found.learn + found.judge} == {*words(200), "shown only"}


def test_old_evidence_teaches_but_does_not_judge(engine: sa.Engine) -> None:
    asked = words(300)
    store(engine, asked[:100], clicked=True, weeks_ago=JUDGED_WEEKS + 1)
    store(engine, asked[100:], clicked=True, weeks_ago=JUDGED_WEEKS)
    found = freeze_dataset(engine, "default", NOW, 30.0, embed, {})
    assert {row.query_key for row in found.judge} <= set(asked[100:])
    assert {row.query_key for row in found.judge}
    assert {row.query_key for row in found.learn} & set(asked[:100])


def store(engine: sa.Engine, keys: list[str], *, clicked: bool, weeks_ago: int = 0) -> None:
    ones = [1, *EMPTY[1:]]
    with transaction(engine) as connection:
        connection.execute(
            sa.insert(evidence),
            [
                {
                    "collection": "default",
                    "query_key": key,
                    "period": int(NOW.timestamp() // (7 * 86400)) - weeks_ago,
                    "document_id": "a",
                    "nameless": False,
                    "shown": ones,
                    "clicked": ones if clicked else EMPTY,
                    "users": int(clicked),
                    "satisfied": 0,
                    "dissatisfied": 0,
                    "rating_sum": 0,
                    "ratings": 0,
                    "conversions": 0,
                    "change": 3,
                }
                for key in keys
            ],
        )
