"""A real ONNX encoder that is made in a second: a random vector per word piece, summed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from foundation.ids import digest_bytes
from serving.encode.form import FORM, packaged_model

DIMENSION = 64
_PIECES = 30522
_FRAME = (0, 101, 102)  # padding, [CLS] and [SEP] say nothing


def make_tiny_model(folder: Path, seed: int = 0) -> Path:
    """Make a model folder for CLICKLOOP_MODEL, with its ONNX form in `folder`/onnx; return the model folder."""
    model = folder / "tiny-model"
    model.mkdir(parents=True)
    shutil.copy(packaged_model() / "tokenizer.json", model)
    table = np.random.default_rng(seed).normal(size=(_PIECES, DIMENSION)).astype(np.float32)
    table[list(_FRAME)] = 0
    weights = table.tobytes()
    (model / "model.safetensors").write_bytes(weights)
    onnx_folder = folder / "onnx" / f"{digest_bytes(weights)}-{FORM}"
    onnx_folder.mkdir(parents=True)
    onnx.save(_bag_of_words(table), str(onnx_folder / "int8.onnx"))
    (onnx_folder / "fastest").write_text("int8")
    return model


def _bag_of_words(table: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> onnx.ModelProto:
    size = ["batch", "tokens"]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["pieces"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["pieces", "column"], ["tokens"]),
        helper.make_node("ReduceSum", ["tokens", "middle"], ["sum"], keepdims=0),
        helper.make_node("LpNormalization", ["sum"], ["vector"], axis=-1, p=2),
    ]
    constants = [
        numpy_helper.from_array(table, "table"),
        numpy_helper.from_array(np.array([-1]), "last"),
        numpy_helper.from_array(np.array([1]), "middle"),
    ]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, size) for name in ("input_ids", "attention_mask")]
    outputs = [
        helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["batch", DIMENSION]),
        helper.make_tensor_value_info("tokens", TensorProto.FLOAT, [*size, DIMENSION]),
    ]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
