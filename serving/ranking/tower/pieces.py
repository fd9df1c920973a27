"""Texts as shares of word pieces."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from tokenizers import Tokenizer

from foundation.contracts import Document

MAX_PIECES = 256
_CHARACTERS = 2048
_AT_ONCE = 1024


class WordPieces:
    """Cuts texts into the word pieces of a tokenizer. Safe to use from many threads.

    Args:
        tokenizer: Its JSON.
    """

    def __init__(self, tokenizer: str) -> None:
        self.tokenizer = tokenizer
        self._tokenizer = Tokenizer.from_str(tokenizer)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_PIECES)
        self.size = max(self._tokenizer.get_vocab().values()) + 1

    def share(self, texts: list[str]) -> csr_array:
        """Return the share that each piece has of each text, float32 of shape (len(texts), size).

        What frames a text is left out; so a row sums to 1, or to 0 where the text has no piece. Texts are cut at 256
        pieces.
        """
        lines: list[list[int]] = []
        for start in range(0, len(texts), _AT_ONCE):
            cut = [text[:_CHARACTERS] for text in texts[start : start + _AT_ONCE]]
            lines += [encoding.ids for encoding in self._tokenizer.encode_batch(cut, add_special_tokens=False)]
        counts = np.array([len(line) for line in lines], np.int64)
        pieces = np.fromiter((piece for line in lines for piece in line), np.int32, int(counts.sum()))
        shares = np.repeat(1 / np.maximum(counts, 1), counts).astype(np.float32)
        starts = np.concatenate([[0], np.cumsum(counts)])
        rows = csr_array((shares, pieces, starts), shape=(len(texts), self.size))
        rows.sum_duplicates()
        return rows


def text_of(document: Document) -> str:
    """Return what the tower reads of a document."""
    return f"{document.title}. {document.text}"
