"""The privacy that tests share: a key of their own, and masks."""

from __future__ import annotations

from foundation.privacy.masking import Masks
from foundation.privacy.privacy import Privacy
from foundation.privacy.pseudonyms import Pseudonyms

PRIVACY = Privacy(Pseudonyms(b"the key of the tests"), Masks(("US", "GB", "DE")))
