import json
import threading
from typing import Any

import httpx
import pytest

from foundation.errors import ClickloopError, InvalidRequest, Overloaded
from simulator.collection import JudgedCollection
from simulator.driver import Driver
from simulator.traffic import Traffic
from simulator.users import make_population
from simulator.visit_events import Habits
from simulator.visitor_client import visitor_policy

DOCUMENTS = 12


def collection() -> JudgedCollection:
    documents = [
        {"id": f"d{n}", "title": f"word{n}", "text": "text", "url": "", "fields": {}} for n in range(DOCUMENTS)
    ]
    queries = {f"q{n}": f"word{n}" for n in range(DOCUMENTS)}
    judged = {f"q{n}": {f"d{n}": 1} for n in range(DOCUMENTS)}
    splits = {"train": dict(list(judged.items())[:8]), "test": dict(list(judged.items())[8:])}
    return JudgedCollection(documents, queries, splits)


class FakeService:
    """Answers like clickloop: the document whose title is asked for comes third."""

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []
        self.batches: list[int] = []
        self.searches: list[dict[str, Any]] = []
        self.events: dict[str, dict[str, Any]] = {}
        self.collections: set[str] = set()
        self.failures: dict[str, list[int]] = {}
        self.verdict = "accepted"
        self._lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.collections.add(request.headers.get("Clickloop-Collection", "default"))
            if failures := self.failures.get(request.url.path):
                return httpx.Response(failures.pop(0), text="trouble")
            return httpx.Response(200, json=self._answer(request))

    def _answer(self, request: httpx.Request) -> Any:
        if request.url.path == "/v1/documents":
            return self._store([json.loads(line) for line in request.content.splitlines()])
        if request.url.path == "/v1/search":
            return self._search(json.loads(request.content))
        return self._take(json.loads(request.content))

    def _store(self, documents: list[dict[str, Any]]) -> Any:
        self.batches.append(len(documents))
        self.documents += documents
        return {"verdicts": [{"id": document["id"], "status": self.verdict} for document in documents]}

    def _search(self, body: dict[str, Any]) -> Any:
        self.searches.append(body)
        right = "d" + body["query"].removeprefix("word")
        others = [f"d{n}" for n in range(DOCUMENTS) if f"d{n}" != right]
        order = [*others[:2], right, *others[2:]][: body["limit"]]
        hits = [{"id": document, "rank": rank} for rank, document in enumerate(order, start=1)]
        number = len(self.searches)
        return {"query_id": f"search-{number}", "hits": hits, "version": "v-1", "arm": "champion"}

    def _take(self, events: list[dict[str, Any]]) -> Any:
        self.events |= {event["id"]: event for event in events}
        return {"verdicts": [{"id": event["id"], "status": self.verdict} for event in events]}


def driver(service: FakeService, concurrency: int = 2, name: str = "default") -> Driver:
    return Driver(
        "http://service",
        collection(),
        make_population("mixed"),
        Traffic(collection(), seed=4, persons=20),
        concurrency,
        name,
        habits=Habits(dwell_share=0.5, rating_share=0.2),
        retry=visitor_policy(attempts=3, sleep=lambda _: None),
        transport=httpx.MockTransport(service),
    )


def test_documents_are_sent_in_batches_with_progress() -> None:
    service, seen = FakeService(), []
    documents = [{"id": f"d{n}", "title": "t", "text": "x", "url": "", "fields": {}} for n in range(1100)]
    whole = JudgedCollection(documents, {"q": "x"}, {"train": {"q": {"d0": 1}}})
    subject = Driver("http://service", whole, make_population(), Traffic(whole), transport=httpx.MockTransport(service))

    assert subject.load_documents(lambda done, total: seen.append((done, total))) == 1100

    assert service.batches == [500, 500, 100]
    assert seen == [(500, 1100), (1000, 1100), (1100, 1100)]
    assert service.documents == documents


def test_large_documents_make_small_batches() -> None:
    service = FakeService()
    documents = [{"id": f"d{n}", "title": "t", "text": "x" * 2**20, "url": "", "fields": {}} for n in range(6)]
    whole = JudgedCollection(documents, {"q": "x"}, {"train": {"q": {"d0": 1}}})
    transport = httpx.MockTransport(service)

    Driver("http://service", whole, make_population(), Traffic(whole), transport=transport).load_documents()

    assert service.batches == [3, 3]


def test_a_refused_document_is_an_error_that_names_it() -> None:
    service = FakeService()
    service.verdict = "refused"

    with pytest.raises(InvalidRequest, match=r"refused 12 documents, the first: .*'d0'"):
        driver(service).load_documents()


def test_users_search_click_and_report_through_http_alone() -> None:
    service = FakeService()
    subject = driver(service, name="shop")

    tally = subject.run(searches=300)

    assert tally.searches == len(service.searches) == 300
    assert tally.events_sent == len(service.events) > tally.clicks
    assert tally.clicks == sum(event["type"] == "click" for event in service.events.values()) > 50
    assert {event["type"] for event in service.events.values()} == {"click", "dwell", "rating"}
    assert (tally.failed, tally.refused, tally.retried) == (0, 0, 0)
    assert (tally.versions, tally.arms) == ({"v-1": 300}, {"champion": 300})
    assert tally.experiences["v-1"].searches == 300
    assert 0 < tally.experiences["v-1"].clicked <= tally.clicks
    assert 1 <= tally.experiences["v-1"].csat <= 5
    assert tally.ndcg[0] == pytest.approx((300, 0.5))
    assert service.collections == {"shop"}


def test_held_out_queries_are_never_sent() -> None:
    service = FakeService()

    driver(service).run(searches=200)

    assert {search["query"] for search in service.searches} <= {f"word{n}" for n in range(8)}


def test_a_click_goal_is_reached_and_hardly_passed() -> None:
    service, seen = FakeService(), []

    tally = driver(service).run(clicks=40, on_progress=lambda now: seen.append(now.clicks))

    assert 40 <= tally.clicks < 60
    assert seen == sorted(seen)
    assert seen[-1] == tally.clicks


def test_a_run_repeats_with_its_seed_and_a_second_run_goes_on() -> None:
    one, two = FakeService(), FakeService()

    first = driver(one, concurrency=1)
    first.run(searches=30)
    first.run(searches=30)
    driver(two, concurrency=1).run(searches=60)

    assert one.searches == two.searches
    assert one.events == two.events


def test_a_short_absence_costs_nothing() -> None:
    service = FakeService()
    service.failures = {"/v1/events": [503, 503], "/v1/search": [503]}

    tally = driver(service, concurrency=1).run(searches=30)

    assert (tally.searches, tally.failed, tally.retried) == (30, 0, 3)


def test_failures_and_refusals_are_counted_and_the_next_visit_begins() -> None:
    service = FakeService()
    service.failures = {"/v1/search": [500, 422, 503, 503, 503]}

    tally = driver(service, concurrency=1).run(searches=30)

    assert (tally.searches, tally.failed, tally.refused) == (27, 2, 1)


def test_events_that_the_service_refuses_are_not_counted_as_sent() -> None:
    service = FakeService()
    service.verdict = "refused"

    tally = driver(service).run(searches=50)

    assert (tally.clicks, tally.events_sent) == (0, 0)
    assert tally.refused == len(service.events)


def test_a_service_that_is_gone_ends_the_run() -> None:
    service = FakeService()
    service.failures = {"/v1/search": [503] * 1000}

    with pytest.raises(Overloaded, match=r"the last 2\d visits all failed"):
        driver(service).run(clicks=10)


def test_another_kind_of_service_is_told_apart() -> None:
    other = httpx.MockTransport(lambda _: httpx.Response(200, json={"hello": "world"}))
    subject = Driver("http://x", collection(), make_population(), Traffic(collection()), transport=other)

    with pytest.raises(ClickloopError, match="is this a clickloop service"):
        subject.look("word1")
    with pytest.raises(ClickloopError, match="is this a clickloop service"):
        subject.load_documents()


def test_evaluation_asks_held_out_queries_and_leaves_no_trace() -> None:
    service = FakeService()
    subject = driver(service)

    measured = subject.evaluate()

    assert measured == pytest.approx(dict.fromkeys(["q8", "q9", "q10", "q11"], 0.5))
    assert all(search["log"] is False and search["user"] == "evaluation-4" for search in service.searches)
    assert service.events == {}


def test_chosen_queries_can_be_looked_at_side_by_side() -> None:
    subject = driver(FakeService())

    assert subject.rankings(["q1"], k=3) == {"q1": ["d0", "d2", "d1"]}
    assert [hit["rank"] for hit in subject.look("word1", k=2)] == [1, 2]
