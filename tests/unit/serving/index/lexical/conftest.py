"""What these tests share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from serving.index.lexical.analysis import Analysis
from serving.index.lexical.index import LexicalIndex

ARTICLES = [
    ("Printer prints blank pages", "Clean the HP-305XL cartridge, or call us."),
    ("Pages stay blank when the printer is cold", "Wait until it is warm."),
    ("Update fails", "Windows says 0x80070057 since v2.1.3; see err_conn_reset."),
    ("Television", "The screen of a television stays dark."),
    ("Cartridges", "Order the HP 62 cartridge."),
]


VOCABULARY = ["print", "page", "blank", "driver", "install", "remove", "color", "paper"]


Texts = Sequence[tuple[str, str]]


def build(articles: Texts, analysis: Analysis | None = None, folder: Path | None = None) -> LexicalIndex:
    index = LexicalIndex(folder, analysis or Analysis())
    for row, (title, text) in enumerate(articles):
        index.add(row, title, text)
    index.commit()
    return index


def mask(rows: Sequence[int], length: int) -> npt.NDArray[np.bool_]:
    allowed = np.zeros(length, np.bool_)
    allowed[list(rows)] = True
    return allowed


@pytest.fixture(scope="module")
def articles() -> LexicalIndex:
    return build(ARTICLES)


@pytest.fixture(scope="module")
def many() -> LexicalIndex:
    rng = np.random.default_rng(7)
    texts = [" ".join(rng.choice(VOCABULARY, int(rng.integers(3, 30)))) for _ in range(6000)]
    return build([("", text) for text in texts])
