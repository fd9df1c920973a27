from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from retrainer.interchange.networks import DOCUMENTS, QUERIES, write_networks
from serving.ranking.adaptation import Adapter
from tests.tiny_encoder import DIMENSION, make_tiny_model


def test_the_network_of_queries_ends_in_the_adapter(tmp_path: Path) -> None:
    make_tiny_model(tmp_path)
    (network,) = (tmp_path / "onnx").rglob("int8.onnx")
    random = np.random.default_rng(0)
    weight, bias = random.normal(scale=0.3, size=(DIMENSION, DIMENSION)), random.normal(scale=0.3, size=DIMENSION)
    adapter = Adapter(weight.astype(np.float32), bias.astype(np.float32))

    write_networks(network, adapter, tmp_path)

    ids = {"input_ids": np.array([[7592, 2088]]), "attention_mask": np.ones((1, 2), np.int64)}
    documents, queries = (
        onnxruntime.InferenceSession(str(tmp_path / name)).run(["vector"], ids)[0] for name in (DOCUMENTS, QUERIES)
    )
    np.testing.assert_allclose(queries, adapter.adapt(documents), atol=1e-5)


def test_without_an_adapter_one_network_serves_for_both(tmp_path: Path) -> None:
    make_tiny_model(tmp_path)
    (network,) = (tmp_path / "onnx").rglob("int8.onnx")
    write_networks(network, None, tmp_path)
    assert (tmp_path / DOCUMENTS).exists()
    assert not (tmp_path / QUERIES).exists()
