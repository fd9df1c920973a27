"""What is let in, what is kept in doubt, and what is refused before it is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import Request

from collector.intake.policy import IntakePolicy, Offer, TooSoon
from foundation.access.keys import Key
from foundation.contracts import FeedbackEvent, Impression
from foundation.errors import FieldFault, RateLimited
from foundation.privacy.signing import QueryIds
from foundation.settings import Settings
from foundation.web.requests import KEY_SCOPE

NOW = datetime(2026, 1, 5, tzinfo=UTC)
IDS = QueryIds(b"secret")
SERVED = FeedbackEvent("default", "e1", "click", IDS.issue("default", NOW), "d", "", 0.0, NOW, NOW)
INVENTED = replace(SERVED, id="e2", query_id="mine")
LIST = Impression("default", "theirs", "toner", "u", "external", (), NOW)
FAULTY = [FieldFault("type", "is wrong")]
KEY = Key("shop", "default", "app", NOW)


def request(user_agent: str = "", key: Key | None = None) -> Request:
    scope: dict[str, Any] = {"type": "http", "headers": [(b"user-agent", user_agent.encode())]}
    return Request(scope | ({KEY_SCOPE: key} if key else {}))


def policy(**changes: Any) -> IntakePolicy:
    return IntakePolicy(IDS, Settings(_env_file=None, **changes))


def test_by_default_everything_good_passes_as_it_is() -> None:
    offers: list[Offer] = [(SERVED,), FAULTY, (INVENTED,), (LIST,), ()]

    assert policy().examine(request(), "default", offers) == offers


def test_marked_events_on_foreign_answers_are_kept_in_doubt() -> None:
    served, invented = policy(sign_queries="mark").examine(request(), "default", [(SERVED,), (INVENTED,)])

    assert served == (SERVED,)
    assert invented == (replace(INVENTED, distrusted="unsigned"),)


def test_required_signatures_refuse_events_on_foreign_answers() -> None:
    served, invented = policy(sign_queries="require").examine(request(), "default", [(SERVED,), (INVENTED,)])

    assert served == (SERVED,)
    assert isinstance(invented, list)
    assert (invented[0].field, "was not issued" in invented[0].reason) == ("query_id", True)


def test_an_id_of_another_collection_is_foreign() -> None:
    (found,) = policy(sign_queries="require").examine(request(), "other", [(SERVED,)])

    assert isinstance(found, list)


@pytest.mark.parametrize("ids_are", ["mark", "require"])
@pytest.mark.parametrize("key", [None, KEY])
def test_while_ids_are_signed_a_page_cannot_invent_what_was_shown(ids_are: str, key: Key | None) -> None:
    own = replace(LIST, query_id=SERVED.query_id)

    invented, told_again, click = policy(sign_queries=ids_are).examine(
        request(key=key), "default", [(LIST,), (own,), (INVENTED,)], brings_lists=True
    )

    assert isinstance(invented, list)
    assert (invented[0].field, "role admin" in invented[0].reason) == ("query_id", True)
    assert told_again == (own,)
    assert click == (INVENTED,), "it can only be about a list that a back end brought"


@pytest.mark.parametrize("ids_are", ["mark", "require"])
@pytest.mark.parametrize("brings_lists", [True, False])
def test_a_back_end_tells_of_other_engines_answers(ids_are: str, brings_lists: bool) -> None:
    offers: list[Offer] = [(LIST,), (INVENTED,)]
    by = request(key=replace(KEY, role="admin"))

    assert policy(sign_queries=ids_are).examine(by, "default", offers, brings_lists=brings_lists) == offers


def test_what_a_crawler_sends_is_kept_in_doubt() -> None:
    (found,) = policy().examine(request("Googlebot/2.1"), "default", [(SERVED,)])

    assert found == (replace(SERVED, distrusted="crawler"),)


def test_a_key_over_its_limit_is_refused_as_a_whole() -> None:
    limited = policy(events_per_second_key=2)
    limited.examine(request(key=KEY), "default", [(SERVED,)] * 9)

    with pytest.raises(RateLimited, match="'shop' sends too many") as refusal:
        limited.examine(request(key=KEY), "default", [(SERVED,)])
    assert refusal.value.retry_after_s == 4
    limited.examine(request(key=replace(KEY, name="other")), "default", [(SERVED,)])
    limited.examine(request(), "default", [(SERVED,)])


def test_a_user_over_the_limit_is_refused_entry_by_entry() -> None:
    mine = (replace(SERVED, user="busy"),)

    found = policy(events_per_minute_user=2).examine(request(), "default", [mine, mine, mine, (SERVED,)])

    assert [isinstance(one, tuple) for one in found] == [True, True, False, True]


def test_who_sends_too_many_is_told_when_each_may_come_again() -> None:
    mine, theirs = ((replace(SERVED, user=user),) for user in ("busy", "eager"))

    found = policy(events_per_minute_user=2).examine(request(), "default", [mine] * 4 + [theirs] * 3 + [FAULTY])

    waits_s = [one[0].retry_after_s for one in found if isinstance(one, list) and isinstance(one[0], TooSoon)]
    assert waits_s == [30, 60, 30], "each waits for a turn of its own"
    assert found[-1] == FAULTY


def test_people_without_a_name_share_no_limit() -> None:
    found = policy(events_per_minute_user=1).examine(request(), "default", [(SERVED,)] * 50)

    assert all(isinstance(one, tuple) for one in found)


def test_a_request_of_nothing_else_is_to_come_again() -> None:
    limited, mine = policy(events_per_minute_user=2), (replace(SERVED, user="busy"),)
    limited.examine(request(), "default", [mine, mine])

    with pytest.raises(RateLimited) as refusal:
        limited.examine(request(), "default", [mine])
    assert 1 <= refusal.value.retry_after_s <= 30


@pytest.mark.parametrize("unset", ["undefined", "null", "[object Object]", " NaN "])
@pytest.mark.parametrize("one", [SERVED, LIST])
def test_a_query_id_that_was_never_set_is_refused_by_name(one: FeedbackEvent | Impression, unset: str) -> None:
    at = policy(sign_queries="off")

    (found,) = at.examine(request(), "default", [(replace(one, query_id=unset),)], brings_lists=True)

    assert isinstance(found, list)
    assert (found[0].field, repr(unset) in found[0].reason) == ("query_id", True)
    assert (at.refused_unset("default"), at.refused_unset("other")) == (1, 0)


def test_a_custom_event_that_no_metric_counts_is_refused_and_taken_while_nobody_knows() -> None:
    wish, call = (replace(SERVED, type="custom", name=name) for name in ("wish", "call"))
    counted = IntakePolicy(
        IDS, Settings(_env_file=None), lambda collection: {"wish"} if collection == "default" else ()
    )

    taken, refused, click = counted.examine(request(), "default", [(wish,), (call,), (SERVED,)])

    assert (taken, click) == ((wish,), (SERVED,))
    assert isinstance(refused, list)
    assert refused[0].field == "name"
    assert "PUT /v1/metrics" in refused[0].reason
    assert policy().examine(request(), "default", [(call,)]) == [(call,)]
