"""What leaves as a folder says what the version says, and comes back as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from foundation.arrays import Floats
from foundation.errors import InvalidRequest, NotFound
from retrainer.interchange.folders import read_folder, write_folder
from serving.ranking.adaptation import Adapter
from tests.small_transformer import DIMENSION, make_small_transformer

TEXTS = ["forgot my password", "a"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_transformer(tmp_path_factory.mktemp("model") / "base")


@pytest.fixture
def adapter() -> Adapter:
    random = np.random.default_rng(0)
    weight, bias = random.normal(scale=0.2, size=(DIMENSION, DIMENSION)), random.normal(scale=0.1, size=DIMENSION)
    return Adapter(weight.astype(np.float32), bias.astype(np.float32))


def read(folder: Path, way: str) -> Floats:
    model: Any = SentenceTransformer(str(folder), device="cpu")
    return np.asarray(getattr(model, way)(TEXTS, normalize_embeddings=True), np.float32)


def test_queries_are_adapted_and_documents_are_not(encoder: Path, adapter: Adapter, tmp_path: Path) -> None:
    write_folder(encoder, adapter, tmp_path / "out")

    plain = read(encoder, "encode")
    np.testing.assert_allclose(read(tmp_path / "out", "encode_query"), adapter.adapt(plain), atol=1e-5)
    np.testing.assert_allclose(read(tmp_path / "out", "encode_document"), plain, atol=1e-5)
    np.testing.assert_allclose(read(tmp_path / "out", "encode"), plain, atol=1e-5)


def test_what_left_comes_back_byte_by_byte(encoder: Path, adapter: Adapter, tmp_path: Path) -> None:
    model = SentenceTransformer(str(encoder), device="cpu")
    model.save_pretrained(str(tmp_path / "base"), create_model_card=False)
    write_folder(tmp_path / "base", adapter, tmp_path / "out")

    (tmp_path / "scratch").mkdir()
    found = read_folder(tmp_path / "out", tmp_path / "scratch")

    assert found.adapter is not None
    np.testing.assert_allclose(found.adapter.weight, adapter.weight, atol=1e-6)
    np.testing.assert_array_equal(found.adapter.bias, adapter.bias)
    for path in (tmp_path / "base").rglob("*"):
        if path.is_file():
            assert (found.encoder / path.relative_to(tmp_path / "base")).read_bytes() == path.read_bytes(), path


def test_a_folder_without_adapter_is_one_encoder(encoder: Path, tmp_path: Path) -> None:
    write_folder(encoder, None, tmp_path / "out", max_tokens=40)
    (tmp_path / "scratch").mkdir()
    assert read_folder(tmp_path / "out", tmp_path / "scratch").adapter is None
    assert SentenceTransformer(str(tmp_path / "out"), device="cpu").max_seq_length == 40


def test_a_layer_that_is_no_adapter_is_refused(encoder: Path, adapter: Adapter, tmp_path: Path) -> None:
    write_folder(encoder, adapter, tmp_path / "out")
    (config,) = (tmp_path / "out").rglob("query_1_Dense/config.json")
    told = json.loads(config.read_text())
    config.write_text(json.dumps(told | {"activation_function": "torch.nn.modules.activation.Tanh"}))
    (tmp_path / "scratch").mkdir()
    with pytest.raises(InvalidRequest, match="without activation"):
        read_folder(tmp_path / "out", tmp_path / "scratch")


def test_a_folder_without_weights_is_no_encoder(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"model\.safetensors"):
        read_folder(tmp_path, tmp_path / "scratch")
