"""Text to vectors by ONNX Runtime: a third of torch's latency on two cores, no torch in the process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

from foundation.arrays import Floats
from foundation.language.folding import fold
from serving.encode.scripts import find_scripts, script_of

DESCRIPTION = "encoder.json"
"""What the form says beside its network: longest input and prompts; forms of earlier releases have none."""

_PASSAGE_TOKENS = 160
_BATCH = 8  # larger ones fall out of the processor's cache: a tenth slower with 32
_CACHED_QUERIES = 2048
_COMMON_LETTERS = 3

_COMMON_WORDS = """
a an and are as at be been but by can could did do does for from had has have he her his how i if in into is it
its me my not of on or our she so that the their them then there these they this to us was we were what when
where which who why will with would you your
"""
_COMMON = frozenset(_COMMON_WORDS.split())


class Encoder:
    """Unit vectors of texts, and vectors of their tokens. Safe to use from many threads.

    Args:
        model: Holds `tokenizer.json`, and `DESCRIPTION` where the folder of the encoder says more.
        digest: Identifies the weights and the precision; vectors of different digests never mix.
        threads: Batches of texts encoded at the same time.

    Attributes:
        max_tokens: Where it cuts what it reads.
        reads_tokens: Whether queries come with their tokens; set before the first query.
    """

    def __init__(self, model: Path, onnx: Path, digest: str, threads: int) -> None:
        self.digest = digest
        self._tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
        described = json.loads((model / DESCRIPTION).read_text()) if (model / DESCRIPTION).exists() else {}
        self.max_tokens: int = described.get("max_tokens", _PASSAGE_TOKENS)
        self._tokenizer.enable_truncation(self.max_tokens)
        self.query_prompt: str = described.get("query_prompt", "")
        self._passage_prompt: str = described.get("passage_prompt", "")
        self._small_letters: bool = described.get("small_letters", False)
        self._tokenizer.no_padding()
        vocabulary = self._tokenizer.get_vocab()
        self._content = _find_content(vocabulary)
        self._common = _find_common(vocabulary)
        self._scripts = find_scripts(vocabulary)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # a query gains nothing from a second one, which costs half as much again
        self._session = onnxruntime.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])
        self.reads_tokens = False
        self._read_once = lru_cache(_CACHED_QUERIES)(self._read_query)
        self._batches = ThreadPoolExecutor(threads, thread_name_prefix="encoder")
        self.dimension = int(self.encode(["a"]).shape[1])

    def is_common(self, word: str) -> bool:
        """Return whether a word, small, is so common that the model's vocabulary has it whole."""
        return word in self._common

    def can_read(self, text: str) -> bool:
        """Return whether most letters of a text are of scripts that the model's vocabulary has words of."""
        if self._scripts is None or text.isascii():
            return True
        letters = [letter for letter in fold(text) if letter.isalpha()]
        return 2 * sum(script_of(letter) in self._scripts for letter in letters) >= len(letters)

    def encode(self, texts: list[str]) -> Floats:
        """Return unit vectors of passages, float32 of shape (len(texts), dimension).

        Texts are cut where the encoder stops reading, with MiniLM at 160 tokens.
        """
        return self._encode(texts, self._passage_prompt, tokens=False)[0]

    def encode_queries(self, queries: list[str]) -> Floats:
        """Return unit vectors of queries, float32 of shape (len(queries), dimension)."""
        return self._encode(queries, self.query_prompt, tokens=False)[0]

    def encode_with_tokens(self, texts: list[str]) -> tuple[Floats, list[Floats]]:
        """Return the same vectors, and unit vectors of each text's content tokens, from one pass.

        Content tokens are all but punctuation and the commonest words; the first one, which stands for the whole
        text, is kept.
        """
        return self._encode(texts, self._passage_prompt, tokens=True)

    def encode_query(self, query: str) -> Floats:
        """Return the unit vector of one query, shape (dimension,); see `read_query`."""
        return self.read_query(query).vector

    def read_query(self, query: str) -> EncodedQuery:
        """Return what the encoder says of one query; recent queries are remembered.

        Each query goes through the network alone. With eight bits, the texts of one pass share their scales: a
        vector would depend on the other queries of the moment, and could not be computed again.
        """
        return self._read_once(query)

    def _read_query(self, query: str) -> EncodedQuery:
        vectors, tokens = self._encode([query], self.query_prompt, tokens=self.reads_tokens)
        return EncodedQuery(vectors[0], tokens[0])

    def _encode(self, texts: list[str], prompt: str, *, tokens: bool) -> tuple[Floats, list[Floats]]:
        """Encode texts of similar length together, so that little is spent on padding."""
        if prompt:
            texts = [prompt + text for text in texts]
        if self._small_letters:
            texts = [text.lower() for text in texts]
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        by_length = sorted(range(len(ids)), key=lambda index: len(ids[index]))
        vectors: Floats = np.empty((len(texts), self._session.get_outputs()[0].shape[1] if texts else 0), np.float32)
        content: list[Floats] = [vectors[:0]] * len(texts)
        batches = [by_length[start : start + _BATCH] for start in range(0, len(by_length), _BATCH)]
        run = partial(self._run, tokens=tokens)
        lines = [[ids[index] for index in batch] for batch in batches]
        results = self._batches.map(run, lines) if len(batches) > 1 else map(run, lines)
        for batch, (encoded, hidden) in zip(batches, results, strict=True):
            vectors[batch] = encoded
            for index, states in zip(batch if tokens else [], hidden, strict=False):
                content[index] = self._choose(ids[index], states)
        return vectors, content

    def _run(self, ids: list[list[int]], *, tokens: bool) -> tuple[Floats, Floats]:
        width = max(map(len, ids))
        padded = np.zeros((len(ids), width), dtype=np.int64)
        mask = np.zeros_like(padded)
        for row, line in enumerate(ids):
            padded[row, : len(line)] = line
            mask[row, : len(line)] = 1
        wanted = ["vector", "tokens"] if tokens else ["vector"]
        outputs = self._session.run(wanted, {"input_ids": padded, "attention_mask": mask})
        return outputs[0], outputs[-1]

    def _choose(self, ids: list[int], hidden: Floats) -> Floats:
        """Return the unit vectors of the content tokens; the first token, which stands for the whole, is one."""
        content = self._content[ids]
        content[0] = True
        chosen = hidden[: len(ids)][content]
        unit: Floats = chosen / np.maximum(np.linalg.norm(chosen, axis=1, keepdims=True), 1e-9)
        return unit


@dataclass(frozen=True, slots=True)
class EncodedQuery:
    """What the encoder says of a query.

    Attributes:
        vector: Unit vector, float32 of shape (dimension,).
        tokens: Unit vectors of its content tokens, float32 of shape (tokens, dimension); none unless the
            encoder `reads_tokens`.
    """

    vector: Floats
    tokens: Floats


def _find_common(vocabulary: Mapping[str, int]) -> frozenset[str]:
    """Return the words that a vocabulary has whole; pieces that go on, or begin, a word are marked in most models."""
    starts = "\u2581" if any(token.startswith("\u2581") for token in vocabulary) else ""
    starts = starts or ("\u0120" if any(token.startswith("\u0120") for token in vocabulary) else "")
    words = (token.removeprefix(starts) for token in vocabulary if token.startswith(starts))
    return frozenset(fold(word) for word in words if len(word) >= _COMMON_LETTERS and word.isalpha())


def _find_content(vocabulary: Mapping[str, int]) -> npt.NDArray[np.bool_]:
    """Return for every token id whether it is a content token."""
    content = np.zeros(max(vocabulary.values()) + 1, np.bool_)
    for token, number in vocabulary.items():
        plain = token.removeprefix("##")
        frame = len(token) > 2 and token[0] == "[" and token[-1] == "]"
        content[number] = not frame and token not in _COMMON and any(letter.isalnum() for letter in plain)
    return content
