"""What goes to the log is concealed, once and for good."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from foundation.contracts import FeedbackEvent, Impression
from foundation.ids import BY_CONTENT
from foundation.privacy.privacy import open_privacy
from foundation.sections import PrivacySettings
from tests.people import PRIVACY

AT = datetime(2026, 1, 5, tzinfo=UTC)
SHOWN = Impression("default", "q1", "mail to anna@example.com", "anna", "v-1", (), AT)
CLICK = FeedbackEvent("default", "e1", "click", "q1", "d1", "anna", 0.0, AT, AT)


def test_an_impression_is_kept_without_the_persons_id_and_address() -> None:
    kept = PRIVACY.conceal(SHOWN)

    assert kept == replace(SHOWN, query="mail to [mail]", unit=PRIVACY.person("anna"))


def test_an_event_is_kept_under_the_same_pseudonym() -> None:
    assert PRIVACY.conceal(CLICK) == replace(CLICK, user=PRIVACY.person("anna"))


def test_concealing_twice_changes_nothing() -> None:
    for content in (SHOWN, CLICK):
        assert PRIVACY.conceal(PRIVACY.conceal(content)) == PRIVACY.conceal(content)


def test_an_anonymous_search_stays_its_own_unit() -> None:
    anonymous = replace(SHOWN, unit="q1")

    assert PRIVACY.conceal(anonymous).unit == "q1"  # type: ignore[union-attr]


def test_ids_made_of_content_cannot_be_tried_with_user_ids() -> None:
    made = f"{BY_CONTENT}0001"
    search = PRIVACY.conceal(replace(SHOWN, query_id=made, unit=made))
    click = PRIVACY.conceal(replace(CLICK, query_id=made, id=made))

    assert isinstance(search, Impression)
    assert isinstance(click, FeedbackEvent)
    assert search.query_id == search.unit == click.query_id == click.id == PRIVACY.pseudonyms.hide(made)
    assert (PRIVACY.conceal(search), PRIVACY.conceal(click)) == (search, click)


def test_masking_can_be_turned_off_and_pseudonyms_cannot(tmp_path: Path) -> None:
    kept = open_privacy(tmp_path, PrivacySettings(mask_personal=False)).conceal(SHOWN)

    assert isinstance(kept, Impression)
    assert (kept.query, kept.unit[:2]) == ("mail to anna@example.com", "p-")
