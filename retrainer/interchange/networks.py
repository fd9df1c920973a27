"""The networks of a version in ONNX: one for documents, one for queries with the adapter at its end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from serving.ranking.adaptation import Adapter

DOCUMENTS = "documents.onnx"
QUERIES = "queries.onnx"


def write_networks(network: Path, adapter: Adapter | None, folder: Path) -> None:
    """Write the networks of an encoder and its adapter into a folder, under `DOCUMENTS` and `QUERIES`.

    Both take `input_ids` and `attention_mask`, int64 of shape (batch, tokens), and give `vector`, unit vectors of
    shape (batch, dimension). Without an adapter one network serves for both.

    Args:
        network: The encoder's own network.
    """
    model = onnx.load(str(network))
    onnx.save(model, str(folder / DOCUMENTS))
    if adapter is not None:
        onnx.save(_adapt(model, adapter), str(folder / QUERIES))


def _adapt(model: onnx.ModelProto, adapter: Adapter) -> onnx.ModelProto:
    """Return a network whose vectors the adapter moves: q' = unit((I + W) q + b)."""
    adapted = onnx.ModelProto()
    adapted.CopyFrom(model)
    graph = adapted.graph
    for node in graph.node:
        node.output[:] = ["plain_vector" if name == "vector" else name for name in node.output]
        node.input[:] = ["plain_vector" if name == "vector" else name for name in node.input]
    weight = np.eye(len(adapter.bias), dtype=np.float32) + adapter.weight
    graph.initializer.append(numpy_helper.from_array(weight, "adapter_weight"))
    graph.initializer.append(numpy_helper.from_array(adapter.bias, "adapter_bias"))
    inputs = ["plain_vector", "adapter_weight", "adapter_bias"]
    graph.node.append(helper.make_node("Gemm", inputs, ["moved_vector"], transB=1))
    graph.node.append(helper.make_node("LpNormalization", ["moved_vector"], ["vector"], axis=-1, p=2))
    onnx.checker.check_model(adapted)
    return adapted
