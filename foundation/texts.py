"""What texts, names and ids may hold, wherever they come in."""

from __future__ import annotations

import re
from typing import Any

NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and halves of surrogate pairs, which are no characters."""

_SPACES = str.maketrans("\v\f", "  ")


def as_id(value: Any) -> Any:
    """Return a whole number as the text that it is kept as; anything else, true and false too, as it is."""
    return str(value) if type(value) is int else value


def spaced(text: str) -> str:
    """Return a text with a space for each form feed and vertical tab, as exports of old documents hold them."""
    return text.translate(_SPACES)
