"""The LibreOffice help centre as a judged collection, out of its Debian package.

The documents are its pages. The queries are the phrases of the index its authors wrote for people
who look something up, each with the pages the index sends them to. The phrases stand in the pages'
metadata too, which is dropped, so that no page contains its own queries by construction.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bs4 import BeautifulSoup, Tag

from foundation.errors import InvalidRequest, NotFound
from simulator.collection import JudgedCollection, cached, judge_phrases

PACKAGE = "libreoffice-help-en-us"
SITE = "https://help.libreoffice.org/latest/"
LANGUAGE = "en-US"

APPS = {
    "sbasic": "BASIC",
    "scalc": "CALC",
    "schart": "CHART",
    "sdatabase": "BASE",
    "sdraw": "DRAW",
    "simpress": "IMPRESS",
    "smath": "MATH",
    "swriter": "WRITER",
}
"""Folder of the pages of an application, and the name by which pages switch their wording for it."""

BLOCKS = ["p", "div", "br", "h1", "h2", "h3", "h4", "h5", "h6", "td", "th", "tr", "li", "pre"]
UNREAD = "script, style, nav, noscript, iframe, meta, .relatedtopics"
"""What a page holds beside its own text: machinery, and links that name other pages."""

_ENTRY = re.compile(r'\{url:"([^"?#]*)[^"]*",\s*app:"[^"]*",\s*text:"((?:[^"\\]|\\.)*)"\}')

Run = Callable[[list[str], Path], None]


def help_centre(cache: Path, run: Run | None = None) -> JudgedCollection:
    """Return the help centre, about 2,500 pages and 6,500 phrases.

    The first call downloads the Debian package (2 MB) with apt, which needs no root where the
    package lists are there, unpacks and parses it, in about half a minute; later calls read what
    the first one left in `cache`.

    Raises:
        NotFound: apt or the package cannot be had here; the message says what to do.
        InvalidRequest: The package holds something else than expected; the message says where.
    """

    def build() -> JudgedCollection:
        with TemporaryDirectory() as unpacked:
            (run or _run)(["dpkg-deb", "-x", str(_package(cache, run or _run)), unpacked], cache)
            return parse_help(Path(unpacked) / "usr/share/libreoffice/help")

    return cached(cache / PACKAGE, build)


def parse_help(folder: Path) -> JudgedCollection:
    """Return the collection of an unpacked help: pages under `en-US/text`, phrases of `en-US/bookmarks.js`.

    Raises:
        NotFound: There are no pages or no index.
        InvalidRequest: An entry of the index cannot be read.
    """
    root = folder / LANGUAGE
    documents = [page for file in sorted((root / "text").rglob("*.html")) if (page := _page(root, file))]
    if not documents:
        raise NotFound(f"no help page lies under {root / 'text'}; is {folder} the unpacked help?")
    known = {document["id"] for document in documents}
    answers = (entry for entry in index_entries(root / "bookmarks.js") if entry[1] in known)
    return judge_phrases(documents, answers, "lookup-")


def index_entries(file: Path) -> Iterator[tuple[str, str]]:
    """Yield the phrase and page id of every entry of a `bookmarks.js`.

    Raises:
        NotFound: The file is missing.
        InvalidRequest: An entry cannot be read; the message names file and line.
    """
    if not file.is_file():
        raise NotFound(f"{file} is missing; the index of the help centre is expected there")
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if line.lstrip().startswith("{"):
            entry = _ENTRY.search(line)
            if entry is None:
                raise InvalidRequest(f"{file} line {number}: not an index entry with url, app and text: {line[:80]!r}")
            yield look_up_phrase(entry[2]), entry[1].removeprefix(f"{LANGUAGE}/text/").removesuffix(".html")


def look_up_phrase(entry: str) -> str:
    """Return an index entry as a person would type it: "tables -- deleting rows" is "tables deleting rows"."""
    text = html.unescape(re.sub(r"\\(.)", r"\1", entry))
    return " ".join(re.sub(r"\s--\s", " ", text).split())


def page_text(page: BeautifulSoup, app: str) -> tuple[str, str]:
    """Return title and visible text of a help page, spaces collapsed; the text leaves a leading title out.

    Of wordings that switch by system or application, the one for Linux and `app` is kept, "" for a shared page. The
    parsed page is changed.
    """
    area = page.find(id="DisplayArea")
    if not isinstance(area, Tag):
        return "", ""
    for unread in area.select(UNREAD):
        unread.decompose()
    for switch in area.find_all("span", class_=["switch", "switchinline"]):
        _settle(switch, {"UNIX", app})
    for block in area.find_all(BLOCKS):
        block.append(" ")
    heading = area.find("h1") or page.find("title")
    title, text = _visible(heading), _visible(area)
    return title, text.removeprefix(title).strip() or text


def _settle(switch: Tag, wanted: set[str]) -> None:
    choices = switch.find_all("span", hidden=True, recursive=False)
    named = [choice for choice in choices if wanted & set(choice.get_attribute_list("class"))]
    default = [choice for choice in choices if str(choice.get("id", "")).startswith("default")]
    foreign = [choice for choice in choices if {"MAC", "WIN"} & set(choice.get_attribute_list("class"))]
    # Where nothing is meant for this reader, any application's wording says more than a gap.
    others = [choice for choice in choices if choice not in foreign]
    kept = (named or default or others)[:1]
    for choice in choices:
        if not any(choice is one for one in kept):
            choice.decompose()


def _visible(tag: Any) -> str:
    return " ".join(tag.get_text().split()) if tag is not None else ""


def _page(root: Path, file: Path) -> dict[str, Any] | None:
    path = file.relative_to(root / "text")
    app = APPS.get(path.parts[0], "")
    title, text = page_text(BeautifulSoup(file.read_bytes(), "lxml"), app)
    if not text:
        return None
    url = f"{SITE}{LANGUAGE}/text/{path.as_posix()}"
    page = path.with_suffix("").as_posix()
    return {"id": page, "title": title or page, "text": text, "url": url, "fields": {"app": app.lower() or "shared"}}


def _package(cache: Path, run: Run) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    name = f"{PACKAGE}_*.deb"
    if not any(cache.glob(name)):
        # Downloaded beside and moved, so that an interrupted download is never taken for the package.
        with TemporaryDirectory(dir=cache) as scratch:
            _download(Path(scratch), run)
            for package in Path(scratch).glob(name):
                package.replace(cache / package.name)
    if not (there := sorted(cache.glob(name))):
        raise NotFound(f"`apt-get download {PACKAGE}` left no {name}; put one into {cache} by hand")
    return there[-1]


def _download(folder: Path, run: Run) -> None:
    download = ["apt-get", "download", PACKAGE]
    try:
        run(download, folder)
    except NotFound:
        # Only root may refresh the package lists; for anyone else the first message says it all.
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise
        run(["apt-get", "update"], folder)
        run(download, folder)


def _run(command: list[str], folder: Path) -> None:
    command_line = " ".join(command)
    program = shutil.which(command[0])
    if program is None:
        raise NotFound(f"{command[0]} is not installed; {PACKAGE} needs Debian or Ubuntu, other systems use docstrings")
    try:
        # The commands are this module's own, and no shell reads them.
        subprocess.run([program, *command[1:]], cwd=folder, capture_output=True, text=True, timeout=120, check=True)  # noqa: S603
    except subprocess.TimeoutExpired as problem:
        raise NotFound(f"`{command_line}` did not end within 120 s; is the Debian mirror within reach?") from problem
    except subprocess.CalledProcessError as problem:
        last = (problem.stderr.strip().splitlines() or ["no message"])[-1]
        raise NotFound(f"`{command_line}` failed: {last}; run `apt-get update` as root and try again") from problem
