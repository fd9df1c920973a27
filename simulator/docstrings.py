"""The docstrings of installed scientific packages as a judged collection.

The same form as the help centre, for systems without Debian's packages: the query is a docstring's
first sentence, the document is the rest under its dotted name. Sources are parsed, never imported.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from typing import Any

from foundation.errors import NotFound
from foundation.ids import digest_bytes
from simulator.collection import JudgedCollection, cached, judge_phrases

PACKAGES = ("numpy", "scipy", "torch")
LIMIT = 2500
MIN_DOCUMENTS = 2000
MIN_REST_CHARACTERS = 200
QUERY_WORDS = range(3, 31)

_SENTENCE = re.compile(r".+?[.!?](?=\s|$)", re.DOTALL)
_PARAGRAPH_END = re.compile(r"\n\s*\n")
_MARKUP = re.compile(r":\w+(?::\w+)*:|[`*]+")

Docstring = tuple[str, str]


def docstrings(cache: Path, packages: Sequence[str] = PACKAGES) -> JudgedCollection:
    """Return 2,000 to 2,500 docstrings; the first call takes about 20 s, later ones read `cache`.

    Raises:
        NotFound: Fewer than 2,000 usable docstrings are installed.
    """
    return cached(cache / "docstrings", lambda: _enough(parse_docstrings(package_folders(packages)), packages))


def package_folders(packages: Sequence[str]) -> list[Path]:
    """Return the folders of those packages that are installed, without importing them."""
    specs = [find_spec(package) for package in packages]
    return [Path(folder) for spec in specs if spec for folder in spec.submodule_search_locations or ()]


def parse_docstrings(folders: Sequence[Path], limit: int = LIMIT) -> JudgedCollection:
    """Return at most `limit` docstrings of the packages in some folders, chosen by a digest of their names."""
    documents: dict[str, dict[str, Any]] = {}
    asked: dict[str, str] = {}
    for folder in folders:
        for name, text in _docstrings(folder):
            query, rest = first_sentence(text)
            if len(query.split()) in QUERY_WORDS and len(rest) >= MIN_REST_CHARACTERS and name not in documents:
                fields = {"package": folder.name}
                documents[name] = {"id": name, "title": name, "text": rest, "url": "", "fields": fields}
                asked[name] = query
    kept = sorted(documents, key=lambda name: digest_bytes(name.encode()))[:limit]
    answers = [(asked[name], name) for name in sorted(kept)]
    return judge_phrases([documents[name] for _, name in answers], answers, "sentence-")


def first_sentence(docstring: str) -> tuple[str, str]:
    """Return the first sentence of a docstring, its first paragraph at most, and the rest, both without markup."""
    text = docstring.strip()
    paragraph = _PARAGRAPH_END.split(text, maxsplit=1)[0]
    found = _SENTENCE.match(paragraph)
    sentence = found.group() if found else paragraph
    return _plain(sentence), _plain(text[len(sentence) :])


def public_name(module: Sequence[str], names: Sequence[str]) -> str:
    """Return the dotted name by which people know an object: a module's path ends at its first private part."""
    public = takewhile(lambda part: not part.startswith("_"), module)
    return ".".join([*public, *names])


def _enough(collection: JudgedCollection, packages: Sequence[str]) -> JudgedCollection:
    if len(collection.documents) < MIN_DOCUMENTS:
        raise NotFound(
            f"only {len(collection.documents)} usable docstrings in the installed ones of {', '.join(packages)}; "
            f"{MIN_DOCUMENTS} are needed: install these packages or bring a collection in BEIR form"
        )
    return collection


def _docstrings(folder: Path) -> Iterator[Docstring]:
    for file in sorted(folder.rglob("*.py")):
        path = file.relative_to(folder).with_suffix("").parts
        if not any(_unread(part) for part in path[:-1]) and not path[-1].startswith(("test", "conftest")):
            with warnings.catch_warnings():
                # Other people's invalid escapes are not this program's warnings.
                warnings.simplefilter("ignore", SyntaxWarning)
                warnings.simplefilter("ignore", DeprecationWarning)
                tree = ast.parse(file.read_bytes())
            yield from _of_body(tree.body, [folder.name, *path], [])


def _unread(folder: str) -> bool:
    # Private folders are machinery, but for numpy's core, which holds most of its functions.
    return folder.startswith("test") or (folder.startswith("_") and folder != "_core")


def _of_body(body: Sequence[ast.stmt], module: list[str], above: list[str]) -> Iterator[Docstring]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            names = [*above, node.name]
            if text := ast.get_docstring(node):
                yield public_name(module, names), text
            if isinstance(node, ast.ClassDef):
                yield from _of_body(node.body, module, names)


def _plain(text: str) -> str:
    return " ".join(_MARKUP.sub("", text).split())
