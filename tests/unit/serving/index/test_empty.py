"""Nothing is a state like any other: every part of a corpus begins with it, comes back to it, and is sealed in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.strategies import sampled_from, sets

from foundation.contracts import Document
from serving.encode.query import Query
from serving.encode.tokens import TokenTable
from serving.index.corpus import Corpus
from serving.index.dense.index import DenseIndex
from serving.index.fields.filters import parse_filter
from serving.index.fields.request import parse_sort
from serving.index.fields.table import FieldTable
from serving.index.fields.values import FieldType
from serving.index.lexical.analysis import Analysis
from serving.index.lexical.index import LexicalIndex
from serving.index.lexical.storage import share_index
from serving.index.lexical.synonyms import parse_synonyms
from serving.index.snapshot import IndexSnapshot, digest_content
from serving.present.context import assemble
from serving.present.suggestions import Suggestions
from serving.ranking.adaptation import Residuals, shift_documents
from serving.ranking.live_evidence import LiveMemory
from serving.ranking.memory import QueryMemory
from serving.ranking.model import RankingModel
from serving.ranking.near_duplicates import collapse_near_duplicates
from serving.ranking.pipeline import Ranker
from serving.ranking.retrieval import retrieve
from tests.plain_embedder import PlainEmbedder
from tests.unit.serving.conftest import DIMENSION, embed_words

Floats = npt.NDArray[np.float32]
WORDS = ("kettle", "ladder", "marble")
TYPES: dict[str, FieldType] = {"size": "number", "kind": "keyword", "since": "date", "new": "boolean"}
FILTERS = (
    {"size": {"gt": 3}},
    {"kind": "tool"},
    {"not": {"kind": "tool"}},
    {"since": {"lt": "2026-01-01"}},
    {"new": True},
)
EMBEDDER = PlainEmbedder(embed_words)


def make(word: str, change: int) -> Document:
    fields = {"size": len(word), "kind": "tool", "since": "2025-05-05", "new": False}
    return Document(word, word, f"All about the {word}.", fields=fields, change=change)


def gone(word: str, change: int) -> Document:
    return Document(word, "", "", change=change, deleted=True)


def reopen(corpus: Corpus, folder: Path) -> Corpus:
    """Return what a service opens after these documents were sealed."""
    corpus.seal(folder)
    sealed = LexicalIndex(folder / "words")
    for name in corpus.ids():
        row = corpus.row(name)
        assert row is not None
        sealed.add(row, corpus.document(row).title, corpus.document(row).text)
    sealed.compact()
    sealed.close()
    share_index(folder / "words", folder / "copy")
    return Corpus(DIMENSION, IndexSnapshot.open(folder), LexicalIndex(folder / "copy"))


def check(corpus: Corpus, expected: set[str]) -> None:
    """Ask a corpus everything that a search, a context, a console or a learner asks."""
    model = RankingModel(memory=QueryMemory([], DIMENSION))
    live = LiveMemory(embed_words, DIMENSION)
    ranker = Ranker(corpus, model, live)
    for text in (*WORDS, "ketle", "about", ""):
        query = Query(text, text, embed_words([text])[0])
        hits = ranker.search(query, 10).hits
        assert {hit.document_id for hit in hits} <= expected
        assert text not in expected or hits[0].document_id == text
        assert len(corpus.nearness([hit.row for hit in hits], query.vector)) == len(hits)
        corpus.lexical.correct(text)
        assert {corpus.name(row) for row in corpus.dense.search_exactly(query.vector, 5)} <= expected
        for wanted in FILTERS:
            allowed = corpus.matching(parse_filter(wanted, corpus.fields.types or TYPES))
            found = ranker.rank(retrieve(corpus, query, allowed), 10).hits
            assert {hit.document_id for hit in found} <= expected
    rows = np.array([row for name in expected if (row := corpus.row(name)) is not None], np.int64)
    documents = [corpus.document(row) for row in rows.tolist()]
    types = corpus.fields.types or TYPES
    corpus.fields.arrange(parse_sort(["size", "-kind"], types), rows)
    assert sum(number for name in TYPES for _, number in corpus.fields.count(name, rows, 5)) == 4 * len(expected)
    assert len(corpus.fields.summary(corpus.columns.alive[: corpus.fields.rows])) in {0, 4}
    assert set(corpus.ids()) == expected
    assert digest_content(corpus.held()) == digest_content((one.id, one.change) for one in documents)
    assert np.isfinite(corpus.dense.centre()).all()
    assert corpus.means(rows).shape == (len(expected), DIMENSION)
    assert collapse_near_duplicates(corpus, rows.tolist(), 5) == list(range(len(expected)))
    shift_documents(corpus, Residuals(("kettle",), np.ones((1, DIMENSION), np.float32)))


@settings(max_examples=8, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck))
class EmptyAndFull(RuleBasedStateMachine):
    """Documents come, change and go, all of them too, and are sealed at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.corpus = Corpus(DIMENSION)
        self.expected: set[str] = set()
        self.changes = count(1)
        self.folders = TemporaryDirectory()

    @rule(words=sets(sampled_from(WORDS)))
    def put(self, words: set[str]) -> None:
        self.corpus.apply([make(word, next(self.changes)) for word in sorted(words)], EMBEDDER)
        self.expected |= words

    @rule(words=sets(sampled_from(WORDS)))
    def delete(self, words: set[str]) -> None:
        self.corpus.apply([gone(word, next(self.changes)) for word in sorted(words)], EMBEDDER)
        self.expected -= words

    @rule()
    def delete_all(self) -> None:
        self.delete(set(WORDS))

    @rule()
    def declare(self) -> None:
        self.corpus.declare(TYPES)

    @rule()
    def seal(self) -> None:
        folder = Path(self.folders.name) / str(next(self.changes))
        folder.mkdir()
        self.corpus = reopen(self.corpus, folder)

    @invariant()
    def answers(self) -> None:
        check(self.corpus, self.expected)

    def teardown(self) -> None:
        self.folders.cleanup()


TestEmptyAndFull = EmptyAndFull.TestCase


@dataclass
class Case:
    """How a corpus comes to hold nothing."""

    changes: list[Document]
    declared: dict[str, FieldType] = field(default_factory=dict)


CASES = {
    "never anything": Case([]),
    "only deletions": Case([gone("kettle", 3)]),
    "only declarations": Case([], TYPES),
    "all deleted": Case([make("kettle", 1), gone("kettle", 2)]),
    "all deleted, with declarations": Case([make("kettle", 1), gone("kettle", 2)], TYPES),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_nothing_is_sealed_opened_and_added_to(case: Case, tmp_path: Path) -> None:
    corpus = Corpus(DIMENSION)
    corpus.declare(case.declared)
    for change in case.changes:
        corpus.apply([change], EMBEDDER)
    check(corpus, set())
    (tmp_path / "sealed").mkdir()
    sealed = reopen(corpus, tmp_path / "sealed")
    check(sealed, set())
    sealed.apply([make("ladder", 9)], EMBEDDER)
    check(sealed, {"ladder"})
    sealed.tombstone(["ladder"])
    sealed.apply([gone("ladder", 10)], EMBEDDER)
    check(sealed, set())


@pytest.mark.parametrize("filled", [False, True])
def test_a_mask_of_no_rows_lets_nothing_through(filled: bool) -> None:
    index = DenseIndex(DIMENSION)
    if filled:
        index.add([0, 1], embed_words(["kettle", "ladder"]))
    query = embed_words(["kettle"])[0]
    assert index.search(query, 5, np.zeros(0, np.bool_)) == []
    index.remove(range(0))


EMPTY: dict[str, Callable[[], object]] = {
    "suggestions": lambda: Suggestions().complete("k", 5),
    "synonyms": lambda: Analysis(synonyms=parse_synonyms("")).synonyms.rules,
    "context": lambda: assemble([], 100),
    "context without room": lambda: assemble([], 0),
    "fields": lambda: FieldTable().count("size", np.zeros(0, np.int64), 5),
    "spelling": lambda: LexicalIndex().correct("ketle"),
    "words": lambda: LexicalIndex().search("kettle", 5),
    "words within nothing": lambda: LexicalIndex().search("kettle", 5, []),
    "passages": lambda: DenseIndex(DIMENSION).search(embed_words(["kettle"])[0], 5),
    "all passages": lambda: DenseIndex(DIMENSION).search_exactly(embed_words(["kettle"])[0], 5),
    "vectors": lambda: DenseIndex(DIMENSION).vectors(np.zeros(0, np.int64)).tolist(),
    "tokens": lambda: TokenTable().scores(embed_words(["kettle"]), np.zeros(0, np.int64)).tolist(),
    "memory": lambda: QueryMemory([], DIMENSION).recall("kettle", embed_words(["kettle"])[0]).meaning,
}


@pytest.mark.parametrize("ask", EMPTY.values(), ids=EMPTY)
def test_a_part_that_holds_nothing_says_nothing(ask: Callable[[], object]) -> None:
    assert not ask()
