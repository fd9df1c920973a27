"""A version leaves as a folder that says what it says, and a folder comes in as a version that can serve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from sentence_transformers import SentenceTransformer

from clickloop.container import Container
from clickloop.evaluation.versions import evaluate_versions
from clickloop.interchange import export, take_in
from foundation.contracts import Document
from foundation.errors import Conflict, NotFound
from foundation.registry.registry import Version
from foundation.settings import Settings
from serving.ranking.adaptation import Adapter
from simulator.collection import JudgedCollection, write_beir
from tests.small_transformer import DIMENSION, make_small_transformer

WORDS = ("card", "loan", "visa", "cash", "rate")
QUERIES = ["my card", "a loan", "the rate"]


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    home = tmp_path_factory.mktemp("home")
    model = make_small_transformer(home / "base")
    container = Container(Settings(home=home, model=str(model), encoder_threads=1, log_level="error"))
    container.catalog.upsert("default", [Document(word, f"The {word}", f"All about the {word}.") for word in WORDS])
    container.hotswap.install("default", container.baseline)
    yield container
    container.engine.dispose()


@pytest.fixture(scope="module")
def version(container: Container) -> Version:
    random = np.random.default_rng(0)
    weight, bias = random.normal(scale=0.1, size=(DIMENSION, DIMENSION)), random.normal(scale=0.1, size=DIMENSION)
    adapter = container.registry.artifacts.put(Adapter(weight.astype(np.float32), bias.astype(np.float32)).to_bytes())
    manifest = replace(container.baseline, adapter=adapter, fusion="linear", weights={"adapted": 8.0, "bm25": 1.0})
    at = container.clock.now()
    version = Version("default", manifest.id, container.baseline.id, "approved", "", manifest, {}, {}, created_at=at)
    container.registry.register(version)
    return version


def query_vectors(container: Container, version: Version) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    adapter = Adapter.from_bytes(container.registry.artifacts.get(version.manifest.adapter))
    return adapter.adapt(np.stack([container.encoder.encode_query(query) for query in QUERIES]))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.timeout(300)
def test_a_version_leaves_and_comes_back(container: Container, version: Version, tmp_path: Path) -> None:
    left, agreement = export(container, "default", version.id, tmp_path / "out")
    assert left.id == version.id
    assert agreement.exact >= 0.999
    assert "of the collection `default`" in (tmp_path / "out" / "README.md").read_text()
    told = SentenceTransformer(str(tmp_path / "out"), device="cpu").encode_query(QUERIES, normalize_embeddings=True)
    served = query_vectors(container, version)
    assert np.einsum("ij,ij->i", np.asarray(told), served).min() >= agreement.serving - 0.01
    network = onnxruntime.InferenceSession(str(tmp_path / "out" / "onnx" / "queries.onnx"))
    assert [one.name for one in network.get_inputs()] == ["input_ids", "attention_mask"]
    with pytest.raises(Conflict, match="not empty"):
        export(container, "default", version.id, tmp_path / "out")

    back = take_in(container, "default", tmp_path / "out")
    assert back.status == "candidate"
    assert back.manifest.encoder == version.manifest.encoder
    assert (back.manifest.fusion, back.manifest.weights) == ("linear", version.manifest.weights)
    np.testing.assert_allclose(query_vectors(container, back), served, atol=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.timeout(300)
def test_another_encoder_comes_in_and_leaves_again(container: Container, tmp_path: Path) -> None:
    taken = take_in(container, "default", make_small_transformer(tmp_path / "other", seed=5))
    assert taken.manifest.encoder != container.encoder.digest
    container.build("default", taken.manifest.encoder, taken.manifest.encoder_form)
    _, agreement = export(container, "default", taken.name, tmp_path / "out")
    assert agreement.exact >= 0.999
    assert take_in(container, "default", tmp_path / "out").id == taken.id


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.timeout(300)
def test_versions_are_measured_as_they_rank_and_by_mteb(container: Container, version: Version, tmp_path: Path) -> None:
    pytest.importorskip("mteb", reason="mteb is an extra")
    documents = [
        {"id": word, "title": word, "text": f"All about the {word}.", "url": "", "fields": {}} for word in WORDS
    ]
    queries = {f"q-{word}": f"tell me of the {word}" for word in WORDS}
    write_beir(
        JudgedCollection(documents, queries, {"test": {f"q-{word}": {word: 1} for word in WORDS}}), tmp_path / "words"
    )
    found = evaluate_versions(
        container,
        "default",
        ["champion", version.id],
        [tmp_path / "words"],
        "test",
        "nDCG@10,RR@10",
        mteb=True,
        tell=lambda _: None,
    )
    assert [(one.version, one.by) for one in found] == [
        (container.baseline.id, "ranking"),
        (version.id, "ranking"),
        (container.baseline.id, "mteb"),
        (version.id, "mteb"),
    ]
    assert found[0].means["nDCG@10"] == 1.0  # every query has the word
    assert all(0 < one.means["nDCG@10"] <= 1 for one in found)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_weights_that_were_never_kept_cannot_leave(container: Container, tmp_path: Path) -> None:
    manifest = replace(container.baseline, encoder="of-earlier-int8", encoder_form="form")
    at = container.clock.now()
    container.registry.register(Version("default", manifest.id, "", "approved", "", manifest, {}, {}, created_at=at))
    with pytest.raises(NotFound, match="earlier release"):
        export(container, "default", manifest.id, tmp_path / "out")
    assert not (tmp_path / "out").exists()
