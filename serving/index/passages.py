"""Documents cut into passages that an encoder can read whole."""

from __future__ import annotations

from itertools import pairwise

PASSAGE_WORDS = 60
"""Words of a passage for the packaged encoder, which reads 160 tokens: the title and other tokens need room too."""

_TOKENS = 160
_MAX_TOKENS = 512
"""Longer passages would say too many things at once for one vector."""

_SENTENCE_ENDS = ".!?"


def words_for(tokens: int) -> int:
    """Return how many words a passage has for an encoder that reads so many tokens."""
    return max(min(tokens, _MAX_TOKENS) * PASSAGE_WORDS // _TOKENS, 1)


def split_passages(title: str, text: str, words: int = PASSAGE_WORDS) -> list[str]:
    """Return the passages of a document, each headed by its title; at least one."""
    return [f"{title}. {passage}".strip(". ") or title for passage in cut_passages(text, words)]


def cut_passages(text: str, words: int = PASSAGE_WORDS) -> list[str]:
    """Return the passages of a text in its order; at least one.

    Sentences are kept whole until a passage reaches `words` words; a longer sentence is cut.
    """
    spoken = text.split()
    passages: list[str] = []
    first = 0
    for start, end in pairwise(_piece_borders(spoken, words)):
        if end - first > words:
            passages.append(" ".join(spoken[first:start]))
            first = start
    passages.append(" ".join(spoken[first:]))
    return passages


def _piece_borders(spoken: list[str], words: int) -> list[int]:
    """Return where sentences begin and end, those of more than `words` words cut into pieces."""
    ends = [end for end, word in enumerate(spoken, 1) if word[-1] in _SENTENCE_ENDS]
    borders = [0]
    for end in (*ends, len(spoken)):
        borders += range(borders[-1] + words, end, words)
        borders.append(end)
    return borders
