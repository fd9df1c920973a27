import os
import shutil
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from foundation.errors import InvalidRequest, NotFound
from simulator.help_centre import help_centre, index_entries, look_up_phrase, page_text, parse_help

PAGE = """<!DOCTYPE html><html><head><title>Kites &amp; strings</title><script>var secret = 1</script></head>
<body><nav>Contents Index</nav><div id="DisplayArea">
<meta itemprop="keywords" content="knots, tying"><h1><a name="h"></a>Flying a <b>kite</b></h1>
<script>track()</script>
<p>Hold the line<span class="emph">.</span></p><p>Walk   against
the wind.</p><table><tr><td>Wind</td><td>Line</td></tr></table>
<p>Press <span class="switchinline"><span hidden="true" class="MAC">Command</span><span hidden="true"
id="defaultx_1">Ctrl</span></span> + K in <span class="switch"><span hidden="true" class="CALC">sheets</span><span
hidden="true" class="WRITER">letters</span></span>.</p>
<div class="relatedtopics"><p>See also balloons</p></div></div><footer>Imprint</footer></body></html>"""

INDEX = """var bookmarks = [
{url:"en-US/text/swriter/kite.html?DbPAR=WRITER#bm_1", app:"WRITER", text:"kites --  flying"},
{url:"en-US/text/shared/empty.html?DbPAR=SHARED#bm_2", app:"SHARED", text:"nothing"},
{url:"en-US/text/shared/knots.html?DbPAR=SHARED#bm_3", app:"SHARED", text:"&#34;\\\\&#34; knots -- tying"},
{url:"en-US/text/swriter/kite.html#bm_4", app:"WRITER", text:"Kites -- Flying"},
{url:"en-US/text/shared/knots.html#bm_5", app:"SHARED", text:"kites -- flying"},
];
"""


def write_help(folder: Path) -> Path:
    text = folder / "en-US" / "text"
    (text / "swriter").mkdir(parents=True)
    (text / "shared").mkdir()
    (text / "swriter" / "kite.html").write_text(PAGE, encoding="utf-8")
    (text / "shared" / "knots.html").write_text("<div id=DisplayArea><h2>Knots</h2><p>Tie them.</p></div>")
    (text / "shared" / "empty.html").write_text("<title>Empty</title><div id=DisplayArea> </div>")
    (text / "shared" / "frame.html").write_text("<p>No display area</p>")
    (folder / "en-US" / "bookmarks.js").write_text(INDEX, encoding="utf-8")
    return folder


def read(app: str) -> tuple[str, str]:
    return page_text(BeautifulSoup(PAGE, "lxml"), app)


def test_a_page_is_read_as_its_reader_sees_it() -> None:
    title, text = read("WRITER")

    assert title == "Flying a kite"
    assert text == "Hold the line. Walk against the wind. Wind Line Press Ctrl + K in letters."


def test_wording_follows_the_application_and_never_leaves_a_gap() -> None:
    assert "in sheets" in read("CALC")[1]
    assert "in sheets" in read("")[1]
    assert "letters" not in read("")[1]


def test_index_phrases_do_not_leak_into_pages() -> None:
    assert "tying" not in read("WRITER")[1]


def test_pages_without_text_are_left_out(tmp_path: Path) -> None:
    collection = parse_help(write_help(tmp_path))

    assert [document["id"] for document in collection.documents] == ["shared/knots", "swriter/kite"]
    kite = collection.documents[1]
    assert kite["url"].endswith("/en-US/text/swriter/kite.html")
    assert kite["fields"] == {"app": "writer"}
    assert collection.documents[0]["title"] == "shared/knots"


def test_equal_phrases_are_one_query_with_all_their_pages(tmp_path: Path) -> None:
    collection = parse_help(write_help(tmp_path))

    answers = {collection.queries[query]: set(pages) for query, pages in collection.judgments.items()}
    assert answers == {"kites flying": {"swriter/kite", "shared/knots"}, '"\\" knots tying': {"shared/knots"}}


@pytest.mark.parametrize(
    ("entry", "phrase"),
    [
        ("gloves --  washing by hand", "gloves washing by hand"),
        ("&#34;a &amp; b&#34; signs", '"a & b" signs'),
        ("well-known -- places -- north", "well-known places north"),
        (r"dividing (\\)", "dividing (\\)"),
        ("= -- in sums", "= in sums"),
    ],
)
def test_an_index_entry_reads_like_something_typed(entry: str, phrase: str) -> None:
    assert look_up_phrase(entry) == phrase


def test_a_broken_index_entry_is_named(tmp_path: Path) -> None:
    file = tmp_path / "bookmarks.js"
    file.write_text('var bookmarks = [\n{url:"en-US/text/a.html", text:"no app"},\n];\n')

    with pytest.raises(InvalidRequest, match=r"bookmarks\.js line 2: not an index entry"):
        list(index_entries(file))


def test_missing_pages_and_a_missing_index_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no help page"):
        parse_help(tmp_path)
    with pytest.raises(NotFound, match="bookmarks"):
        list(index_entries(tmp_path / "bookmarks.js"))


class Debian:
    """Answers apt-get and dpkg-deb with a small package."""

    def __init__(self, has_lists: bool = True) -> None:
        self.has_lists = has_lists
        self.commands: list[str] = []

    def __call__(self, command: list[str], folder: Path) -> None:
        self.commands.append(" ".join(command[:2]))
        if command[:2] == ["apt-get", "update"]:
            self.has_lists = True
        elif command[:2] == ["apt-get", "download"]:
            if not self.has_lists:
                raise NotFound("no lists")
            (folder / "libreoffice-help-en-us_1_all.deb").write_text("package")
        else:
            write_help(Path(command[-1]) / "usr/share/libreoffice/help")


def test_the_package_is_fetched_once(tmp_path: Path) -> None:
    debian = Debian()

    first = help_centre(tmp_path / "cache", debian)

    assert help_centre(tmp_path / "cache", debian) == first
    assert debian.commands == ["apt-get download", "dpkg-deb -x"]


def test_a_package_that_is_there_needs_no_network(tmp_path: Path) -> None:
    (tmp_path / "libreoffice-help-en-us_7_all.deb").write_text("package")
    debian = Debian()

    help_centre(tmp_path, debian)

    assert debian.commands == ["dpkg-deb -x"]


@pytest.mark.parametrize(("user", "fetched"), [(0, True), (1000, False)])
def test_only_root_refreshes_the_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, fetched: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    debian = Debian(has_lists=False)

    if fetched:
        assert help_centre(tmp_path, debian).documents
        assert debian.commands == ["apt-get download", "apt-get update", "apt-get download", "dpkg-deb -x"]
    else:
        with pytest.raises(NotFound, match="no lists"):
            help_centre(tmp_path, debian)


def test_a_system_without_apt_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with pytest.raises(NotFound, match=r"apt-get is not installed; .* needs Debian or Ubuntu"):
        help_centre(tmp_path)


def test_a_failing_command_says_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "apt-get"
    program.write_text("#!/bin/sh\necho 'E: mirror is away' >&2\nexit 100\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(program))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(NotFound, match="mirror is away; run `apt-get update`"):
        help_centre(tmp_path / "cache")
