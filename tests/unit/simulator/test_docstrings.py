from pathlib import Path

import pytest

from foundation.errors import NotFound
from simulator.docstrings import docstrings, first_sentence, package_folders, parse_docstrings, public_name

LONG = "It turns slowly at first and then faster and faster. " * 5

MODULE = f'''
def turn(wheel):
    """Turn the `wheel` by hand.

    {LONG}
    """

def brief():
    """Say something short here."""

def _hidden():
    """Turn the hidden wheel by hand.

    {LONG}
    """

class Wheel:
    """Something round that turns.

    {LONG}
    """

    def stop(self):
        """Turn the wheel by hand.

        {LONG}
        """
'''


def write_package(folder: Path) -> Path:
    for name in ("wheels/_inner.py", "wheels/rims/__init__.py", "wheels/tests/test_x.py", "wheels/_lib/x.py"):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(MODULE if name == "wheels/_inner.py" or "test" in name or "_lib" in name else "")
    return folder / "wheels"


def test_public_docstrings_become_documents_under_their_public_names(tmp_path: Path) -> None:
    collection = parse_docstrings([write_package(tmp_path)])

    assert [document["id"] for document in collection.documents] == ["wheels.Wheel", "wheels.Wheel.stop", "wheels.turn"]
    turn = collection.documents[2]
    assert turn["title"] == "wheels.turn"
    assert turn["text"].startswith("It turns slowly")
    assert "by hand" not in turn["text"]


def test_one_sentence_of_two_functions_is_one_query(tmp_path: Path) -> None:
    collection = parse_docstrings([write_package(tmp_path)])

    answers = {collection.queries[query]: set(documents) for query, documents in collection.judgments.items()}
    assert answers == {
        "Turn the wheel by hand.": {"wheels.turn", "wheels.Wheel.stop"},
        "Something round that turns.": {"wheels.Wheel"},
    }


def test_the_limit_keeps_the_same_documents_each_time(tmp_path: Path) -> None:
    folder = write_package(tmp_path)

    assert len(parse_docstrings([folder], limit=2).documents) == 2
    assert parse_docstrings([folder], limit=2) == parse_docstrings([folder], limit=2)


@pytest.mark.parametrize(
    ("docstring", "sentence", "rest"),
    [
        ("Add two\n numbers. Then rest.", "Add two numbers.", "Then rest."),
        ("Compute 1.5 times x\n\nMore here.", "Compute 1.5 times x", "More here."),
        ("See :func:`~a.b` and **c**.", "See ~a.b and c.", ""),
        ("", "", ""),
    ],
)
def test_the_first_sentence_ends_where_a_reader_would_end_it(docstring: str, sentence: str, rest: str) -> None:
    assert first_sentence(docstring) == (sentence, rest)


def test_names_end_at_private_modules() -> None:
    assert public_name(["scipy", "stats", "_continuous"], ["norm"]) == "scipy.stats.norm"
    assert public_name(["numpy", "__init__"], ["where"]) == "numpy.where"


def test_packages_are_found_without_import_and_absent_ones_left_out() -> None:
    assert [folder.name for folder in package_folders(["httpx", "no_such_package"])] == ["httpx"]


def test_too_few_docstrings_are_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="usable docstrings in the installed ones of no_such_package"):
        docstrings(tmp_path, ["no_such_package"])
    assert not (tmp_path / "docstrings").exists()


@pytest.mark.slow
def test_the_scientific_packages_hold_enough(tmp_path: Path) -> None:
    collection = docstrings(tmp_path)

    assert 2000 <= len(collection.documents) <= 2500
    assert docstrings(tmp_path) == collection
