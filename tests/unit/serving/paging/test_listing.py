"""Pages make up the whole list, whatever changes meanwhile."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.arrays import Flags
from foundation.errors import InvalidRequest
from serving.index.corpus import Corpus
from serving.index.fields.request import parse_sort
from serving.paging.cursor import Cursor, digest_of, read_cursor
from serving.paging.listing import arrange, newest_first, read_page
from tests.catalogs import add, make_corpus

DIGEST = digest_of("q")
SORTS = ["price", "-price", ["brand", "-price"], "-brand", "-when", {"near": {"field": "at", "lat": 48.0, "lon": 16.0}}]


def product(number: int, random_: random.Random) -> dict[str, Any]:
    fields: dict[str, Any] = {"price": random_.choice([1, 2, 3.5]), "brand": random_.choice(["a", "b", "ß"])}
    fields |= {"when": f"2026-01-0{random_.randrange(1, 5)}", "at": {"lat": random_.randrange(40, 50), "lon": 16}}
    kept = {name: value for name, value in fields.items() if random_.random() < 0.8}
    return {"id": f"p{number}", "title": f"product {number}", **kept}


def mask(corpus: Corpus) -> Flags:
    return corpus.present()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), sort=st.sampled_from(SORTS), head=st.integers(0, 12), limit=st.integers(1, 7))
def test_pages_hold_every_document_once_while_others_come_and_go(seed: int, sort: Any, head: int, limit: int) -> None:
    chance = random.Random(seed)
    documents = [product(number, chance) for number in range(30)]
    corpus = make_corpus(documents)
    keys = parse_sort(sort, corpus.fields.types)
    rows = np.flatnonzero(mask(corpus))
    first = rows[chance.randrange(5) :][:head]
    cursor: Cursor | None = Cursor(DIGEST, head=tuple(corpus.columns.keys[first].tolist()))
    seen: list[str] = []
    removed: set[str] = set()
    while cursor is not None:
        page = read_page(corpus, cursor, limit, matched=mask(corpus), allowed=None, keys=keys)
        seen += [corpus.name(row) for row in page.rows.tolist()]
        gone = chance.choice(documents)["id"]
        corpus.tombstone([gone])
        removed.add(gone)
        kept = chance.choice(documents)
        if kept["id"] not in removed:
            add(corpus, [{**kept, "text": "said otherwise"}])  # its sorted fields stay
        cursor = read_cursor(page.after.write(), DIGEST) if page.after else None
    assert len(seen) == len(set(seen))
    assert set(seen) >= {one["id"] for one in documents} - removed


def test_a_list_is_ordered_by_its_fields_and_pages_cut_it() -> None:
    chance = random.Random(0)
    corpus = make_corpus([product(number, chance) for number in range(40)])
    keys = parse_sort(["brand", "-price"], corpus.fields.types)
    whole = arrange(corpus, np.flatnonzero(mask(corpus)), keys).tolist()
    fields = [corpus.document(row).fields for row in whole]
    assert fields == sorted(fields, key=lambda one: (one.get("brand", "\uffff"), -one.get("price", -1)))
    page = read_page(corpus, Cursor(DIGEST), 25, matched=mask(corpus), allowed=None, keys=keys)
    assert page.after
    rest = read_page(corpus, page.after, 25, matched=mask(corpus), allowed=None, keys=keys)
    assert [*page.rows.tolist(), *rest.rows.tolist()] == whole
    assert rest.after is None


def test_a_cursor_of_another_order_is_refused() -> None:
    corpus = make_corpus([product(1, random.Random(1))])
    cursor = Cursor(DIGEST, after=([1, 2], 5))
    with pytest.raises(InvalidRequest, match="begin anew"):
        read_page(corpus, cursor, 5, matched=mask(corpus), allowed=None, keys=())


def test_the_latest_change_comes_first() -> None:
    corpus = make_corpus([product(number, random.Random(2)) for number in range(3)])
    add(corpus, [{"id": "p0", "title": "changed"}])
    assert [corpus.name(row) for row in newest_first(corpus, np.flatnonzero(mask(corpus))).tolist()] == [
        "p0",
        "p2",
        "p1",
    ]
