"""The house stays in order: small rooms, short modules and functions, unit tests where their modules are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("foundation", "collector", "ab_testing", "serving", "retrainer", "simulator", "console", "clickloop")
MAX_MODULES = 12
MAX_LINES = 350
MAX_MEDIAN_LINES = 110
MAX_FUNCTION_LINES_P95 = 35
BEHAVIOURS = {
    "ab_testing/decide/test_false_findings.py",
    "benchmarks/test_chaos.py",
    "clickloop/cli/test_database_away.py",
    "clickloop/cli/test_dead_letters.py",
    "clickloop/cli/importing/formats/test_json_formats.py",
    "collector/checks/test_checks.py",
    "collector/intake/schemas/test_numeric_ids.py",
    "serving/encode/test_folders.py",
    "serving/index/lexical/test_scripts.py",
    "serving/index/test_empty.py",
    "serving/index/test_text.py",
}
"""Unit tests that are about what several modules of a room do together."""


def modules(*parts: str) -> Iterator[Path]:
    for part in parts:
        yield from (path for path in sorted((ROOT / part).rglob("*.py")) if path.name != "__init__.py")


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def functions(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_room_is_crowded() -> None:
    rooms: dict[Path, int] = {}
    for path in modules(*PARTS, "benchmarks"):
        rooms[path.parent] = rooms.get(path.parent, 0) + 1
    assert {str(room.relative_to(ROOT)): count for room, count in rooms.items() if count > MAX_MODULES} == {}


def test_every_room_says_what_it_holds() -> None:
    rooms = {path.parent for path in modules(*PARTS, "benchmarks")}
    silent = [room for room in rooms if not ast.get_docstring(ast.parse((room / "__init__.py").read_text()))]
    assert silent == []


def test_modules_are_short() -> None:
    sizes = {str(path.relative_to(ROOT)): lines(path) for path in modules(*PARTS)}
    assert {path: size for path, size in sizes.items() if size > MAX_LINES} == {}
    assert median(sizes.values()) <= MAX_MEDIAN_LINES


def test_functions_are_short() -> None:
    sizes = [size for path in modules(*PARTS) for size in functions(path)]
    assert quantiles(sizes, n=20)[-1] <= MAX_FUNCTION_LINES_P95


def unit_tests() -> list[Path]:
    home = ROOT / "tests" / "unit"
    return sorted(path.relative_to(home) for path in home.rglob("test_*.py"))


@pytest.mark.parametrize("test", unit_tests(), ids=str)
def test_a_unit_test_stands_where_its_module_does(test: Path) -> None:
    assert (ROOT / test.parent).is_dir()
    if str(test) not in BEHAVIOURS:
        assert (ROOT / test.parent / test.name.removeprefix("test_")).exists()
