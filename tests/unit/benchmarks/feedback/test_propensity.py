from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau

from benchmarks.feedback.clicklog import (
    DOCUMENTS,
    QUERIES,
    ClickLog,
    Searches,
    draw_searches,
    log_clicks,
    one_in_five,
    published_trust,
)
from benchmarks.feedback.flood import FloodVisit, fold_visits
from benchmarks.feedback.propensity import assume, rank_agreement
from foundation.contracts import CURVE_RANKS, PRIOR_CURVE


@pytest.fixture(scope="module")
def searches() -> Searches:
    return draw_searches(3, one_in_five)


def test_agreement_is_scipys_tau_of_the_shown_documents_averaged_over_queries(searches: Searches) -> None:
    shown = np.zeros((QUERIES * DOCUMENTS, CURVE_RANKS))
    shown[: 5 * DOCUMENTS : 1, 0] = np.arange(5 * DOCUMENTS) % 3
    log = ClickLog(shown, shown)
    guess = np.round(np.random.default_rng(1).random(QUERIES * DOCUMENTS), 1)

    found = rank_agreement(searches, log, guess)

    truth, rows = searches.relevance.ravel(), log.rows
    groups = [rows[rows // DOCUMENTS == query] for query in range(5)]
    expected = [kendalltau(guess[mine], truth[mine]).statistic for mine in groups if np.ptp(truth[mine])]
    assert found == pytest.approx(np.mean(expected))


def test_a_log_has_the_clicks_asked_for_and_as_many_as_the_habit_makes(searches: Searches) -> None:
    log = log_clicks(searches, published_trust(), 3000)

    assert 3000 <= log.clicked.sum() < 6000
    assert (log.clicked <= log.shown).all()
    assert 0.6 < log.clicked[:, 0].sum() / log.shown[:, 0].sum() < 1


def test_the_prior_is_assumed_with_its_own_steepness_unless_told_otherwise() -> None:
    assert assume(0.75).relevant == pytest.approx(PRIOR_CURVE.relevant)
    assert assume(2.0).relevant[9] == pytest.approx(0.0085)


def test_nobody_counts_more_lists_of_a_query_than_the_setting() -> None:
    visits = [FloodVisit("machine-1", 0, (4, 7), (2,))] * 50 + [FloodVisit("person-1", 0, (4, 7), (1,))]

    log = fold_visits(visits, 3)

    assert log.shown[4].tolist()[:2] == [4, 0]
    assert (log.clicked[4, 0], log.clicked[7, 1]) == (1, 3)
