"""Writes the ONNX form of an encoder. The only serving module that needs torch; run as a process.

python -m serving.encode.export MODEL_FOLDER TARGET_FOLDER [MAX_TOKENS]

What the folder says by sentence-transformers' own configuration is exported as it is: pooling, dense layers, prompts,
longest input. What is not understood is refused by its name, and the result is compared with sentence-transformers.
"""

from __future__ import annotations

import inspect
import json
import logging
import shutil
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
from sentence_transformers import SentenceTransformer

from foundation.disk.files import whole_file, write_whole
from serving.encode.encoder import DESCRIPTION, Encoder

MIN_COSINE = 0.999
_POOLINGS = ("mean", "cls", "lasttoken", "max")
_PASSAGE_PROMPTS = ("document", "passage", "corpus")
_SAMPLES = (
    *("a", "How do I reset my password?", "Größe, 尺寸, размер, حجم", "HP-305XL 0x80070057"),
    "The printer prints blank pages. Clean the cartridge, then wait until it is warm. " * 60,
)


class RefusedEncoder(Exception):
    """A folder asks for something that is not understood."""


class PooledEncoder(torch.nn.Module):
    """A transformer, its pooling, its dense layers, and unit length: what sentence-transformers computes.

    The vectors of the tokens come out beside it; a caller that does not ask for them does not pay for them.

    Args:
        pooling: One of mean, cls, lasttoken, max.
        dense: Layers that follow the pooling.
    """

    def __init__(self, transformer: Any, pooling: str, dense: list[torch.nn.Module]) -> None:
        super().__init__()
        self.transformer = transformer
        self.pooling = pooling
        self.dense = torch.nn.Sequential(*dense)
        self.typed = "token_type_ids" in inspect.signature(transformer.forward).parameters

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return unit vectors of shape (batch, dimension) and token vectors for token ids of shape (batch, tokens)."""
        types = {"token_type_ids": torch.zeros_like(input_ids)} if self.typed else {}
        hidden = self.transformer(input_ids=input_ids, attention_mask=attention_mask, **types).last_hidden_state
        pooled = self.dense(self._pool(hidden, attention_mask))
        return torch.nn.functional.normalize(pooled, dim=1), hidden

    def _pool(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        match self.pooling:
            case "cls":
                return hidden[:, 0]
            case "max":
                return (hidden + (weights - 1) * 1e9).max(dim=1).values
            case "lasttoken":
                last = (mask.sum(dim=1) - 1).view(-1, 1, 1).expand(-1, 1, hidden.shape[2])
                return hidden.gather(1, last).squeeze(1)
        return (hidden * weights).sum(1) / weights.sum(1)


def export(model: Path, target: Path, max_tokens: int | None = None) -> None:
    """Write `fp32.onnx`, `int8.onnx` (dynamic quantisation, per channel), the description and `fastest` into `target`.

    Takes about 20 s for MiniLM. `fastest` names the precision that this processor encodes a query
    faster with, and comes last. Each file appears whole, also when several processes export at once.

    Args:
        max_tokens: Fewer tokens than the model could read; it is then one whose eight bits are known to be faithful.

    Raises:
        RefusedEncoder: The folder asks for something that is not understood, or the form disagrees with it.
    """
    told = SentenceTransformer(
        str(model), device="cpu", local_files_only=True, model_kwargs={"attn_implementation": "eager"}
    )
    encoder = _read_modules(told).eval()
    description = _describe(told, max_tokens)
    target.mkdir(parents=True, exist_ok=True)
    with whole_file(target / "fp32.onnx") as whole, whole_file(target / "int8.onnx") as small:
        _write_onnx(encoder, whole)
        quantize_dynamic(whole, small, weight_type=QuantType.QInt8, per_channel=True)
    write_whole(target / DESCRIPTION, json.dumps(description).encode())
    if not (target / "tokenizer.json").exists():
        shutil.copyfile(model / "tokenizer.json", target / "tokenizer.json")
    _check(told, target, "fp32", max_tokens)
    precisions = ["fp32"]
    if max_tokens or _least_cosine(told, target, "int8") >= MIN_COSINE:
        precisions.append("int8")
    seconds = {precision: _time_query(target / f"{precision}.onnx") for precision in precisions}
    write_whole(target / "fastest", min(seconds, key=seconds.__getitem__).encode())


def _read_modules(told: SentenceTransformer) -> PooledEncoder:
    """Return the network of a model; what cannot be exported is refused by its name."""
    transformer, *others = list(told)
    names = [type(one).__name__ for one in (transformer, *others)]
    if names[0] != "Transformer" or "Pooling" not in names[1:2]:
        raise RefusedEncoder(f"its modules are {', '.join(names)}; a Transformer and a Pooling must come first")
    unknown = sorted({name for name in names[2:] if name not in {"Dense", "Normalize"}})
    if unknown:
        raise RefusedEncoder(f"the module {unknown[0]} is not understood; Transformer, Pooling, Dense, Normalize are")
    pooling: Any = others[0]
    modes = [pooling.pooling_mode] if isinstance(pooling.pooling_mode, str) else list(pooling.pooling_mode)
    if len(modes) != 1 or modes[0] not in _POOLINGS:
        raise RefusedEncoder(f"pooling {' and '.join(modes)} is not understood; {', '.join(_POOLINGS)} are")
    if not pooling.include_prompt and any(told.prompts.values()):
        raise RefusedEncoder("its pooling leaves out the prompt (include_prompt is false), which is not understood")
    layers: list[Any] = [one for one in others[1:] if type(one).__name__ == "Dense"]
    dense = [part for layer in layers for part in (layer.linear, layer.activation_function)]
    inner: Any = transformer
    return PooledEncoder(inner.model, modes[0], dense)


def _describe(told: SentenceTransformer, max_tokens: int | None) -> dict[str, Any]:
    longest = told.max_seq_length or 512
    passage = next((told.prompts[name] for name in _PASSAGE_PROMPTS if name in told.prompts), None)
    default = told.prompts.get(told.default_prompt_name or "", "")
    first: Any = told[0]
    return {
        "max_tokens": min(longest, max_tokens or longest),
        "query_prompt": told.prompts.get("query", default),
        "passage_prompt": default if passage is None else passage,
        "small_letters": bool(getattr(first, "do_lower_case", False)),
    }


def _write_onnx(encoder: PooledEncoder, path: Path) -> None:
    example = torch.randint(5, 100, (3, 17))
    batch, tokens = torch.export.Dim("batch", min=1, max=4096), torch.export.Dim("tokens", min=2, max=512)
    torch.onnx.export(
        encoder,
        (example, torch.ones_like(example)),
        path,
        dynamo=True,
        input_names=["input_ids", "attention_mask"],
        output_names=["vector", "tokens"],
        dynamic_shapes=({0: batch, 1: tokens}, {0: batch, 1: tokens}),
        external_data=False,
        verbose=False,
    )


def _check(told: SentenceTransformer, target: Path, precision: str, max_tokens: int | None) -> None:
    cosine = _least_cosine(told, target, precision, _SAMPLES[:-1] if max_tokens else _SAMPLES)
    if cosine < MIN_COSINE:
        raise RefusedEncoder(f"its form agrees with sentence-transformers by a cosine of {cosine:.4f} only")


def _least_cosine(told: SentenceTransformer, target: Path, precision: str, texts: tuple[str, ...] = _SAMPLES) -> float:
    """Return the least cosine between vectors of a form and those of sentence-transformers, as queries and passages."""
    ours = Encoder(target, target / f"{precision}.onnx", "checked", 1)
    pairs = (
        (ours.encode(list(texts)), told.encode_document(list(texts), normalize_embeddings=True)),
        (ours.encode_queries(list(texts)), told.encode_query(list(texts), normalize_embeddings=True)),
    )
    return min(float(np.einsum("ij,ij->i", one, np.asarray(other)).min()) for one, other in pairs)


def _time_query(onnx: Path) -> float:
    """Return the median seconds that a network takes for a query of ten tokens on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])
    ids = np.full((1, 10), 10, np.int64)
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
    try:
        export(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
    except RefusedEncoder as refusal:
        sys.exit(str(refusal))
