"""The field's words alone: no name of before the glossary is left where code, API, settings and documentation speak."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
OLD = re.compile(
    r"(?<![A-Za-z])_?("
    r"oblivion|hearing|rehears\w*|schools?|lessons?|workshops?|shel(?:f|ves)|laps|line-?_?ups?|companions?|doors?"
    r"|receptions?|patience(?:_m?s)?|generations?|(?-i:LEAST_\w+|MOST_\w+)|least_users|unheard"
    r")(?![a-z])",
    re.IGNORECASE,
)
PARTS = (
    *("foundation", "collector", "ab_testing", "serving", "retrainer", "simulator", "console", "clickloop"),
    *("benchmarks", "docs"),
)
SUFFIXES = {".py", ".md", ".html", ".js"}
COMPATIBLE = {
    ROOT / "foundation" / "sections.py",  # settings under their old names
    ROOT / "serving" / "http" / "index.py",  # fields of answers under their old names
    ROOT / "serving" / "live" / "loader.py",
    ROOT / "CHANGELOG.md",
}
"""Where an old name is read for one release more."""


def spoken() -> list[Path]:
    """Return the files in which the product speaks; released migrations stay as they were."""
    inside = [path for part in PARTS for path in (ROOT / part).rglob("*") if path.suffix in SUFFIXES]
    return [path for path in (*inside, *ROOT.glob("*.md"), ROOT / "pyproject.toml") if path not in COMPATIBLE]


def test_no_old_word_is_left() -> None:
    left = [
        f"{path.relative_to(ROOT)}:{number}: {found[0]}"
        for path in spoken()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for found in OLD.finditer(line)
    ]
    assert left == []


def test_no_class_has_the_name_of_another() -> None:
    classes: dict[str, list[str]] = {}
    for path in spoken():
        if path.suffix == ".py":
            for name in re.findall(r"^class ([A-Z]\w+)", path.read_text(), re.MULTILINE):
                classes.setdefault(name, []).append(str(path.relative_to(ROOT)))
    twice = {name: places for name, places in classes.items() if len(places) > 1}
    del twice["ClickloopRetriever"]  # LangChain's and LlamaIndex's, as each of their users looks for it
    for shared in ("Hit", "Answer"):
        twice.pop(shared, None)
    assert twice == {}
