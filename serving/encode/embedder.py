"""Texts to vectors and tokens under one encoder, each text once."""

from __future__ import annotations

from pathlib import Path

from foundation.arrays import Floats
from serving.encode.encoder import Encoder
from serving.encode.projection import Codes
from serving.encode.query import Query
from serving.encode.rows import VectorStore
from serving.encode.tokens import TokenStore


class StoredEmbedder:
    """An encoder that remembers on disk what it embedded.

    Args:
        encoder: Makes what is not remembered.
        late: Whether tokens are kept for late interaction.
    """

    def __init__(self, encoder: Encoder, home: Path, *, late: bool) -> None:
        self.encoder = encoder
        self.vectors = VectorStore(home / "vectors" / encoder.digest, encoder.dimension)
        folder = home / "tokens" / encoder.digest
        encoder.reads_tokens = late
        self.tokens = TokenStore(folder, self.vectors, encoder.encode_with_tokens) if late else None

    def is_common(self, word: str) -> bool:
        """Return whether a word, small, is common in the language of the encoder."""
        return self.encoder.is_common(word)

    def can_read(self, text: str) -> bool:
        """Return whether the encoder reads the script of a text."""
        return self.encoder.can_read(text)

    def embed(self, texts: list[str]) -> Floats:
        """Return unit vectors, float32 of shape (len(texts), dimension)."""
        return self.vectors.embed(texts, self.encoder.encode)

    def embed_queries(self, queries: list[str]) -> Floats:
        """Return unit vectors of texts that are asked, float32 of shape (len(queries), dimension)."""
        prompt = self.encoder.query_prompt
        if not prompt:
            return self.embed(queries)
        marked = [prompt + query for query in queries]
        return self.vectors.embed(
            marked, lambda some: self.encoder.encode_queries([one.removeprefix(prompt) for one in some])
        )

    def embed_tokens(self, texts: list[str]) -> list[Codes] | None:
        """Return the codes of each text's tokens; None without late interaction, or while too few texts were seen."""
        return self.tokens.embed(texts) if self.tokens else None

    def read_query(self, text: str, key: str) -> Query:
        """Return a query as the engine reads it, with its tokens where documents have them."""
        read = self.encoder.read_query(text)
        projection = self.tokens.projection if self.tokens else None
        tokens = projection.project(read.tokens) if projection else None
        return Query(text=text, key=key, vector=read.vector, tokens=tokens)
