"""Drives a running service with simulated users, over HTTP, as an app would."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any

import httpx

from foundation.contracts import DEFAULT_COLLECTION
from foundation.errors import ClickloopError, InvalidRequest
from foundation.ids import canonical_json
from foundation.retries import RetryPolicy
from simulator.collection import JudgedCollection
from simulator.goal import Goal
from simulator.quality import ndcg
from simulator.tally import Counting, Experience, Tally
from simulator.traffic import Traffic
from simulator.users import Population
from simulator.visit_events import Habits, Reader
from simulator.visitor_client import VisitorClient, visitor_policy

RESULTS = 10
BATCH_DOCUMENTS = 500
BATCH_BYTES = 4 * 2**20
WINDOW_SEARCHES = 500
INTERLEAVED = "interleaved"

Json = dict[str, Any]


class Driver:
    """Simulated users in front of a service that somebody else started.

    What each visit asks, clicks and reports depends on the traffic's seed and the visit's number,
    and on what the service shows; not on the number of threads.

    Args:
        collection: What to load and to ask; only its train queries are ever clicked.
        concurrency: Visits at the same time.
        collection_name: The service's collection to load into and to search.
        habits: What users report beside their clicks.
        retry: How requests are repeated while the service is away or overloaded.
        transport: How requests travel; over the network when None.
    """

    def __init__(  # noqa: PLR0913  what is simulated, and how the service is reached
        self,
        base_url: str,
        collection: JudgedCollection,
        users: Population,
        traffic: Traffic,
        concurrency: int = 4,
        collection_name: str = DEFAULT_COLLECTION,
        *,
        habits: Habits | None = None,
        retry: RetryPolicy | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._collection = collection
        self._users = users
        self._traffic = traffic
        self._concurrency = concurrency
        self._habits = habits or Habits()
        self._next_visit = 0
        retry = retry or visitor_policy()
        self._service = VisitorClient(base_url, collection_name, concurrency, retry=retry, transport=transport)

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def load_documents(self, on_progress: Callable[[int, int], None] = lambda *_: None) -> int:
        """Send all documents in batches of at most 500 and return how many the service took.

        Blocks until the last batch is answered; the service indexes them on its own time.

        Args:
            on_progress: Called after each batch with the documents sent and their number.

        Raises:
            InvalidRequest: The service refused documents; the message names the first.
            Overloaded: The service stayed away.
        """
        sent = 0
        for lines in _batches(self._collection.documents):
            body = "\n".join(lines) + "\n"
            ndjson = {"Content-Type": "application/x-ndjson"}
            verdicts = self._verdicts("PUT", "/v1/documents", content=body.encode(), headers=ndjson)
            refused = [verdict for verdict in verdicts if verdict["status"] == "refused"]
            if refused:
                raise InvalidRequest(f"the service refused {len(refused)} documents, the first: {refused[0]}")
            sent += len(lines)
            on_progress(sent, len(self._collection.documents))
        return sent

    def run(
        self,
        clicks: int | None = None,
        searches: int | None = None,
        on_progress: Callable[[Tally], None] = lambda _: None,
    ) -> Tally:
        """Let users visit until so many clicks are accepted, or for so many searches; return the tally of this call.

        Blocks. Later calls go on where this one ended, with further visits. A visit whose requests
        fail is counted and the next one begins.

        Args:
            clicks: Clicks to reach; visits under way then still end, so a few more may come.
            searches: Visits to make.
            on_progress: Called with the tally after each change, one call at a time.

        Raises:
            InvalidRequest: Not exactly one of `clicks` and `searches` is given.
            Overloaded: Twenty visits in a row failed.
            ClickloopError: There are hardly any clicks.
        """
        goal = Goal(clicks, searches, self._next_visit)
        before = self._service.retries
        counting = Counting(
            self._collection.judgments, WINDOW_SEARCHES, lambda: self._service.retries - before, on_progress
        )
        with ThreadPoolExecutor(self._concurrency, thread_name_prefix="visitor") as pool:
            try:
                work = [pool.submit(self._visit_until, goal, counting) for _ in range(self._concurrency)]
                wait(work, return_when=FIRST_EXCEPTION)
            finally:
                goal.stop()
        self._next_visit = goal.next_number
        for visitor in work:
            visitor.result()
        return counting.close()

    def look(self, query: str, k: int = RESULTS) -> list[Json]:
        """Return the service's hits for a query text, leaving no trace in its log."""
        person = f"evaluation-{self._traffic.seed}"
        hits: list[Json] = self._hits({"query": query, "limit": k, "user": person, "log": False})["hits"]
        return hits

    def rankings(self, queries: Iterable[str] | None = None, k: int = RESULTS) -> dict[str, list[str]]:
        """Return the best document ids by query id, of the split "test" without `queries`, leaving no trace."""
        asked = list(self._collection.split("test") if queries is None else queries)
        with ThreadPoolExecutor(self._concurrency, thread_name_prefix="judge") as pool:
            answers = pool.map(lambda query: self.look(self._collection.queries[query], k), asked)
            return {query: [hit["id"] for hit in hits] for query, hits in zip(asked, answers, strict=True)}

    def evaluate(self, queries: Iterable[str] | None = None) -> dict[str, float]:
        """Return nDCG@10 by query id, of the split "test" when `queries` is None, leaving no trace.

        Raises:
            Overloaded: The service stayed away.
            InvalidRequest: It refused a query.
        """
        return ndcg(self._collection.judgments, self.rankings(queries))

    def _visit_until(self, goal: Goal, counting: Counting) -> None:
        while (number := goal.take(counting.read)) is not None:
            failed = False
            try:
                self._visit(number, counting)
            except InvalidRequest:
                counting.add("refused")
            except ClickloopError:
                counting.add("failed")
                failed = True
            goal.note(failed)

    def _visit(self, number: int, counting: Counting) -> None:
        visit = self._traffic.visit(number)
        text = self._collection.queries[visit.query_id]
        who = {"user": visit.user} if visit.user else {}
        answer = self._hits({"query": text, "limit": RESULTS, "session": visit.session, **who})
        shown = [hit["id"] for hit in sorted(answer["hits"], key=lambda hit: int(hit["rank"]))]
        counting.searched(visit.query_id, shown, answer.get("version", ""), answer.get("arm", ""))
        judged = self._collection.judgments[visit.query_id]
        reader = Reader(self._users.person(visit.person), self._habits, self._collection.max_grade)
        grades = [judged.get(document, 0) for document in shown]
        events = reader.events(visit, answer["query_id"], shown, grades, self._traffic.chance(number))
        taken = self._report(events, counting) if events else []
        if answer.get("arm", "") != INTERLEAVED:
            counting.experienced(answer.get("version", ""), _experience_of(taken))

    def _report(self, events: list[Json], counting: Counting) -> list[Json]:
        """Send events, count them and return those that the service took."""
        verdicts = self._verdicts("POST", "/v1/events", json=events)
        taken = [event for event, verdict in zip(events, verdicts, strict=True) if verdict["status"] != "refused"]
        clicks = sum(event["type"] == "click" for event in taken)
        counting.reported(len(taken), clicks, len(events) - len(taken))
        return taken

    def _hits(self, body: Json) -> Json:
        return self._ask({"hits", "query_id"}, "POST", "/v1/search", json=body)

    def _verdicts(self, method: str, path: str, **content: Any) -> list[Json]:
        verdicts: list[Json] = self._ask({"verdicts"}, method, path, **content)["verdicts"]
        return verdicts

    def _ask(self, wanted: set[str], method: str, path: str, **content: Any) -> Json:
        answer = self._service.send(method, path, **content)
        if not isinstance(answer, dict) or not wanted <= answer.keys():
            names = " and ".join(sorted(wanted))
            raise ClickloopError(f"{method} {path} answered without {names}; is this a clickloop service?")
        return answer


def _experience_of(events: Collection[Json]) -> Experience:
    """Return what the user of one list did."""
    stars = [int(event["value"]) for event in events if event["type"] == "rating"]
    clicked = any(event["type"] == "click" for event in events)
    return Experience(1, int(clicked), len(stars), sum(stars))


def _batches(documents: list[Json]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for line in map(canonical_json, documents):
        length = len(line.encode())
        if batch and (len(batch) >= BATCH_DOCUMENTS or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += length
    if batch:
        yield batch
