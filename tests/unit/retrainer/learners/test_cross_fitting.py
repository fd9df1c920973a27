from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from foundation.contracts import CURVE_RANKS, PRIOR_CURVE, ClickCurve, Document, Evidence, Label
from retrainer.learners.alternation import Learned, learn
from retrainer.learners.belief import softmax_of
from retrainer.learners.caution import PRODUCTION_WEIGHTS
from retrainer.learners.memory import remember
from retrainer.learners.training_set import prepare_training_set
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.ranking.features import FEATURES
from serving.ranking.memory import QueryMemory, Remembered
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker
from tests.plain_embedder import PlainEmbedder

Floats = npt.NDArray[np.float32]
DIMENSION = 32
NOTHING = (0.0,) * CURVE_RANKS
WORDS = ("red", "blue", "green", "round", "flat", "tall", "old", "new", "loud", "calm")
"""Documents speak of these; users call them by other names."""


def embed(texts: list[str]) -> Floats:
    """Return the sum of a fixed vector per word, as unit vectors."""
    rows = [sum(_word(word) for word in text.lower().replace(".", "").split()) for text in texts]
    vectors = np.array(rows, dtype=np.float32).reshape(len(texts), DIMENSION)
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _word(word: str) -> npt.NDArray[np.float64]:
    return np.random.default_rng(zlib.crc32(word.encode())).normal(size=DIMENSION)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    corpus = Corpus(DIMENSION)
    pairs = [(one, other) for one in WORDS for other in WORDS if one < other]
    documents = [Document(f"{one}-{other}", f"{one} {other}", f"A thing {one} {other}.") for one, other in pairs]
    corpus.apply(documents, PlainEmbedder(embed))
    return corpus


def slang(document: str) -> str:
    return " ".join(f"x{word}" for word in document.split("-"))


def evidence_for(documents: list[str]) -> list[Evidence]:
    seen = (1.0, *NOTHING[1:])
    return [Evidence(slang(document), document, seen, seen, users=1) for document in documents]


def oracle(
    evidence: list[Evidence], prior: dict[str, dict[str, float]], curve: ClickCurve | None
) -> tuple[list[Label], ClickCurve]:
    return [Label(row.query_key, row.document_id, 1.0, 1.0) for row in evidence], curve or PRIOR_CURVE


def silent(
    evidence: list[Evidence], prior: dict[str, dict[str, float]], curve: ClickCurve | None
) -> tuple[list[Label], ClickCurve]:
    return [], curve or PRIOR_CURVE


def found_first(corpus: Corpus, model: RankingModel, documents: list[str]) -> float:
    ranker = Ranker(corpus, model)
    queries = [
        Query(key, key, vector)
        for key, vector in zip(map(slang, documents), embed(list(map(slang, documents))), strict=True)
    ]
    hits = [ranker.search(query, 3).hits for query in queries]
    return float(
        np.mean([document in [hit.document_id for hit in top] for document, top in zip(documents, hits, strict=True)])
    )


def model_of(learned: Learned, encode: Callable[[list[str]], Floats] = embed) -> RankingModel:
    vectors = encode(list(learned.choices))
    past = [Remembered(key, vector, learned.choices[key]) for key, vector in zip(learned.choices, vectors, strict=True)]
    return RankingModel(
        QueryMemory(past, DIMENSION),
        learned.adaptation.adapter,
        learned.adaptation.residuals(learned.documents),
        fusion="linear",
        weights=learned.weights,
        curve=learned.curve,
    )


def test_queries_never_clicked_gain_from_those_that_were(corpus: Corpus) -> None:
    documents = corpus.ids()
    asked, unseen = documents[::2] + documents[1::4], documents[3::4]

    learned = learn(prepare_training_set(evidence_for(asked), embed), corpus, oracle, seed=0, passes=1)

    before = found_first(corpus, RankingModel(QueryMemory([], DIMENSION)), unseen)
    assert found_first(corpus, model_of(learned), unseen) > before + 0.2


def test_every_pass_gives_the_labeller_a_prior_for_every_query(corpus: Corpus) -> None:
    heard: list[dict[str, dict[str, float]]] = []

    def listening(
        evidence: list[Evidence], prior: dict[str, dict[str, float]], curve: ClickCurve | None
    ) -> tuple[list[Label], ClickCurve]:
        heard.append(prior)
        return oracle(evidence, prior, curve)

    evidence = evidence_for(corpus.ids()[:12])
    learn(prepare_training_set(evidence, embed), corpus, listening, seed=0, passes=2)

    assert len(heard) == 3
    for prior in heard:
        assert prior.keys() == {row.query_key for row in evidence}
        assert all(sum(chances.values()) == pytest.approx(1.0, abs=1e-6) for chances in prior.values())


def test_production_stays_where_it_is_right_and_goes_where_clicks_say_otherwise(corpus: Corpus) -> None:
    documents = corpus.ids()
    seen = (1.0, *NOTHING[1:])
    plain = [Evidence(document.replace("-", " "), document, seen, seen, users=1) for document in documents[:12]]

    where_right = learn(prepare_training_set(plain, embed), corpus, oracle, seed=0)
    where_wrong = learn(prepare_training_set(evidence_for(documents), embed), corpus, oracle, seed=0)

    assert where_right.weights == PRODUCTION_WEIGHTS
    assert where_wrong.weights.keys() == set(FEATURES)


def test_whoever_is_not_cautious_takes_what_labels_teach(corpus: Corpus) -> None:
    training_set = prepare_training_set(evidence_for(corpus.ids()[:2]), embed)

    assert learn(training_set, corpus, oracle, seed=0, cautious=False).weights.keys() == set(FEATURES)


def test_one_query_is_enough_not_to_fail(corpus: Corpus) -> None:
    learned = learn(prepare_training_set(evidence_for(corpus.ids()[:1]), embed), corpus, oracle, seed=0)

    assert learned.weights == PRODUCTION_WEIGHTS
    assert found_first(corpus, model_of(learned), corpus.ids()[:1]) in (0.0, 1.0)


def test_evidence_without_any_relevance_leaves_production(corpus: Corpus) -> None:
    learned = learn(prepare_training_set(evidence_for(corpus.ids()[:5]), embed), corpus, silent, seed=0)

    assert learned.weights == PRODUCTION_WEIGHTS
    assert learned.choices == {}
    assert len(learned.adaptation.documents) == 0


def test_documents_deleted_since_their_clicks_are_left_out(corpus: Corpus) -> None:
    evidence = [*evidence_for(corpus.ids()[:4]), *evidence_for(["gone-away"])]

    learned = learn(prepare_training_set(evidence, embed), corpus, oracle, seed=0)

    assert len(learned.adaptation.documents) == 4


def test_only_what_is_likely_relevant_is_remembered() -> None:
    labels = [Label("q", "sure", 0.9, 1.0), Label("q", "hardly", 0.03, 1.0)]

    assert remember(labels) == {"q": {"sure": 0.9}}


def test_scores_become_probabilities() -> None:
    chances = softmax_of(["a", "b"], np.log(np.array([3, 1], dtype=np.float32)))

    assert chances == pytest.approx({"a": 0.75, "b": 0.25})
    assert softmax_of([], np.zeros(0, dtype=np.float32)) == {}
