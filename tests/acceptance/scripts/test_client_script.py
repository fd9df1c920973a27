"""The browser's script in a real browser, on a page of another origin, against the running service."""

from __future__ import annotations

import json
import time
from functools import reduce
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from benchmarks.harness.server import Server
from collector.tables import events
from foundation.clock import monotonic_s
from foundation.database.engine import make_engine, reading
from tests.acceptance.browser import NEEDS_CHROMIUM, Browser, Page

pytestmark = NEEDS_CHROMIUM

TIMEOUT_S = 20.0
LIST = "document.querySelector('ol')?.dataset.clickloopQuery"
FIRST = "li a"
DEFINE = "Object.defineProperty(Navigator.prototype, "
OBJECTIONS = {
    "Do Not Track": DEFINE + "'doNotTrack', { get: () => '1' });",
    "Global Privacy Control": DEFINE + "'globalPrivacyControl', { get: () => true });",
}

HOUR_AHEAD = """
const honest = Date.now;
Date = class extends Date {
  static now() { return honest() + 3600000; }
  constructor(...given) { super(...(given.length ? given : [Date.now()])); }
};
"""


BUSY = """
const honest = fetch;
window.batches = [];
window.fetch = async (address, options) => {
  if (!String(address).includes("/v1/events")) return honest(address, options);
  const batch = JSON.parse(options.body);
  batches.push({ at: performance.now(), types: batch.map(({ type }) => type), ids: batch.map(({ id }) => id) });
  if (batches.some(({ types }) => types.includes("rating")) && !window.putOff) {
    window.putOff = batches.at(-1);
    const verdict = { status: "refused", fields: [], retry_after_s: 8 };
    return Response.json({ verdicts: batch.map(({ id }, index) => ({ index, id, ...verdict })) });
  }
  return honest(address, options);
};
"""
"""A service that once puts off the batch with a rating for eight seconds."""

WAITING = """Object.keys(localStorage).filter((key) => key != "visitor")"""
"""What the script keeps in the browser; the page itself keeps the visitor's id."""


class Visit:
    """One tab with a list of results, and what the service knows of it."""

    def __init__(self, browser: Browser, service: Server, pages: str, before: str = "", **options: str) -> None:
        address = urlencode({"q": "print envelope"} | options)
        self.page: Page = browser.open(f"{pages}/?{address}", before)
        self.query_id = self.page.until(LIST)
        self._database_url = service.settings.resolved_database_url()

    def events(self, event_type: str = "") -> list[dict[str, Any]]:
        """Return what is stored of this list's events."""
        statement = sa.select(events).where(events.c.query_id == self.query_id)
        engine = make_engine(self._database_url)
        with reading(engine) as connection:
            found = [{"id": row.id, "type": row.type, **row.body} for row in connection.execute(statement)]
        engine.dispose()
        return [one for one in found if not event_type or one["type"] == event_type]

    def await_event(self, event_type: str, count: int = 1) -> list[dict[str, Any]]:
        """Return the events of a type once there are `count`."""
        deadline = monotonic_s() + TIMEOUT_S
        while len(found := self.events(event_type)) < count:
            assert monotonic_s() < deadline, f"no {event_type} among {self.events()}"
            time.sleep(0.1)
        return found

    def hit(self, rank: int = 1) -> str:
        """Return the id of the document at a rank."""
        return str(self.page.evaluate(f"document.querySelectorAll('li')[{rank - 1}].dataset.clickloopDocument"))

    def stored(self) -> int:
        """Return how many things the script keeps in the browser."""
        return int(self.page.evaluate(f"({WAITING}).length + sessionStorage.length"))


@pytest.mark.slow
def test_hits_count_as_seen_when_they_stood_in_view_for_a_second(browser: Browser, service: Server, pages: str) -> None:
    visit = Visit(browser, service, pages)
    visit.page.evaluate("document.querySelectorAll('li')[9].style.marginTop = '3000px'")
    visit.await_event("seen")
    time.sleep(1.5)
    seen = {event["document_id"] for event in visit.events("seen")}
    assert visit.hit(1) in seen
    assert visit.hit(10) not in seen
    visit.page.evaluate("document.querySelectorAll('li')[9].scrollIntoView()")
    found = visit.await_event("seen", len(seen) + 1)
    assert visit.hit(10) in {event["document_id"] for event in found}
    assert len({event["document_id"] for event in found}) == len(found), "each hit is seen once"
    visit.page.close()


def test_a_click_arrives_though_the_page_is_left_and_the_stay_is_told_on_return(
    browser: Browser, service: Server, pages: str
) -> None:
    visit = Visit(browser, service, pages)
    first = visit.hit()
    visit.page.click(FIRST)
    visit.page.until("location.pathname == '/article.html'")
    (click,) = visit.await_event("click")
    assert click["document_id"] == first
    time.sleep(1.5)
    visit.page.evaluate("history.back()")
    (dwell,) = visit.await_event("dwell")
    assert dwell["document_id"] == first
    assert 1.5 <= dwell["value"] < 20
    time.sleep(4)  # what the beacon brought is sent again until it is acknowledged
    assert len(visit.events("click")) == 1
    assert visit.page.until(f"!({WAITING}).length")
    visit.page.close()


@pytest.mark.slow
def test_a_hit_opened_in_another_tab_is_left_when_its_list_comes_back(
    browser: Browser, service: Server, pages: str
) -> None:
    visit = Visit(browser, service, pages)
    visit.page.evaluate("document.querySelector('li a').target = '_blank'")
    visit.page.click(FIRST)
    visit.page.until("document.hidden")
    time.sleep(1)
    visit.page.front()
    (dwell,) = visit.await_event("dwell")
    assert 1 <= dwell["value"] < 20
    visit.page.close()


@pytest.mark.slow
def test_an_app_of_one_page_tells_the_stay_when_its_history_returns(
    browser: Browser, service: Server, pages: str
) -> None:
    visit = Visit(browser, service, pages)
    visit.page.evaluate(
        "document.querySelector('li a').onclick = () => { history.pushState({}, '', '/article'); return false; }"
    )
    visit.page.click(FIRST)
    visit.page.until("location.pathname == '/article'")
    visit.page.evaluate("history.back()")
    (dwell,) = visit.await_event("dwell")
    assert dwell["document_id"] == visit.hit()
    visit.page.close()


def test_what_waits_is_sent_when_the_tab_is_closed(browser: Browser, service: Server, pages: str) -> None:
    visit = Visit(browser, service, pages)
    visit.page.click("li button")
    visit.page.close()
    (rating,) = visit.await_event("rating")
    assert rating["value"] == 5


def test_buttons_rate_and_resolve(browser: Browser, service: Server, pages: str) -> None:
    visit = Visit(browser, service, pages)
    visit.page.click("li button:last-child")
    visit.page.click("[data-clickloop-resolved=no]")
    visit.page.click("[data-clickloop-resolved=yes]")
    assert [event["value"] for event in visit.await_event("rating")] == [1]
    visit.await_event("resolved")
    visit.await_event("unresolved")
    assert not visit.events("click")
    visit.page.close()


START = """
(async () => {
  window.addresses = [];
  window.fetch = async (address) => { addresses.push(String(address)); throw "away"; };
  const { start } = await import(SERVICE + "/client.js");
  for (const options of OPTIONS) {
    const loop = start({ url: SERVICE, ...options });
    loop.report("click", "q", JSON.stringify(options));
    await loop.flush();
  }
  return { addresses, stored: (WAITING).map((key) => key.split(" ")[1]).sort() };
})()
"""


def test_a_collection_is_named_only_where_one_was_given_and_what_waits_is_kept_apart(
    browser: Browser, service: Server, pages: str
) -> None:
    options = [{}, {"key": "k1"}, {"key": "k2"}, {"collection": "help", "key": "k1"}]
    page = browser.open(f"{pages}/article.html")
    words = {"SERVICE": json.dumps(service.url), "OPTIONS": json.dumps(options), "WAITING": WAITING}
    program = reduce(lambda text, word: text.replace(word, words[word]), words, START)
    found = page.evaluate(program)
    page.evaluate("localStorage.clear()")
    page.close()
    events = f"{service.url}/v1/events?"
    assert [address.split("sent_at")[0] for address in found["addresses"]] == [
        f"{events}key=&",
        f"{events}key=k1&",
        f"{events}key=k2&",
        f"{events}collection=help&key=k1&",
    ]
    assert found["stored"] == [f"{events}collection={name}" for name in ("default", "help", "k1", "k2")]


@pytest.mark.slow
@pytest.mark.parametrize("objection", OBJECTIONS)
def test_who_objects_to_tracking_is_not_tracked(browser: Browser, service: Server, pages: str, objection: str) -> None:
    key = f"clickloop {service.url}/v1/events?collection=default e1"
    left_before = f"localStorage.setItem({json.dumps(key)}, {json.dumps(json.dumps({'id': 'e1'}))});"
    visit = Visit(browser, service, pages, before=OBJECTIONS[objection] + left_before)
    visit.page.click("li button")
    visit.page.click("[data-clickloop-resolved=yes]")
    time.sleep(5)
    assert visit.stored() == 0
    visit.page.close()
    time.sleep(1)
    assert visit.events() == []


@pytest.mark.slow
def test_nothing_is_kept_or_sent_before_consent(browser: Browser, service: Server, pages: str) -> None:
    visit = Visit(browser, service, pages, consent="ask")
    visit.page.click("li button")
    time.sleep(5)
    assert visit.stored() == 0
    assert visit.events() == []
    visit.page.click("#ask button")
    visit.await_event("seen")
    assert not visit.events("rating"), "what was done before consent stays unsaid"
    visit.page.close()


@pytest.mark.slow
def test_a_clock_that_runs_ahead_loses_nothing(browser: Browser, service: Server, pages: str) -> None:
    visit = Visit(browser, service, pages, before=HOUR_AHEAD)
    visit.page.click("li button")
    assert [event["value"] for event in visit.await_event("rating")] == [5]
    visit.page.close()


@pytest.mark.slow
def test_what_came_too_soon_is_sent_again_no_earlier_than_told_and_holds_up_nobody(
    browser: Browser, service: Server, pages: str
) -> None:
    visit = Visit(browser, service, pages, before=BUSY)
    visit.page.click("li button")
    early = visit.page.until("window.putOff")
    visit.page.click("[data-clickloop-resolved=yes]")
    visit.await_event("resolved")
    assert not visit.events("rating"), "another event does not wait for it"
    (rating,) = visit.await_event("rating")
    assert rating["id"] in early["ids"]
    again = visit.page.evaluate(f"batches.filter(({{ ids }}) => ids.includes({json.dumps(rating['id'])})).at(-1).at")
    assert again - early["at"] >= 8000
    visit.page.until(f"!({WAITING}).length")
    visit.page.close()


def test_an_address_in_the_query_string_names_no_script(browser: Browser, service: Server, pages: str) -> None:
    assert service.process_id
    page = browser.open(f"{pages}/?q=print&service=http://evil.test/")
    assert page.until(LIST)
    addresses = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    page.close()
    assert not [address for address in addresses if "evil.test" in address]


@pytest.mark.slow
def test_a_service_that_is_away_gets_everything_later_and_once(browser: Browser, service: Server, pages: str) -> None:
    visit = Visit(browser, service, pages)
    visit.await_event("seen")
    service.kill()
    visit.page.click("li button")
    visit.page.click("[data-clickloop-resolved=yes]")
    waiting = visit.page.until("Object.values(localStorage).length >= 3 && Object.values(localStorage).join('\\n')")
    service.start()
    visit.await_event("rating")
    (resolved,) = visit.await_event("resolved")
    assert resolved["id"] in waiting, "sent again under the id it had"
    visit.page.until(f"!({WAITING}).length")
    assert len(visit.events("rating")) == 1
    visit.page.close()
