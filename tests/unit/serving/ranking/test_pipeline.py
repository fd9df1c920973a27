from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from foundation.contracts import CURVE_RANKS, Document, Evidence, Manifest
from foundation.packed_evidence import pack
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.index.fields.filters import parse_filter
from serving.ranking.adaptation import Adapter, Residuals
from serving.ranking.features import COLUMN, FEATURES
from serving.ranking.live_evidence import LiveMemory
from serving.ranking.memory import QueryMemory, Remembered
from serving.ranking.model import RankingModel, load_model
from serving.ranking.pipeline import Ranker
from serving.ranking.retrieval import retrieve
from tests.plain_embedder import PlainEmbedder
from tests.unit.serving.conftest import embed_words

Floats = npt.NDArray[np.float32]
ReadQuery = Callable[[str], Query]
Embed = Callable[[list[str]], Floats]
NOTHING = (0.0,) * CURVE_RANKS


def untaught(corpus: Corpus) -> RankingModel:
    return RankingModel(QueryMemory([], corpus.dense.dimension))


def names(ranker: Ranker, query: Query, allowed: npt.NDArray[np.bool_] | None = None) -> list[str]:
    return [hit.document_id for hit in ranker.search(query, 10, allowed).hits]


def counts(value: float) -> tuple[float, ...]:
    return (value, *NOTHING[1:])


def clicked(query: str, document: str, users: int, lists: float = 3) -> Evidence:
    return Evidence(query, document, counts(lists), counts(float(users)), users)


def skipped(query: str, document: str, lists: float) -> Evidence:
    return Evidence(query, document, counts(lists), NOTHING)


def test_the_document_that_speaks_of_the_query_comes_first(corpus: Corpus, ask: ReadQuery) -> None:
    assert names(Ranker(corpus, untaught(corpus)), ask("page numbers"))[0] == "pages"


@pytest.mark.parametrize("text", ["", "  ", "!?*:(", "\x00", "NOT AND OR title:"])
def test_no_query_text_is_refused(corpus: Corpus, ask: ReadQuery, text: str) -> None:
    assert set(names(Ranker(corpus, untaught(corpus)), ask(text))) <= {"fonts", "pages", "sums", "charts"}


def test_an_empty_corpus_answers_nothing(ask: ReadQuery) -> None:
    corpus = Corpus(32)

    assert names(Ranker(corpus, untaught(corpus)), ask("anything")) == []


def test_filters_hold_for_every_source_of_candidates(corpus: Corpus, ask: ReadQuery) -> None:
    past = [Remembered("adding", ask("adding").vector, {"fonts": 1.0})]
    ranker = Ranker(corpus, RankingModel(QueryMemory(past, 32)))

    assert set(
        names(ranker, ask("adding cells"), corpus.matching(parse_filter({"app": "calc"}, corpus.fields.types)))
    ) == {"sums", "charts"}


def test_agreeing_clicks_turn_the_next_ranking_of_the_same_query(corpus: Corpus, ask: ReadQuery) -> None:
    live = LiveMemory(embed_words, 32)
    ranker = Ranker(corpus, untaught(corpus), live)
    before = names(ranker, ask("cells"))

    live.update(pack([skipped("cells", before[0], 600), clicked("cells", "fonts", users=500, lists=600)]), change=1)

    assert names(ranker, ask("cells"))[0] == "fonts"


def test_a_few_agreeing_clicks_do_not_outweigh_the_text(corpus: Corpus, ask: ReadQuery) -> None:
    live = LiveMemory(embed_words, 32)
    ranker = Ranker(corpus, untaught(corpus), live)
    before = names(ranker, ask("cells"))

    live.update(pack([clicked("cells", "fonts", users=3, lists=3)]), change=1)

    assert names(ranker, ask("cells"))[0] == before[0] != "fonts"


@pytest.mark.parametrize("app", ["calc", "writer"])
@pytest.mark.parametrize("text", ["cells", "page numbers", "adding charts", "zebra"])
def test_scores_keep_their_measure_where_a_filter_leaves_nothing_near(
    corpus: Corpus, ask: ReadQuery, text: str, app: str
) -> None:
    allowed = corpus.matching(parse_filter({"app": app}, corpus.fields.types))

    hits = Ranker(corpus, untaught(corpus)).search(ask(text), 10, allowed).hits

    assert max(abs(hit.score) for hit in hits) < 20, "what agreeing clicks add, about 8, must still be felt"


def test_skips_take_away_a_bounded_part_however_many(corpus: Corpus, ask: ReadQuery) -> None:
    live = LiveMemory(embed_words, 32)
    ranker = Ranker(corpus, untaught(corpus), live)
    before = ranker.search(ask("cells"), 10).hits

    live.update(pack([skipped("cells", before[0].document_id, 500)]), change=1)

    after = {hit.document_id: hit.score for hit in ranker.search(ask("cells"), 10).hits}
    assert after.pop(before[0].document_id) == pytest.approx(before[0].score - 2)
    assert after == {hit.document_id: hit.score for hit in before[1:]}


def test_similar_queries_gain_from_what_others_chose(corpus: Corpus, ask: ReadQuery) -> None:
    past = [Remembered("tabulate figures", ask("tabulate figures").vector, {"sums": 1.0})]
    ranker = Ranker(corpus, RankingModel(QueryMemory(past, 32)))

    assert names(ranker, ask("tabulate the figures"))[0] == "sums"


def test_a_version_forgets_what_live_evidence_replaces(corpus: Corpus, ask: ReadQuery) -> None:
    past = [Remembered("tabulate", ask("tabulate").vector, {"fonts": 1.0})]
    live = LiveMemory(embed_words, 32)
    live.update(pack([skipped("tabulate", "fonts", 9)]), change=5)
    ranker = Ranker(corpus, RankingModel(QueryMemory(past, 32), memory_change=4), live)

    found = ranker.candidates(retrieve(corpus, ask("tabulate it")))

    assert found.values[:, COLUMN["memory"]].max() == 0


def test_residuals_move_documents_and_follow_changes_of_the_corpus(
    corpus: Corpus, ask: ReadQuery, embed: Embed
) -> None:
    query = ask("zebra")
    neutral = Adapter(np.zeros((32, 32), np.float32), np.zeros(32, np.float32))
    residuals = Residuals(("sums", "gone"), np.stack([5 * query.vector, query.vector]))
    model = RankingModel(QueryMemory([], 32), neutral, residuals, fusion="linear", weights={"adapted_mean": 1.0})
    ranker = Ranker(corpus, model)
    assert names(ranker, query)[0] == "sums"

    corpus.apply([Document("sums", "", "", change=5, deleted=True)], PlainEmbedder(embed))

    assert "sums" not in names(ranker, query)


def test_a_changed_document_is_found_by_its_new_words_only(corpus: Corpus, ask: ReadQuery, embed: Embed) -> None:
    corpus.apply([Document("fonts", "Sorting lists", "Sort a list by name.", change=5)], PlainEmbedder(embed))

    ranker = Ranker(corpus, untaught(corpus))
    assert names(ranker, ask("sorting a list"))[0] == "fonts"
    assert names(ranker, ask("fonts for headings")).count("fonts") <= 1
    assert len(corpus) == 4


def test_a_reading_made_before_gives_the_same_features(corpus: Corpus, ask: ReadQuery) -> None:
    ranker, query = Ranker(corpus, untaught(corpus)), ask("numbering of cells")

    first_stage = retrieve(corpus, query)

    now, again = ranker.candidates(first_stage), ranker.candidates(retrieve(corpus, query))

    assert now.rows == again.rows
    assert np.array_equal(now.values, again.values)


def test_every_hit_tells_what_it_was_scored_by(corpus: Corpus, ask: ReadQuery) -> None:
    live = LiveMemory(embed_words, 32)
    live.update(pack([clicked("fonts", "fonts", users=3)]), change=1)

    best = Ranker(corpus, untaught(corpus), live).search(ask("fonts"), 1).hits[0]

    assert best.parts.keys() == {*FEATURES, "owner", "evidence", "late", "personal"}
    assert best.parts["evidence"] > 0
    assert best.parts["dense"] == best.parts["adapted"]


def test_a_version_that_learned_from_fields_ranks_by_them(corpus: Corpus, ask: ReadQuery) -> None:
    weights = {"bm25_share": 0.1, "value:app=calc": 5.0}
    manifest = Manifest(encoder="any", fusion="linear", weights=weights)
    model = load_model(manifest, lambda _: b"", lambda texts: np.zeros((len(texts), 32), np.float32), 32)
    assert model.fields == ("value:app=calc",)

    hits = Ranker(corpus, model).search(ask("page numbers"), 10).hits
    assert {hit.document_id for hit in hits[:2]} == {"sums", "charts"}
    assert [hit.parts["value:app=calc"] for hit in hits] == [1, 1, 0, 0]
