"""Writes the ONNX form of an encoder. The only serving module that needs torch; run as a process.

python -m serving.encode.export MODEL_FOLDER TARGET_FOLDER
"""

from __future__ import annotations

import logging
import sys
import timeit
import warnings
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import AutoModel

from foundation.disk.files import whole_file, write_whole


class PooledEncoder(torch.nn.Module):
    """A transformer, the mean over its tokens, and unit length: what sentence-transformers computes.

    The vectors of the tokens come out beside it; a caller that does not ask for them does not pay for them.
    """

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return unit vectors of shape (batch, dimension) and token vectors for token ids of shape (batch, tokens)."""
        hidden = self.transformer(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=torch.zeros_like(input_ids)
        ).last_hidden_state
        weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * weights).sum(1) / weights.sum(1)
        return torch.nn.functional.normalize(pooled, dim=1), hidden


def export(model: Path, target: Path) -> None:
    """Write `fp32.onnx`, `int8.onnx` (dynamic quantisation, per channel) and `fastest` into `target`.

    Takes about 20 s for MiniLM. `fastest` names the precision that this processor encodes a query
    faster with, and comes last. Each file appears whole, also when several processes export at once.
    """
    encoder = PooledEncoder(AutoModel.from_pretrained(str(model), attn_implementation="eager")).eval()
    example = torch.randint(5, 100, (3, 17))
    batch, tokens = torch.export.Dim("batch", min=1, max=4096), torch.export.Dim("tokens", min=2, max=512)
    target.mkdir(parents=True, exist_ok=True)
    with whole_file(target / "fp32.onnx") as whole, whole_file(target / "int8.onnx") as small:
        torch.onnx.export(
            encoder,
            (example, torch.ones_like(example)),
            whole,
            dynamo=True,
            input_names=["input_ids", "attention_mask"],
            output_names=["vector", "tokens"],
            dynamic_shapes=({0: batch, 1: tokens}, {0: batch, 1: tokens}),
            external_data=False,
            verbose=False,
        )
        quantize_dynamic(whole, small, weight_type=QuantType.QInt8, per_channel=True)
    seconds = {precision: _time_query(target / f"{precision}.onnx") for precision in ("fp32", "int8")}
    write_whole(target / "fastest", min(seconds, key=seconds.__getitem__).encode())


def _time_query(onnx: Path) -> float:
    """Return the median seconds that a network takes for a query of ten tokens on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])
    ids = np.full((1, 10), 2000, np.int64)
    return median(
        timeit.repeat(
            lambda: session.run(["vector"], {"input_ids": ids, "attention_mask": np.ones_like(ids)}),
            number=1,
            repeat=30,
        )
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    export(Path(sys.argv[1]), Path(sys.argv[2]))
