"""The report's page in a real browser: it opens from a file without a network, and axe finds nothing serious in it.

axe-core is fetched when the test runs, so it is slow and skips without a package registry.
"""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from ab_testing.decide.look import Look
from ab_testing.decide.rules import decide
from ab_testing.design.experiment import Decision, Experiment, State
from ab_testing.design.plan import ExperimentPlan
from ab_testing.report.report import build_report, read_days
from ab_testing.report.scorecard import build
from benchmarks.experiments.diagnosis.sentences import draw_case
from console.http import make_pages
from tests.acceptance.browser import NEEDS_CHROMIUM, Browser, start_browser
from tests.acceptance.test_real_clients import TIMEOUT_S, fetch

pytestmark = [pytest.mark.slow, pytest.mark.timeout(TIMEOUT_S + 120), NEEDS_CHROMIUM]

NOW = datetime(2026, 1, 5, tzinfo=UTC)
CASES = 8
VIOLATIONS = """axe.run(document).then((found) => found.violations
  .filter((one) => ["serious", "critical"].includes(one.impact))
  .map((one) => `${one.id}: ${one.nodes[0].html}`))"""


@pytest.fixture
def axe(tmp_path: Path) -> str:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("axe-core, which checks the page, is a package of npm, and this machine has no npm to fetch it")
    (folder := tmp_path / "axe").mkdir()
    with tarfile.open(fetch(folder, npm, "pack", "axe-core@4.10.3")) as package:
        member = package.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with start_browser(tmp_path / "profile") as browser:
        yield browser


def page_of(plan: ExperimentPlan, look: Look) -> bytes:
    verdict = decide(plan, [look])
    state: State = "decided" if verdict.final else "running"
    experiment = Experiment("default", "e-1", plan, state, 1, NOW, NOW, created_by="local", started_by="autopilot")
    decision = Decision(
        "d-1", "e-1", verdict.decision, verdict.reason, {}, NOW, plan_hash=plan.hash, actor="experiment"
    )
    made = [decision] if verdict.final else []
    report = build_report(build(experiment, look, verdict), read_days(experiment, [look]), made, NOW)
    return bytes(make_pages().show_report(report).body)


def test_pages_open_without_a_network_and_pass_axe(browser: Browser, axe: str, tmp_path: Path) -> None:
    random, file = np.random.default_rng(3), tmp_path / "report.html"
    page = browser.open("about:blank")
    for _ in range(CASES):
        file.write_bytes(page_of(*draw_case(random)))
        page.call("Network.enable")
        page.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
        page.go(file.as_uri())
        page.until("document.readyState === 'complete' && !!document.querySelector('h1')")
        assert page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)") == []
        assert page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") == "960px", "its style holds"
        page.evaluate(axe)
        assert page.evaluate(VIOLATIONS) == []
    page.close()
