"""An engine's order stands until evidence says otherwise, whatever is known of the documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foundation.contracts import CURVE_RANKS, Evidence
from foundation.packed_evidence import pack
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.order.candidates import Candidate
from serving.order.ordering import keep_order, order_candidates
from serving.ranking.live_evidence import LiveMemory
from serving.ranking.memory import QueryMemory, Remembered
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker, Ranking
from serving.ranking.stage_timer import StageTimer
from tests.unit.serving.conftest import embed_words

ReadQuery = Callable[[str], Query]
NAMES = ("sums", "charts", "pages", "fonts", "a", "b", "c", "d")


def untaught(corpus: Corpus) -> RankingModel:
    return RankingModel(QueryMemory([], corpus.dense.dimension))


def order(ranker: Ranker, query: Query, candidates: Sequence[Candidate], k: int = 100) -> Ranking:
    return order_candidates(candidates, k, ranker=ranker, query=query, timer=StageTimer())


def ids(ranking: Ranking) -> list[str]:
    return [hit.document_id for hit in ranking.hits]


def clicked(query: str, document: str, people: int, rank: int) -> Evidence:
    lists = [0.0] * CURVE_RANKS
    lists[rank - 1] = float(people)
    return Evidence(query, document, tuple(lists), tuple(lists), people)


def live(query: Query, *evidence: Evidence) -> LiveMemory:
    memory = LiveMemory(lambda texts: np.tile(query.vector, (len(texts), 1)), len(query.vector))
    memory.update(pack(evidence), 1)
    return memory


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    names=st.permutations(NAMES),
    scores=st.lists(st.none() | st.floats(-1e9, 1e9), min_size=8, max_size=8),
    query=st.sampled_from(["page numbers", "fonts for headings", "nothing at all"]),
)
def test_without_evidence_the_answer_is_the_engines_order(
    corpus: Corpus, ask: ReadQuery, names: list[str], scores: list[float | None], query: str
) -> None:
    candidates = [Candidate(name, score, title=name) for name, score in zip(names, scores, strict=True)]
    ranker = Ranker(corpus, untaught(corpus), LiveMemory(embed_words, corpus.dense.dimension))
    assert ids(order(ranker, ask(query), candidates)) == names
    assert ids(keep_order(candidates, 3)) == names[:3]


def test_people_who_click_bring_a_document_up(corpus: Corpus, ask: ReadQuery) -> None:
    query = ask("cells")
    candidates = [Candidate(name) for name in NAMES]
    one = order(Ranker(corpus, untaught(corpus), live(query, clicked("cells", "d", 1, 8))), query, candidates)
    many = order(Ranker(corpus, untaught(corpus), live(query, clicked("cells", "d", 9, 8))), query, candidates)
    assert 3 <= ids(one).index("d") < 7, "one person halves a rank at most"
    assert ids(many)[0] == "d"


def test_what_users_of_similar_queries_chose_counts_for_documents_outside_the_catalog(
    corpus: Corpus, ask: ReadQuery
) -> None:
    past = Remembered("adding many cells", ask("adding many cells").vector, {"c": 0.9})
    model = RankingModel(QueryMemory([past], corpus.dense.dimension))
    ranking = order(Ranker(corpus, model), ask("adding cells"), [Candidate(name) for name in NAMES])
    assert ids(ranking).index("c") < NAMES.index("c")


def test_learned_weights_read_documents_of_the_catalog_and_count_others_as_their_mean(
    corpus: Corpus, ask: ReadQuery
) -> None:
    model = RankingModel(QueryMemory([], corpus.dense.dimension), fusion="linear", weights={"bm25": 5.0})
    ranking = order(
        Ranker(corpus, model), ask("page numbers"), [Candidate(name) for name in ("fonts", "a", "b", "pages", "sums")]
    )
    learned = {hit.document_id: hit.parts["learned"] for hit in ranking.hits}
    assert ids(ranking)[0] == "pages"
    known = [learned[name] for name in ("fonts", "pages", "sums")]
    assert learned["a"] == learned["b"] == pytest.approx(sum(known) / 3, rel=1e-5)


def test_learned_weights_compare_titles_of_documents_outside_the_catalog(corpus: Corpus, ask: ReadQuery) -> None:
    model = RankingModel(QueryMemory([], corpus.dense.dimension), fusion="linear", weights={"title_covered": 9.0})
    candidates = [Candidate("a", title="Drawing charts"), Candidate("b", title="Numbering pages"), Candidate("c")]
    assert ids(order(Ranker(corpus, model), ask("numbering pages"), candidates))[0] == "b"


def test_the_parts_of_a_score_add_up_to_it(corpus: Corpus, ask: ReadQuery) -> None:
    query = ask("cells")
    ranker = Ranker(corpus, untaught(corpus), live(query, clicked("cells", "b", 2, 6)))
    for hit in order(ranker, query, [Candidate(name) for name in NAMES], k=4).hits:
        assert hit.score == pytest.approx(sum(hit.parts.values()), abs=1e-4)
        assert NAMES[hit.row] == hit.document_id


def test_an_empty_corpus_orders_too(ask: ReadQuery) -> None:
    corpus = Corpus(32)
    model = RankingModel(QueryMemory([], 32), fusion="linear", weights={"bm25": 5.0})
    assert ids(order(Ranker(corpus, model), ask("toner"), [Candidate("a"), Candidate("b")])) == ["a", "b"]


def test_fields_that_are_sent_rank_where_a_version_learned_from_them(corpus: Corpus, ask: ReadQuery) -> None:
    model = RankingModel(
        QueryMemory([], corpus.dense.dimension),
        fusion="linear",
        weights={"number:price": -50.0, "value:app=calc": 9.0},
        fields=("number:price", "value:app=calc"),
    )
    sent = [Candidate("a", fields={"price": 30}), Candidate("sums"), Candidate("b", fields={"price": 10})]
    hits = order(Ranker(corpus, model), ask("adding"), sent).hits
    assert [hit.document_id for hit in hits] == ["b", "sums", "a"]
    assert [round(hit.parts["learned"]) for hit in hits] == [50, 9, -50]
