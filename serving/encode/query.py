"""A query as it is searched for: its text, its key, its vector, its tokens."""

from __future__ import annotations

from dataclasses import dataclass

from foundation.arrays import Floats


@dataclass(frozen=True, slots=True)
class Query:
    """A query as the engine reads it.

    Attributes:
        text: What the user typed.
        key: Its normal form, under which evidence is kept.
        vector: Unit vector, float32 of shape (dimension,); zero where the meaning is left out.
        meant: The text with its slips corrected, "" when there are none; its words and its meaning are searched for.
        common: Whether any of its words is common in the encoder's language.
        unread: Whether the encoder cannot read its script, so that words decide.
        tokens: Projected vectors of its tokens for late interaction, float32 of shape (tokens, width), or None.
    """

    text: str
    key: str
    vector: Floats
    tokens: Floats | None = None
    meant: str = ""
    common: bool = True
    unread: bool = False

    @property
    def words(self) -> str:
        """What is searched for by words."""
        return self.meant or self.text

    @property
    def has_meaning(self) -> bool:
        """Whether its meaning is searched for, not only its words."""
        return bool(self.vector.any())
