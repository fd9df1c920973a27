import json
from pathlib import Path

from rich.console import Console

from clickloop.cli.projects.page import ProjectPage, ProjectTable, figures, sign, span

TABLE = ProjectTable("Systems", ("system", "nDCG@10"), [("words|meaning", *figures([0.5]))])
PAGE = ProjectPage("A shop", ["Twenty queries."], [TABLE], {"systems": "<svg/>"}, {"queries": 20})


def test_a_page_is_written_with_its_pictures_and_facts(tmp_path: Path) -> None:
    PAGE.write(tmp_path / "shop")

    assert (tmp_path / "shop" / "page.md").read_text() == (
        "# A shop\n\nTwenty queries.\n\n![systems](systems.svg)\n\n"
        "## Systems\n\n| system | nDCG@10 |\n| --- | --- |\n| words\\|meaning | 0.5000 |\n"
    )
    assert (tmp_path / "shop" / "systems.svg").read_text() == "<svg/>"
    facts = json.loads((tmp_path / "shop" / "facts.json").read_text())
    assert facts == {"title": "A shop", "notes": ["Twenty queries."], "queries": 20}


def test_a_page_is_printed() -> None:
    console = Console(record=True, width=80)

    PAGE.print(console)

    told = console.export_text()
    assert all(word in told for word in ("A shop", "Systems", "words|meaning", "0.5000", "Twenty queries."))


def test_changes_have_their_sign() -> None:
    assert sign(0.0314, 3) == "+0.031"
    assert span(-0.01, 0.02) == "-0.0100 to +0.0200"
