"""Keyed pseudonyms: what stands for a person in the log, the tables and the experiments.

A pseudonym is an HMAC-SHA256 of the id that an app gave. Without the key nobody can read the id from it, or find out
by trying ids whose it is. It ends with a check of itself: so a pseudonym made here is recognised and not hashed a
second time, while an id that merely looks like one is hashed.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field

_DIGITS = 32
_CHECK_DIGITS = 8
FORM = re.compile(f"p-[0-9a-f]{{{_DIGITS + _CHECK_DIGITS}}}")


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The pseudonyms under one key. Equal ids have equal pseudonyms, in every process that has the key.

    Attributes:
        key: The secret; under another one everybody is somebody else.
    """

    key: bytes = field(repr=False)

    def of(self, name: str) -> str:
        """Return the pseudonym of an id, 42 characters; "" and pseudonyms of this key stay as they are."""
        if not name or self.made(name):
            return name
        return self._seal(self._digest(f"person:{name}", _DIGITS))

    def made(self, name: str) -> bool:
        """Return whether `name` is a pseudonym made under this key."""
        return bool(FORM.fullmatch(name)) and hmac.compare_digest(name, self._seal(name[2 : 2 + _DIGITS]))

    def hide(self, id_: str) -> str:
        """Return what stands for an id that a user's id can be tried on, 32 hexadecimal characters."""
        return self._digest(f"id:{id_}", _DIGITS)

    def sign(self, content: str) -> str:
        """Return the signature of a text, 64 hexadecimal characters; only the key can make it."""
        return self._digest(f"signed:{content}", 64)

    def _seal(self, digits: str) -> str:
        return f"p-{digits}{self._digest(f'check:{digits}', _CHECK_DIGITS)}"

    def _digest(self, content: str, length: int) -> str:
        return hmac.digest(self.key, content.encode(), "sha256").hex()[:length]
