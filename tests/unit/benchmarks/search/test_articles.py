from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from benchmarks.search.articles import FEW, NARROW, WORDS, grow, read_sources

COUNT = 400
TOPICS = ("printer", "database", "protein", "payment", "chart", "keyboard")


def _page(topic: str, number: int) -> dict[str, Any]:
    sentences = [f"The {topic} number {number} has part {part} that people look for." for part in range(12)]
    return {"id": f"{topic}-{number}", "title": f"About {topic} {number}", "text": " ".join(sentences)}


@pytest.fixture(scope="module")
def pages() -> list[dict[str, Any]]:
    return [_page(topic, number) for topic in TOPICS for number in range(20)]


@pytest.fixture(scope="module")
def articles(pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(grow(read_sources(pages), COUNT, seed=3))


def test_the_same_seed_grows_the_same_articles_and_another_grows_others(
    pages: list[dict[str, Any]], articles: list[dict[str, Any]]
) -> None:
    assert list(grow(read_sources(pages), COUNT, seed=3)) == articles
    assert [one["text"] for one in grow(read_sources(pages), COUNT, seed=4)] != [one["text"] for one in articles]


def test_articles_have_about_the_wanted_words_and_are_all_different(articles: list[dict[str, Any]]) -> None:
    lengths = [len(one["text"].split()) for one in articles]
    assert min(lengths) >= WORDS
    assert max(lengths) < WORDS + 45
    assert len({one["id"] for one in articles}) == len({one["text"] for one in articles}) == COUNT


def test_every_sentence_is_a_real_one_and_comes_once(
    pages: list[dict[str, Any]], articles: list[dict[str, Any]]
) -> None:
    real = {sentence for page in pages for sentence in page["text"].removesuffix(".").split(". ")}
    for one in articles:
        sentences = one["text"].removesuffix(".").split(". ")
        assert set(sentences) <= real
        assert len(set(sentences)) == len(sentences)


def test_most_of_an_article_is_about_the_topic_of_its_source(articles: list[dict[str, Any]]) -> None:
    for one in articles:
        topic = one["title"].split()[1]
        assert one["text"].split().count(topic) >= one["text"].split().count("number") / 2


def test_narrow_fields_hold_for_exactly_their_share(pages: list[dict[str, Any]]) -> None:
    grown = list(grow(read_sources(pages), 2000, seed=1))
    held = Counter(name for one in grown for name in ("few", *NARROW) if one["fields"][name])
    assert held["few"] == FEW
    assert all(held[name] == 2000 // one_in for name, one_in in NARROW.items())


def test_what_is_too_short_to_grow_from_is_left_out() -> None:
    assert read_sources([{"title": "Short", "text": "Only one sentence is here."}]) == []
    assert read_sources([{"title": "", "text": _page("chart", 1)["text"]}]) == []
