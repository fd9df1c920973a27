"""What a page of another origin searches with, in a real browser, against the running service."""

from __future__ import annotations

import json

from benchmarks.harness.server import Server
from tests.acceptance.browser import NEEDS_CHROMIUM, Browser

pytestmark = NEEDS_CHROMIUM

ASK = """
(async () => {
  const { connect } = await import(SERVICE + "/search.js");
  const { search, suggest, context } = connect({ url: SERVICE, session: "visit" });
  const found = await search("print envelope", { limit: 2 });
  const refused = await search("print", { limit: 0 }).catch((problem) => ({ message: problem.message, ...problem }));
  return { found, refused, told: await context("print envelope"), proposed: await suggest("pri") };
})()
"""


def test_a_page_searches_asks_for_passages_and_suggestions_under_the_names_of_the_api(
    browser: Browser, service: Server, pages: str
) -> None:
    page = browser.open(f"{pages}/article.html")
    told = page.evaluate(ASK.replace("SERVICE", json.dumps(service.url)))
    page.close()
    assert [hit["rank"] for hit in told["found"]["hits"]] == [1, 2]
    assert told["found"]["logged"]
    assert told["refused"]["status"] == 422
    assert told["refused"]["errors"][0]["field"] == "limit"
    assert "limit" in told["refused"]["message"]
    assert told["told"]["passages"]
    assert isinstance(told["proposed"], list)
