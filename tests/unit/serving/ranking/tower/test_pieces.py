from __future__ import annotations

import numpy as np
import pytest

from foundation.contracts import Document
from serving.encode.form import packaged_model
from serving.ranking.tower.pieces import MAX_PIECES, WordPieces, text_of


@pytest.fixture(scope="module")
def pieces() -> WordPieces:
    return WordPieces((packaged_model() / "tokenizer.json").read_text())


def test_each_text_is_divided_among_its_pieces(pieces: WordPieces) -> None:
    shares = pieces.share(["card card loan", "", "loan"]).toarray()
    assert shares.shape == (3, pieces.size)
    np.testing.assert_allclose(shares.sum(axis=1), [1, 0, 1])
    np.testing.assert_allclose(sorted(shares[0][shares[0] > 0]), [1 / 3, 2 / 3])


def test_long_texts_are_cut(pieces: WordPieces) -> None:
    shares = pieces.share(["card " * MAX_PIECES + "loan"]).toarray()
    assert (shares[0] > 0).sum() == 1


def test_a_document_is_read_with_its_title() -> None:
    assert text_of(Document("d", "Cards", "How to use them.")) == "Cards. How to use them."
