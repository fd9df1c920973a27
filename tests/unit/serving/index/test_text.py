"""Passages and signatures of texts."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from serving.index.fingerprint import dice, fingerprint
from serving.index.passages import PASSAGE_WORDS, cut_passages, split_passages, words_for
from serving.present.snippet import cut_snippet

TEXTS = st.text(st.characters(codec="utf-8"), max_size=300)


@given(TEXTS, TEXTS)
def test_passages_lose_no_word_and_none_is_long(title: str, text: str) -> None:
    passages = split_passages(title, text, words=5)

    assert passages
    assert all(len(passage.split()) <= 5 + len(title.split()) + 1 for passage in passages)
    joined = " ".join(passages)
    assert all(word.strip(". ") in joined for word in text.split())


def test_sentences_stay_whole_and_every_passage_names_the_title() -> None:
    passages = split_passages("Title", "One two three. Four five six. Seven.", words=6)

    assert passages == ["Title. One two three. Four five six", "Title. Seven"]


def test_passages_are_as_long_as_the_encoder_reads() -> None:
    assert [words_for(tokens) for tokens in (1, 64, 160, 512, 8192)] == [1, 24, PASSAGE_WORDS, 192, 192]


def test_a_document_without_text_is_its_title() -> None:
    assert split_passages("Only a title", "") == ["Only a title"]


@given(TEXTS, TEXTS)
def test_spelling_overlap_is_symmetric_within_bounds_and_whole_for_equal_texts(one: str, other: str) -> None:
    there, back = dice(fingerprint(one), fingerprint(other)[None]), dice(fingerprint(other), fingerprint(one)[None])

    assert there == back
    assert 0 <= there[0] <= 1
    assert dice(fingerprint(one), fingerprint(one)[None])[0] in ({1.0} if fingerprint(one).any() else {0.0})


def test_inflections_overlap_more_than_other_words() -> None:
    near, far = dice(
        fingerprint("numbering pages"), np.stack([fingerprint("numbered page"), fingerprint("fonts for headings")])
    )

    assert near > 0.5
    assert far < 0.2


LONG = " ".join(
    f"Sentence number {number} talks about subject {number} at some length, as pages do." for number in range(40)
)


def test_a_snippet_is_cut_where_the_words_of_the_query_stand() -> None:
    snippet = cut_snippet(LONG, "subject 31")

    assert "31" in snippet
    assert snippet.startswith("…")
    assert len(snippet) < 220


def test_of_passages_with_equal_words_the_nearest_in_meaning_is_shown() -> None:
    passages = cut_passages(LONG)
    meaning = [0.1] * len(passages)
    meaning[3] = 0.9

    assert cut_snippet(LONG, "unrelated", meaning).strip("… ")[:30] in passages[3]
