"""Languages whose word endings are known."""

from __future__ import annotations

from typing import Literal

Language = Literal[
    "none",
    "arabic",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "greek",
    "hungarian",
    "italian",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "spanish",
    "swedish",
    "tamil",
    "turkish",
]
"""Of the Snowball stemmers; "none" takes words as they are written."""
