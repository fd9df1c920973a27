"""The privacy that tests share: a key of their own, and masks."""

from __future__ import annotations

from foundation.masking import Masks
from foundation.privacy import Privacy
from foundation.pseudonyms import Pseudonyms

PRIVACY = Privacy(Pseudonyms(b"the key of the tests"), Masks(("US", "GB", "DE")))
