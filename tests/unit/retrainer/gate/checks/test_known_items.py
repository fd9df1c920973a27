"""Titles find their documents under every version."""

from __future__ import annotations

import numpy as np

from retrainer.gate.checks.known_items import check_known_items
from retrainer.gate.measurements import JudgedQueries
from tests.measured import comparison, measured

TITLES = [f"title {number}" for number in range(100)]
WHOLE = comparison([0.1] * 30)


def test_titles_that_no_longer_find_their_documents_are_named() -> None:
    after = np.ones(100)
    after[:20] = 0.0
    finding = check_known_items(measured(WHOLE, known_items=JudgedQueries(TITLES, np.ones(100), after)))
    assert finding is not None
    assert not finding.passed
    assert "titles find their documents less well (mean change of 100 titles -0.2000, must be above" in finding.tell()
    assert finding.worst[0] == "'title 0' -1.000"


def test_a_title_or_two_is_chance() -> None:
    after = np.ones(100)
    after[:2] = 0.0
    finding = check_known_items(measured(WHOLE, known_items=JudgedQueries(TITLES, np.ones(100), after)))
    assert finding is not None
    assert finding.passed


def test_a_corpus_without_titles_has_none() -> None:
    assert check_known_items(measured(WHOLE)) is None
