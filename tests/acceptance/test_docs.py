"""The documentation keeps up with the code: what exists is named, and what is named exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clickloop.server.app import make_app
from foundation.sections import RENAMED
from foundation.settings import Settings
from foundation.telemetry.metrics import METRICS
from tests.tiny_encoder import make_tiny_model

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)")
NOT_IN_ANCHORS = re.compile(r"[^a-z0-9 _-]")


def read(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    home = tmp_path_factory.mktemp("home")
    settings = Settings(_env_file=None, home=home, model=str(make_tiny_model(home)), log_level="error")
    paths = make_app(settings).openapi()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def test_every_route_is_on_the_api_page_and_no_other(routes: set[str]) -> None:
    named = set(re.findall(r"^### ((?:GET|PUT|POST|DELETE|PATCH) /\S+)$", read("api.md"), re.MULTILINE))
    assert named == routes


def test_every_setting_is_on_the_operations_page_and_no_other() -> None:
    named = set(re.findall(r"^\| `(CLICKLOOP_\w+)` \|", read("operations.md"), re.MULTILINE))
    assert named == {f"CLICKLOOP_{name.upper()}" for name in Settings.model_fields}


def test_settings_named_anywhere_exist() -> None:
    known = {f"CLICKLOOP_{name.upper()}" for name in Settings.model_fields} | {"CLICKLOOP_URL", "CLICKLOOP_KEY"}
    before = {f"CLICKLOOP_{name.upper()}" for name in RENAMED.values()}  # which the changelog names once more
    for page in PAGES:
        wanted = known | before if page.name == "CHANGELOG.md" else known
        assert set(re.findall(r"CLICKLOOP_[A-Z_]+", page.read_text())) <= wanted, page.name


def test_every_metric_is_on_the_operations_page_and_no_other() -> None:
    named = set(re.findall(r"^\| `(clickloop_\w+)` \|", read("operations.md"), re.MULTILINE))
    emitted = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in METRICS.collect()
        if not family.name.endswith("_created")
    }
    assert named == emitted


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {NOT_IN_ANCHORS.sub("", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for path, anchor in LINK.findall(page.read_text()):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {path}"
        if anchor:
            assert anchor in anchors(target), f"{page.name} links to {path}#{anchor}"
