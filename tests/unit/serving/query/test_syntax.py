"""What people type between words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.index.fields.values import FieldType
from serving.query.syntax import AskedText, Term, read_operators

TYPES: dict[str, FieldType] = {"brand": "keyword", "price": "number", "new": "boolean", "vendor.name": "keyword"}


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("toner -laser", AskedText("toner", (), (Term("laser"),), "-laser")),
        ('toner -"hp laser"', AskedText("toner", (), (Term("hp laser"),), '-"hp laser"')),
        ("laser OR inkjet toner", AskedText("laser inkjet toner", ((Term("laser"), Term("inkjet")),), (), "OR")),
        ('print "two sided"', AskedText('print "two sided"', ((Term("two sided"),),))),
        ("brand:acme toner", AskedText("toner", ((Term("acme", "brand"),),), (), "brand:acme")),
        (
            'vendor.name:"Acme Inc" x',
            AskedText("x", ((Term("Acme Inc", "vendor.name"),),), (), 'vendor.name:"Acme Inc"'),
        ),
        ("price:10 toner", AskedText("toner", ((Term("10", "price", 10.0),),), (), "price:10")),
        ("new:true toner", AskedText("toner", ((Term("true", "new", True),),), (), "new:true")),
        ("toner -brand:acme", AskedText("toner", (), (Term("acme", "brand"),), "-brand:acme")),
        ("title:toner", AskedText("", ((Term("toner", "title"),),), (), "title:toner")),
        (
            "brand:acme OR brand:hp ink",
            AskedText("ink", ((Term("acme", "brand"), Term("hp", "brand")),), (), "brand:acme OR brand:hp"),
        ),
    ],
)
def test_operators_are_demands(text: str, asked: AskedText) -> None:
    assert read_operators(text, TYPES) == asked


@pytest.mark.parametrize(
    "text",
    [
        "-toner",  # nothing would be left to search for
        "-toner -ink",
        "rm -rf folder",
        "temperature -5",
        "OR",
        "toner OR",
        "OR toner",
        "toner OR OR ink",
        "toner or ink",
        "toner - ink",
        '"unbalanced quote',
        '""',
        "color:red toner",  # no field of that name
        "http://example.org/a std::vector C:\\windows",
        "note: see below",
        "price:cheap toner",
        "new:maybe toner",
        "brand:... toner",
        "well-known e-mail",
        '5" screen',
    ],
)
def test_what_makes_no_sense_is_text(text: str) -> None:
    assert read_operators(text, TYPES) == AskedText(text)


PIECES = [*'abOR-:" ,.*“”\u0301ß漢', "price", "brand", "OR ", " -", "true", ' "']


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text_is_read_and_keeps_its_words(text: str) -> None:
    asked = read_operators(text, TYPES)
    if not asked.demands:
        assert asked == AskedText(text)
        return
    told = f"{asked.text} {asked.operators}".split()
    assert sorted(told) == sorted(text.split())
    assert asked.text or asked.required, "an exclusion alone lists nothing in particular"
