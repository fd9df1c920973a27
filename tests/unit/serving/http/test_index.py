"""What is told of the index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest

from serving.http.index import measure_unread
from serving.index.space import Space
from tests.catalogs import make_corpus


@dataclass(frozen=True, slots=True)
class LatinSpace:
    """Documents and what reads nothing but ASCII."""

    corpus: Any

    @property
    def embedder(self) -> LatinSpace:
        return self

    def can_read(self, text: str) -> bool:
        return text.isascii()


@pytest.mark.parametrize(("titles", "share"), [([], 0.0), (["a", "b"], 0.0), (["a", "密码", "邮箱", "b"], 0.5)])
def test_the_share_of_documents_in_scripts_that_the_encoder_cannot_read_is_told(
    titles: list[str], share: float
) -> None:
    corpus = make_corpus([{"id": str(number), "title": title} for number, title in enumerate(titles)])

    assert measure_unread(cast("Space", LatinSpace(corpus))) == share
