"""Algolia's search calls, as `algoliasearch/lite` makes them for InstantSearch."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

from tests.contract.conftest import wait_until

SHOP = {"Clickloop-Collection": "algolia"}
PRODUCTS: list[dict[str, Any]] = [
    {
        "id": "a",
        "title": "Laser toner <black>",
        "text": "Toner for printers.",
        "brand": "Acme",
        "price": 30,
        "new": True,
    },
    {"id": "b", "title": "Inkjet toner", "text": "Ink & toner.", "brand": "Acme", "price": 20.5, "new": False},
    {"id": "c", "title": "Laser printer", "text": "Prints.", "brand": "Bolt", "price": 200, "tags": ["office", "home"]},
    {"id": "d", "title": "Garden chair", "text": "Sit down.", "brand": "Bolt", "price": 80},
]


@pytest.fixture(scope="module")
def shop(service: TestClient) -> TestClient:
    assert service.put("/v1/documents", json=PRODUCTS, headers=SHOP).status_code == 200
    wait_until(lambda: ask(service, query="").get("nbHits") == len(PRODUCTS))
    return service


def post(service: TestClient, path: str, body: Any) -> Any:
    return service.post(path, content=json.dumps(body), headers=SHOP | {"Content-Type": "text/plain"})


def ask(service: TestClient, **query: Any) -> Any:
    reply = post(service, "/1/indexes/*/queries", {"requests": [{"indexName": "shop", **query}]})
    return reply.json()["results"][0] if reply.status_code == 200 else reply.json()


def ids(answer: Any) -> list[str]:
    return [hit["objectID"] for hit in answer["hits"]]


def test_hits_have_their_attributes_and_marks(shop: TestClient) -> None:
    answer = ask(shop, query="laser toner", hitsPerPage=2, highlightPreTag="__ais-highlight__", clickAnalytics=True)
    hit = answer["hits"][0]
    assert {"objectID", "title", "text", "brand", "price", "new"} <= hit.keys()
    assert hit["objectID"] == "a"
    assert hit["_highlightResult"]["title"]["value"].startswith("__ais-highlight__Laser")
    assert "<black>" in hit["_highlightResult"]["title"]["value"], "the client escapes what stands between its own tags"
    assert hit["_highlightResult"]["title"]["matchLevel"] == "full"
    assert hit["_snippetResult"]["text"]["value"].startswith("__ais-highlight__Toner")
    assert (answer["nbHits"], answer["nbPages"], answer["page"], answer["hitsPerPage"]) == (3, 2, 0, 2)
    assert answer["queryID"]
    assert answer["exhaustiveNbHits"] is True


def test_marks_of_html_stand_in_escaped_text(shop: TestClient) -> None:
    hit = ask(shop, query="toner", filters="objectID:a")["hits"][0]
    assert hit["_highlightResult"]["title"]["value"] == "Laser <em>toner</em> &lt;black&gt;"


def test_facets_are_counted_and_refined(shop: TestClient) -> None:
    answer = ask(shop, query="", facets=["brand", "price", "unknown"], hitsPerPage=0, analytics=False)
    assert answer["facets"]["brand"] == {"Acme": 2, "Bolt": 2}
    assert answer["facets_stats"] == {"price": {"min": 20.5, "max": 200}}
    assert answer["hits"] == []
    every = ask(shop, query="", facets=["*"])
    assert every["facets"]["new"] == {"true": 1, "false": 1}
    refined = ask(shop, query="", facetFilters=[["brand:Acme", "brand:Nobody"]], numericFilters=["price<25"])
    assert ids(refined) == ["b"]
    assert ids(ask(shop, query="", facetFilters=[["colour:red"]])) == []


def test_pages_go_on_and_end(shop: TestClient) -> None:
    pages = [ask(shop, query="", hitsPerPage=3, page=page) for page in range(3)]
    assert [len(page["hits"]) for page in pages] == [3, 1, 0]
    assert len({name for page in pages for name in ids(page)}) == len(PRODUCTS)
    assert ids(ask(shop, query="", page=999_999)) == []


def test_the_name_of_an_index_says_how_it_is_sorted(shop: TestClient) -> None:
    assert ids(ask(shop, query="", indexName="shop:price:asc")) == ["b", "a", "d", "c"]
    assert ids(ask(shop, query="", indexName="shop:price:desc")) == ["c", "d", "a", "b"]
    assert len(ids(ask(shop, query="", indexName="shop:colour:desc"))) == len(PRODUCTS)


def test_one_index_is_asked_by_parameters_in_a_query_string_too(shop: TestClient) -> None:
    params = urlencode({"query": "toner", "hitsPerPage": 1, "facets": '["brand"]', "facetFilters": '[["brand:Acme"]]'})
    answer = post(shop, "/1/indexes/shop/query", {"params": params}).json()
    assert (answer["nbHits"], len(answer["hits"]), answer["facets"]) == (2, 1, {"brand": {"Acme": 2}})


def test_values_of_a_facet_are_searched(shop: TestClient) -> None:
    found = post(shop, "/1/indexes/shop/facets/brand/query", {"facetQuery": "AC"}).json()
    assert found["facetHits"] == [{"value": "Acme", "highlighted": "<em>Ac</em>me", "count": 2}]
    body = {"requests": [{"indexName": "shop", "type": "facet", "facet": "tags", "params": "facetQuery=of"}]}
    found = post(shop, "/1/indexes/*/queries", body).json()["results"][0]
    assert [one["value"] for one in found["facetHits"]] == ["office"]


def test_clicks_that_search_insights_sends_teach(shop: TestClient) -> None:
    def first() -> str:
        return ids(ask(shop, query="toner laser", analytics=False))[0]

    wanted = ids(ask(shop, query="toner laser"))[1]
    for person in range(8):
        answer = ask(shop, query="toner laser", userToken=f"person-{person}", clickAnalytics=True)
        event: dict[str, Any] = {
            "eventType": "click",
            "eventName": "Clicked",
            "index": "shop",
            "userToken": f"person-{person}",
        }
        event |= {"queryID": answer["queryID"], "objectIDs": [wanted], "positions": [ids(answer).index(wanted) + 1]}
        credentials = {"X-Algolia-Application-Id": "app", "X-Algolia-API-Key": "key"}
        reply = shop.post("/1/events", json={"events": [event]}, headers=SHOP | credentials)
        assert reply.status_code == 200, reply.text
    wait_until(lambda: first() == wanted)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"requests": []}, "requests"),
        ({"requests": [3]}, "requests"),
        ({}, "requests"),
        ([], "JSON object"),
        ({"requests": [{"page": -1}]}, "page"),
        ({"requests": [{"filters": "brand"}]}, "filters"),
        ({"requests": [{"query": "a\x00"}]}, "query"),
    ],
)
def test_refusals_have_algolias_form(shop: TestClient, body: Any, said: str) -> None:
    reply = post(shop, "/1/indexes/*/queries", body)
    assert (reply.status_code, reply.json()["status"]) == (400, 400)
    assert said in reply.json()["message"]


def test_an_unknown_collection_is_told_in_algolias_form(service: TestClient) -> None:
    body = json.dumps({"requests": [{"indexName": "x"}]})
    reply = service.post("/1/indexes/*/queries", content=body, headers={"Clickloop-Collection": "nowhere"})
    assert (reply.status_code, reply.json()["status"]) == (404, 404)
