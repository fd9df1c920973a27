"""What every client of the HTTP API relies on when something is wrong with its request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
import structlog
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field

from foundation.errors import Conflict, FieldFault, InvalidRequest, NotReady
from foundation.telemetry.metrics import REQUEST_SECONDS, REQUESTS
from foundation.web.middleware import Edge, install_edge
from foundation.web.problems import problem_responses
from foundation.web.requests import collection_of, read_body

LIMIT_BYTES = 1000


class Order(BaseModel):
    name: str = Field(min_length=1)
    items: list[int] = []


def make_app() -> FastAPI:
    app = FastAPI()
    install_edge(app, Edge(LIMIT_BYTES))
    router = APIRouter(prefix="/v1")

    @router.post("/orders", responses=problem_responses(400, 413, 422))
    def take_order(order: Order) -> int:
        return len(order.items)

    @router.get("/things/{thing}")
    def get_thing(thing: int, k: Annotated[int, Query(ge=1)] = 1) -> int:
        return thing * k

    @router.post("/things/best")
    def choose_thing() -> int:
        return 1

    @router.put("/things/{thing}")
    def put_thing(thing: int) -> int:
        return thing

    @app.delete("/v1/things/{thing}")
    def delete_thing(thing: int) -> int:
        return thing

    @router.put("/raw")
    async def take_raw(request: Request) -> int:
        return len(await read_body(request, 10))

    @router.get("/collection")
    def get_collection(collection: Annotated[str, Depends(collection_of)]) -> str:
        return collection

    @router.get("/fail/{how}")
    def fail(how: str) -> None:
        errors: dict[str, Exception] = {
            "conflict": Conflict("it runs already"),
            "later": NotReady("no version serves yet"),
            "fields": InvalidRequest("no", (FieldFault("a.b", "is\ud800odd"),)),
            "crash": ZeroDivisionError("secret detail"),
        }
        raise errors[how]

    app.include_router(router)
    return app


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(make_app(), raise_server_exceptions=False) as client:
        yield client


def assert_problem(response: Any, status: int, slug: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert set(document) == {"type", "title", "status", "detail", "instance", "errors"}
    assert document["type"] == f"urn:clickloop:problem:{slug}"
    assert document["status"] == status
    assert document["detail"]
    return document


def test_errors_keep_their_status_and_name_the_request(client: TestClient) -> None:
    document = assert_problem(client.get("/v1/fail/conflict"), 409, "conflict")
    assert document["detail"] == "it runs already"
    assert document["instance"] == "/v1/fail/conflict"


def test_a_retryable_error_says_when_to_come_back(client: TestClient) -> None:
    response = client.get("/v1/fail/later")
    assert_problem(response, 503, "not-ready")
    assert response.headers["retry-after"] == "1"


def test_faults_name_fields_even_with_text_that_is_not_unicode(client: TestClient) -> None:
    document = assert_problem(client.get("/v1/fail/fields"), 422, "invalid-request")
    assert document["errors"] == [{"field": "a.b", "reason": "is?odd"}]


def test_a_crash_is_logged_under_the_incident_it_answers_with(client: TestClient) -> None:
    with structlog.testing.capture_logs() as lines:
        document = assert_problem(client.get("/v1/fail/crash"), 500, "internal")
    (line,) = lines
    assert line["incident"] in document["detail"]
    assert document["instance"].endswith(line["incident"])
    assert isinstance(line["exc_info"], ZeroDivisionError)
    assert "secret" not in document["detail"]


def test_validation_names_the_dotted_field(client: TestClient) -> None:
    response = client.post("/v1/orders", json={"name": "", "items": [1, "two"]})
    document = assert_problem(response, 422, "invalid-request")
    assert {fault["field"] for fault in document["errors"]} == {"name", "items.1"}
    assert "items.1" in document["detail"]


@pytest.mark.parametrize("k", ["0", "x"])
def test_validation_names_the_query_parameter(client: TestClient, k: str) -> None:
    document = assert_problem(client.get(f"/v1/things/1?k={k}"), 422, "invalid-request")
    assert document["errors"][0]["field"] == "k"


def test_broken_json_names_line_and_column(client: TestClient) -> None:
    response = client.post("/v1/orders", content='{"name":\n oops}', headers={"content-type": "application/json"})
    document = assert_problem(response, 400, "unreadable-body")
    assert "line 2, column 2" in document["detail"]


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[" * 900, b""])
def test_other_unreadable_bodies_are_the_clients_fault(client: TestClient, body: bytes) -> None:
    response = client.post("/v1/orders", content=body, headers={"content-type": "application/json"})
    assert response.status_code in {400, 422}
    assert response.headers["content-type"] == "application/problem+json"


def test_unknown_paths_and_methods(client: TestClient) -> None:
    assert_problem(client.get("/nowhere"), 404, "not-found")
    response = client.delete("/v1/orders")
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "POST"


def test_methods_of_all_routes_of_a_path_are_allowed(client: TestClient) -> None:
    response = client.patch("/v1/things/1")
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "DELETE, GET, PUT"
    named = client.patch("/v1/things/best")
    assert named.headers["allow"] == "POST", "whatever other routes take in its place"


def in_pieces() -> Iterator[bytes]:
    yield b'{"name": "'
    for _ in range(20):
        yield b"x" * 100
    yield b'"}'


def test_a_long_body_is_refused_with_and_without_an_announced_length(client: TestClient) -> None:
    json_type = {"content-type": "application/json"}
    assert_problem(client.post("/v1/orders", content=b"".join(in_pieces()), headers=json_type), 413, "body-too-large")
    assert_problem(client.post("/v1/orders", content=in_pieces(), headers=json_type), 413, "body-too-large")


def test_a_route_can_read_less_than_the_service(client: TestClient) -> None:
    assert client.put("/v1/raw", content=b"0123456789").json() == 10
    assert_problem(client.put("/v1/raw", content=b"0123456789a"), 413, "body-too-large")
    assert_problem(client.put("/v1/raw", content=iter([b"0123456", b"789a"])), 413, "body-too-large")


def test_the_collection_comes_from_the_header(client: TestClient) -> None:
    assert client.get("/v1/collection").json() == "default"
    assert client.get("/v1/collection", headers={"Clickloop-Collection": "a-b_2"}).json() == "a-b_2"


def test_a_client_without_headers_names_the_collection_in_the_address(client: TestClient) -> None:
    assert client.get("/v1/collection?collection=shop").json() == "shop"
    headers = {"Clickloop-Collection": "help"}
    assert client.get("/v1/collection?collection=shop", headers=headers).json() == "help", "the header comes first"
    document = assert_problem(client.get("/v1/collection?collection=A"), 422, "invalid-request")
    assert document["errors"][0]["field"] == "collection"


@pytest.mark.parametrize("name", ["", "A", "-a", "a b", "a" * 65, "a/b"])
def test_a_collection_that_cannot_be_is_refused(client: TestClient, name: str) -> None:
    response = client.get("/v1/collection", headers={"Clickloop-Collection": name})
    document = assert_problem(response, 422, "invalid-request")
    assert document["errors"][0]["field"] == "Clickloop-Collection"


def count(route: str, method: str, status: str) -> float:
    value: float = REQUESTS.labels(route, method, status)._value.get()
    return value


def test_requests_are_counted_by_route_template(client: TestClient) -> None:
    before = count("/v1/things/{thing}", "GET", "200"), count("(none)", "OTHER", "404")
    client.get("/v1/things/1")
    client.get("/v1/things/2")
    client.request("BREW", "/coffee")
    after = count("/v1/things/{thing}", "GET", "200"), count("(none)", "OTHER", "404")
    assert (after[0] - before[0], after[1] - before[1]) == (2, 1)
    assert REQUEST_SECONDS.labels("/v1/things/{thing}")._sum.get() > 0


def test_the_openapi_page_documents_problems_and_nothing_else_for_errors(client: TestClient) -> None:
    page = client.get("/openapi.json").json()
    responses = page["paths"]["/v1/orders"]["post"]["responses"]
    assert set(responses) == {"200", "400", "401", "403", "408", "413", "415", "421", "422", "431", "500", "503"}
    assert set(responses["422"]["content"]) == {"application/problem+json"}
    assert responses["408"] == {"$ref": "#/components/responses/RequestTimeout"}
    assert set(page["components"]["responses"]["RequestTimeout"]["content"]) == {"application/problem+json"}
