"""Which characters no name or id may hold."""

from __future__ import annotations

import re

NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and halves of surrogate pairs, which are no characters."""
