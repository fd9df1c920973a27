"""What is kept of people: pseudonyms for their ids, masks in what they typed. Applied before the log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from foundation.contracts import FeedbackEvent, Impression
from foundation.ids import BY_CONTENT
from foundation.privacy.masking import Masks
from foundation.privacy.pseudonyms import Pseudonyms
from foundation.privacy.secrets import secret
from foundation.sections import PrivacySettings


@dataclass(frozen=True, slots=True)
class Privacy:
    """Applied where requests become contracts; doing it twice changes nothing. Safe for many threads.

    Attributes:
        masks: What is masked in queries; None for nothing.
    """

    pseudonyms: Pseudonyms
    masks: Masks | None

    def person(self, name: str) -> str:
        """Return what stands for a user or session id, "" for none."""
        return self.pseudonyms.of(name)

    def text(self, query: str) -> str:
        """Return a query as it may be kept, and under which evidence is shared."""
        return self.masks.mask(query) if self.masks else query

    def conceal(self, content: Impression | FeedbackEvent) -> Impression | FeedbackEvent:
        """Return an impression or event as it may be kept. A unit that is the query's own id is nobody's."""
        query_id = self.id_of(content.query_id)
        if isinstance(content, FeedbackEvent):
            return replace(content, id=self.id_of(content.id), query_id=query_id, user=self.person(content.user))
        unit = query_id if content.unit == content.query_id else self.person(content.unit)
        return replace(content, query_id=query_id, query=self.text(content.query), unit=unit)

    def id_of(self, given: str) -> str:
        """Return an id as it may be kept: hidden, where it was made of content."""
        return self.pseudonyms.hide(given) if given.startswith(BY_CONTENT) else given


def open_privacy(home: Path, settings: PrivacySettings) -> Privacy:
    """Return the privacy that the settings ask for; makes `user.key` in home on an installation's first start."""
    key = settings.user_key.encode() or secret(home, "user")
    masks = Masks(settings.phone_countries.split()) if settings.mask_personal else None
    return Privacy(Pseudonyms(key), masks)
