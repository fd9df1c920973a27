"""The pages that lead a new engineer through the house name what is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)(?: `([\w.]+)`)?")
MAX_STEPS = {"A search": 8, "A click": 8, "A document": 7}


def links(page: str) -> list[tuple[str, str]]:
    """Return the targets in this repository that a page links to, each with the name that it says is there."""
    found = LINK.findall((DOCS / page).read_text())
    return [(target, name) for target, name in found if not target.startswith("http")]


def names_of(path: Path) -> set[str]:
    """Return the functions and classes of a module, and the methods of each class as `Class.method`."""
    names = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            members = (one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
            names.update(f"{node.name}.{member.name}" for member in members)
    return names


@pytest.mark.parametrize("page", ["architecture.md", "where.md"])
def test_every_place_is_there(page: str) -> None:
    missing = [target for target, _ in links(page) if not (DOCS / target).exists()]
    assert missing == []


def test_every_step_is_done_where_the_architecture_says() -> None:
    told = [(DOCS / target, name) for target, name in links("architecture.md") if name]
    assert [(str(path), name) for path, name in told if name not in names_of(path)] == []


@pytest.mark.parametrize(("path", "limit"), MAX_STEPS.items())
def test_no_way_through_the_house_is_long(path: str, limit: int) -> None:
    section = (DOCS / "architecture.md").read_text().split(f"## {path}")[1].split("\n## ")[0]
    assert 0 < len(LINK.findall(section)) <= limit


def test_twenty_things_have_a_place() -> None:
    rows = [line for line in (DOCS / "where.md").read_text().splitlines() if line.startswith("| ") and "](" in line]
    assert len(rows) >= 20
