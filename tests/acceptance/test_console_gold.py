"""A person judges a query in the console, and takes it out of the gold set again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.harness.server import Server
from tests.acceptance.browser import NEEDS_CHROMIUM, Browser, start_browser

pytestmark = [NEEDS_CHROMIUM, pytest.mark.timeout(300)]

ANSWERS = 'input[name="print-envelope"][value="3"]'
CONFIRM = "window.confirm = () => true"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with start_browser(tmp_path / "profile") as browser:
        yield browser


def test_a_query_is_judged_and_taken_out_in_the_console(service: Server, browser: Browser) -> None:
    page = browser.open(f"{service.url}/console/gold?q=print+envelope", before=CONFIRM)
    page.until(f"document.querySelector('{ANSWERS}') !== null")
    page.click(ANSWERS)
    page.click(".judging button")
    page.until("document.getElementById('judge')?.innerText.includes('1 judgment kept')")

    judged = service.remote.get("/v1/gold")["judgments"]
    assert [(one["query"], one["document_id"], one["grade"]) for one in judged] == [
        ("print envelope", "print-envelope", 3)
    ]

    page.go(f"{service.url}/console/gold")
    page.until("document.querySelector('tbody th')?.innerText === 'print envelope'")
    page.click("tbody button")
    page.until("document.getElementById('message')?.innerText === 'Take out: 1 judgment.'")
    assert service.remote.get("/v1/gold")["total"] == 0


def test_without_queries_to_judge_the_page_says_so(service: Server, browser: Browser) -> None:
    page = browser.open(f"{service.url}/console/gold")
    page.until("document.getElementById('judge')?.innerText.includes('No query that enough people asked')")
