"""Documents cut into passages that an encoder can read whole."""

from __future__ import annotations

import re

PASSAGE_WORDS = 60
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def split_passages(title: str, text: str, words: int = PASSAGE_WORDS) -> list[str]:
    """Return the passages of a document, each headed by its title; at least one."""
    return [f"{title}. {passage}".strip(". ") or title for passage in cut_passages(text, words)]


def cut_passages(text: str, words: int = PASSAGE_WORDS) -> list[str]:
    """Return the passages of a text in its order; at least one.

    Sentences are kept whole until a passage reaches `words` words; a longer sentence is cut.
    """
    passages: list[str] = []
    held: list[str] = []
    for sentence in _SENTENCE_END.split(text.strip()):
        for piece in _cut(sentence.split(), words):
            if held and len(held) + len(piece) > words:
                passages.append(" ".join(held))
                held = []
            held += piece
    if held or not passages:
        passages.append(" ".join(held))
    return passages


def _cut(sentence: list[str], words: int) -> list[list[str]]:
    return [sentence[start : start + words] for start in range(0, len(sentence), words)]
