"""What a client of `/v1/search` relies on."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.conftest import DOCUMENTS, wait_until


def search(service: TestClient, query: str, **options: Any) -> Any:
    response = service.post("/v1/search", json={"query": query, **options})
    assert response.status_code == 200, response.text
    return response.json()


def ids(answer: Any) -> list[str]:
    return [hit["id"] for hit in answer["hits"]]


def test_the_document_that_has_the_words_comes_first(service: TestClient) -> None:
    answer = search(service, "print envelope")
    assert answer["hits"][0] == answer["hits"][0] | {
        "id": "envelope",
        "rank": 1,
        "title": "Printing envelopes",
        "url": "",
        "fields": {"app": "W"},
        "team": "",
    }
    assert "Insert Envelope" in answer["hits"][0]["snippet"]


def test_ranks_count_from_one_and_scores_fall(service: TestClient) -> None:
    hits = search(service, "sheet rows")["hits"]
    assert [hit["rank"] for hit in hits] == list(range(1, len(hits) + 1))
    scores = [hit["score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)


def test_every_answer_tells_who_ranked_it(service: TestClient) -> None:
    answer = search(service, "chart")
    champion = service.get("/v1/versions").json()["champion"]
    assert (answer["version"], answer["arm"], answer["experiment"]) == (champion, "champion", "")
    assert answer["stages_ms"] is None
    assert set(answer["hits"][0]["scores"]) == {"bm25", "dense"}


def test_explained_answers_hold_every_score_and_stage(service: TestClient) -> None:
    answer = search(service, "chart", explain=True, log=False)
    assert {"bm25", "dense", "memory", "evidence", "title_covered"} <= set(answer["hits"][0]["scores"])
    assert {"encode", "lexical", "dense", "features", "fuse", "diversify", "snippet"} <= set(answer["stages_ms"])


def test_the_limit_holds_under_its_older_name_too(service: TestClient) -> None:
    assert len(search(service, "sheet", limit=2)["hits"]) == 2
    assert len(search(service, "sheet", k=2)["hits"]) == 2
    assert len(search(service, "sheet", limit=100)["hits"]) <= len(DOCUMENTS)


def test_pages_make_up_the_whole_list_under_one_query_id(service: TestClient) -> None:
    whole = search(service, "sheet rows", limit=100, log=False)
    first = search(service, "sheet rows", limit=2)
    pages = [first["hits"]]
    while pages[-1]:
        at = sum(map(len, pages))
        answer = search(service, "sheet rows", limit=2, offset=at, query_id=first["query_id"])
        assert (answer["query_id"], answer["total"]) == (first["query_id"], whole["total"])
        pages.append(answer["hits"])
    assert [(hit["id"], hit["rank"]) for page in pages for hit in page] == [
        (hit["id"], hit["rank"]) for hit in whole["hits"]
    ]


def test_the_total_counts_what_holds_a_word_and_passes_the_filter(service: TestClient) -> None:
    assert search(service, "sheet", log=False)["total"] == 2
    assert search(service, "sheet", filters={"size": 3}, log=False)["total"] == 1
    answer = search(service, "xylophone melody", log=False)
    assert answer["total"] == 0, "what meaning alone finds does not count"


def test_the_words_of_the_query_are_marked_as_asked(service: TestClient) -> None:
    hit = search(service, "print envelopes", highlight="html", log=False)["hits"][0]
    assert hit["highlight"]["title"] == "<mark>Printing</mark> <mark>envelopes</mark>"
    assert "Insert <mark>Envelope</mark> to <mark>print</mark>" in hit["highlight"]["snippet"]
    hit = search(service, "print envelopes", highlight="offsets", log=False)["hits"][0]
    assert hit["highlight"]["title"] == [[0, 8], [9, 18]]
    assert search(service, "print", log=False)["hits"][0]["highlight"] is None


def test_a_further_page_names_a_search_of_this_collection(service: TestClient) -> None:
    for name in ("q1", "01a20b6d-a6da-73e1-8a56-6e6654646c9c"):
        response = service.post("/v1/search", json={"query": "sheet", "offset": 2, "query_id": name})
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"] == "query_id"
    response = service.post("/v1/search", json={"query": "sheet", "offset": 990, "limit": 20})
    assert response.json()["errors"][0]["field"] == "offset"


def test_query_ids_are_new_each_time_and_answers_are_not(service: TestClient) -> None:
    one, other = search(service, "macro", log=False), search(service, "macro", log=False)
    assert one["query_id"] != other["query_id"]
    assert ids(one) == ids(other)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"app": "C"}, {"chart", "filter"}),
        ({"app": ["C", "I"]}, {"chart", "filter", "slide"}),
        ({"app": "C", "size": 3}, {"filter"}),
        ({"app": "no such app"}, set()),
        ({"not": {"app": "C"}}, {"slide", "envelope", "label", "macro"}),
        ({"size": {"gte": 3}}, {"filter"}),
        ({"any": [{"app": "I"}, {"size": 3}]}, {"slide", "filter"}),
    ],
)
def test_filters_keep_only_what_they_name(service: TestClient, filters: dict[str, Any], found: set[str]) -> None:
    assert set(ids(search(service, "sheet", limit=100, filters=filters))) == found


def test_any_script_and_any_spacing_is_answered(service: TestClient) -> None:
    for query in ("印刷 封筒", "print\tenvelope\n", "؟كيف", "e\u0301", "🖨️", '"[]{}()*?:^~\\/ AND OR NOT', "a" * 1000):
        assert search(service, query, log=False)["query_id"]


def test_new_changed_and_deleted_documents_are_followed_within_seconds(service: TestClient) -> None:
    shop = {"Clickloop-Collection": "followed"}

    def found() -> list[str]:
        response = service.post("/v1/search", json={"query": "kettle", "log": False}, headers=shop)
        return ids(response.json()) if response.status_code == 200 else ["not yet"]

    service.put("/v1/documents", json={"id": "a", "title": "kettle", "text": "boils"}, headers=shop)
    wait_until(lambda: found() == ["a"])
    service.put("/v1/documents", json={"id": "b", "title": "kettle kettle", "text": "kettle"}, headers=shop)
    wait_until(lambda: set(found()) == {"a", "b"})
    service.delete("/v1/documents/a", headers=shop)
    wait_until(lambda: found() == ["b"])


def test_an_address_that_runs_a_script_is_kept_and_never_linked(service: TestClient) -> None:
    shop = {"Clickloop-Collection": "links"}
    document = {"id": "a", "title": "kettle", "url": "javascript:alert(1)"}
    service.put("/v1/documents", json=document, headers=shop)

    def answer() -> Any:
        return service.post("/v1/search", json={"query": "kettle", "log": False}, headers=shop)

    wait_until(lambda: bool(answer().status_code == 200))
    assert answer().json()["hits"][0]["url"] == ""
    assert service.get("/v1/documents/a", headers=shop).json()["url"] == document["url"]


def test_collections_answer_from_their_own_documents(service: TestClient) -> None:
    shop = {"Clickloop-Collection": "apart"}
    service.put("/v1/documents", json={"id": "envelope", "title": "paper goods"}, headers=shop)

    def answer() -> Any:
        return service.post("/v1/search", json={"query": "envelope", "log": False}, headers=shop)

    wait_until(lambda: bool(answer().status_code == 200))
    assert [hit["title"] for hit in answer().json()["hits"]] == ["paper goods"]


def test_enough_agreeing_clicks_turn_a_ranking_within_seconds(service: TestClient) -> None:
    query = "play sheet between"
    wanted = ids(search(service, query, log=False))[2]
    for person in range(6):
        answer = search(service, query, user=f"person-{person}")
        click = {"type": "click", "query_id": answer["query_id"], "document_id": wanted}
        assert service.post("/v1/events", json=click).status_code == 202
    wait_until(lambda: ids(search(service, query, log=False))[0] == wanted)


def test_an_answer_that_is_not_logged_takes_no_clicks(service: TestClient) -> None:
    query = "hides between"
    before = search(service, query, log=False)
    for person in range(6):
        answer = search(service, query, user=f"person-{person}", log=False)
        click = {"type": "click", "query_id": answer["query_id"], "document_id": ids(before)[-1]}
        service.post("/v1/events", json=click)
    logged = search(service, "marker", user="marker")
    service.post("/v1/events", json={"type": "click", "query_id": logged["query_id"], "document_id": ids(logged)[-1]})
    wait_until(lambda: search(service, "marker", explain=True, log=False)["hits"][-1]["scores"]["evidence"] != 0)
    assert ids(search(service, query, log=False)) == ids(before)


def test_metrics_name_the_stages_and_the_route(service: TestClient) -> None:
    search(service, "slide")
    metrics = service.get("/metrics").text
    assert 'clickloop_stage_seconds_count{stage="encode"}' in metrics
    assert 'clickloop_requests_total{method="POST",route="/v1/search",status="200"}' in metrics


def test_an_unknown_collection_is_a_404_that_says_what_to_do(service: TestClient) -> None:
    response = service.post("/v1/search", json={"query": "x"}, headers={"Clickloop-Collection": "nowhere"})
    assert response.status_code == 404
    assert "PUT /v1/documents" in response.json()["detail"]


def test_probes_tell_what_is_served(service: TestClient) -> None:
    assert service.get("/healthz").json() == {"status": "ok"}
    state = service.get("/readyz").json()["collections"]["default"]
    assert state["documents"] == len(DOCUMENTS)
    assert state["problem"] == ""


def test_a_filter_on_a_field_that_nobody_has_is_refused_with_what_there_is(service: TestClient) -> None:
    reply = service.post("/v1/search", json={"query": "sheet", "filters": {"apps": "C"}})
    assert reply.status_code == 422
    assert reply.json()["errors"][0]["field"] == "filters.apps"
    assert "app" in reply.json()["errors"][0]["reason"]


def test_facets_count_the_values_of_what_was_found(service: TestClient) -> None:
    facets = search(service, "sheet", limit=100, facets=["app"])["facets"]
    assert {one["value"]: one["count"] for one in facets["app"]} == {"C": 2}, "what is near in meaning is not counted"
    answer = search(service, "xylophone melody", limit=100, facets=["app"], log=False)
    assert sum(one["count"] for one in answer["facets"]["app"]) == len(
        [1 for hit in answer["hits"] if "app" in hit["fields"] and hit["fields"]["app"]]
    )


def test_facets_of_a_choice_of_several_leave_its_own_filter_out(service: TestClient) -> None:
    wanted = [{"field": "app", "multi": True}, "size"]
    answer = search(service, "printed printing sheet", filters={"app": "C"}, facets=wanted, log=False)
    assert {one["value"]: one["count"] for one in answer["facets"]["app"]} == {"C": 2, "W": 2}
    assert answer["ranges"] == {"size": {"min": 3, "max": 3}}
    wanted = [{"field": "app", "contains": "w", "limit": 5}]
    assert search(service, "*", facets=wanted, log=False)["facets"] == {"app": [{"value": "W", "count": 2}]}


def test_nothing_asked_for_lists_everything_the_latest_first(service: TestClient) -> None:
    for query in ("", "*", "  "):
        answer = search(service, query, limit=100, log=False)
        assert answer["total"] == len(DOCUMENTS)
        assert set(ids(answer)) == {one["id"] for one in DOCUMENTS}
    assert ids(search(service, "*", filters={"app": "C"}, sort="-size", log=False)) == ["filter", "chart"]


def test_operators_are_demands_and_no_text_is_refused(service: TestClient) -> None:
    def found(query: str) -> set[str]:
        return set(ids(search(service, query, limit=100, log=False)))

    assert found("printing -labels") & {"envelope", "label"} == {"envelope"}
    assert found('"autofilter hides"') == {"filter"}
    assert found("app:C sheet") == {"chart", "filter"}
    assert found("size:3") == {"filter"}
    assert found("title:printing") == {"envelope", "label"}
    assert found("macro OR slides") == {"macro", "slide"}
    assert "label" in found('"no such phrase anywhere" labels'), "what no document has is text"
    assert search(service, "recoridng -chart", log=False)["did_you_mean"] == "recording -chart"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from([*'abO-:"“ *.+#', "sheet", " OR ", "app:", "title:", " -", "size:", "ß漢"]), max_size=12)
)
def test_any_text_is_answered(service: TestClient, pieces: list[str]) -> None:
    assert search(service, "".join(pieces), facets=["app"], log=False)["total"] >= 0


def test_a_list_is_read_to_its_end_by_cursors(service: TestClient) -> None:
    cases: list[dict[str, Any]] = [{}, {"sort": "app", "min_relevance": 0}]
    for query, more in [*(("sheet rows", case) for case in cases), ("*", {})]:
        whole = search(service, query, limit=100, log=False, **more)
        answer = search(service, query, limit=1, cursor="*", **more)
        pages, first = [answer], answer["query_id"]
        while answer["cursor"]:
            answer = search(service, query, limit=1, cursor=answer["cursor"], **more)
            pages.append(answer)
        assert [hit["id"] for page in pages for hit in page["hits"]] == ids(whole)
        assert [hit["rank"] for page in pages for hit in page["hits"]] == list(range(1, len(whole["hits"]) + 1))
        assert {page["query_id"] for page in pages} == {first}
    other = service.post("/v1/search", json={"query": "else", "cursor": pages[0]["cursor"]})
    assert other.json()["errors"][0]["field"] == "cursor"


def test_a_search_has_an_address(service: TestClient) -> None:
    wanted: dict[str, Any] = {
        "q": "sheet",
        "limit": 2,
        "filters": '{"app": "C"}',
        "facets": "app,size",
        "sort": "-size",
    }
    answer = service.get("/v1/search", params=wanted).json()
    assert ids(answer) == ["filter", "chart"]
    assert answer["facets"]["size"] == [{"value": 3, "count": 1}]
    assert service.get("/v1/search").json()["total"] == len(DOCUMENTS)
    assert service.get("/v1/search", params={"q": "x", "limit": 1000}).json()["errors"][0]["field"] == "limit"
    assert service.get("/v1/search", params={"q": "x", "filters": "{"}).json()["errors"][0]["field"] == "filters"


def test_a_sorted_answer_is_in_the_order_of_the_field_and_joins_no_experiment(service: TestClient) -> None:
    answer = search(service, "sheet", limit=100, sort="-app")
    assert [hit["fields"].get("app") for hit in answer["hits"]] == ["C", "C"], "all that holds a word of the query"
    answer = search(service, "sheet recording a macro", limit=100, sort=["-app", "relevance"], min_relevance=0.9)
    assert (ids(answer), answer["total"]) == (["macro"], 1), "what is hardly relevant is left out"
    assert answer["experiment"] == ""
    every = search(service, "sheet printing recording transition", limit=100, sort="-app", min_relevance=0)
    assert [hit["fields"].get("app") for hit in every["hits"]] == ["W", "W", "I", "C", "C", None]


def test_a_search_without_time_leaves_stages_out_and_says_so(service: TestClient) -> None:
    for _ in range(3):
        search(service, "sheet", log=False)
    answer = search(service, "chart", budget_ms=0.01, log=False)
    assert answer["skipped"] == ["rerank", "meaning"]
    assert ids(answer)[0] == "chart"


def test_a_word_that_nobody_writes_is_corrected_and_found_all_the_same(service: TestClient) -> None:
    answer = search(service, "recoridng a macro", log=False)
    assert answer["did_you_mean"] == "recording a macro"
    assert ids(answer)[0] == "macro"
    assert search(service, "recording a macro", log=False)["did_you_mean"] == ""


def test_a_word_of_a_field_is_found_once_the_field_is_searched(service: TestClient) -> None:
    shop = {"Clickloop-Collection": "searched"}
    products = [
        {"id": "a", "title": "Toner", "text": "Black.", "brand": "Brother Quux", "sku": "HP-305XL"},
        {"id": "b", "title": "Paper", "text": "White.", "brand": "Bolt", "sku": "ZX-1"},
    ]
    service.put("/v1/documents", json=products, headers=shop)

    def found(query: str) -> Any:
        response = service.post("/v1/search", json={"query": query, "log": False}, headers=shop)
        return response.json() if response.status_code == 200 else {"total": -1}

    wait_until(lambda: bool(found("toner")["total"] == 1))
    assert found("quux")["total"] == 0
    declared = {name: {"type": "keyword", "searchable": 1} for name in ("brand", "sku")}
    assert service.put("/v1/fields", json=declared, headers=shop).status_code == 200
    wait_until(lambda: bool(found("quux")["total"] == 1))
    for query in ("quux", "Brothers", "hp305xl", "HP-305XL", "hp-305xl toner"):
        answer = found(query)
        assert (answer["total"], answer["did_you_mean"]) == (1, ""), query
        assert "bm25" in next(hit["scores"] for hit in answer["hits"] if hit["id"] == "a")
    assert ids(found("toner paper -quux")) == ["b"]
