"""What readers take for the same has one normal form."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.contracts import query_key
from foundation.language.folding import fold

SAME = {
    "accents": ["Café crème", "cafe\u0301 cre\u0300me", "CAFÉ CRÈME", "cafe creme"],
    "Vietnamese": ["Đặt lại mật khẩu", "dat lai mat khau", "ĐẶT LẠI MẬT KHẨU"],
    "Polish": ["łódź", "LODZ", "Łódz"],
    "German": ["Straße", "STRASSE", "strasse"],
    "Danish": ["smørrebrød", "SMORREBROD"],
    "width": ["ＦＵＬＬ　Ｗｉｄｔｈ", "Full width"],
    "ligatures": ["ﬁnance oﬀice", "finance office"],
    "sigmas": ["ΌΔΟΣ", "οδός", "οδοσ", "ὁδός"],
    "dotted and dotless i": ["İSTANBUL IĞDIR", "istanbul ığdır", "ıstanbul igdir", "Istanbul Iğdir"],
    "Cyrillic stress and yo": ["Ёлка за\u0301мок", "елка замок"],
    "Arabic points and tatweel": ["كِتَابٌ", "كتاب", "كـــتاب"],
    "forms of alef, yeh and heh": ["أحمد إلى مدينة", "احمد الي مدينه"],
    "Persian letters": ["کتاب", "كتاب"],
    "Hebrew points": ["שָׁלוֹם", "שלום"],
    "Hindi nukta": ["ज़रूरत क़लम", "जरूरत कलम"],
    "joiners": ["क्\u200dष", "क्ष"],
    "Hangul letters": [unicodedata.normalize("NFD", "비밀번호"), "비밀번호"],
    "kana": ["ｶﾞｲﾄﾞ", "ガイド", "がいど", unicodedata.normalize("NFD", "ガイド")],
    "digits": ["٣٤ ३४ ３４", "34 34 34"],
    "soft hyphens and zero width": ["Ge\xadsamt\u200b\ufeff\u2060kon\u200dzept", "gesamtkonzept"],
    "marks of direction": ["\u202babc\u202c", "abc"],
    "typography": ["l’été – «a» “b”", 'l\'ete - "a" "b"'],
    "emoji variants": ["☎\ufe0f", "☎"],
}


@pytest.mark.parametrize("forms", SAME.values(), ids=SAME.keys())
def test_forms_of_the_same_are_one(forms: list[str]) -> None:
    assert {fold(form) for form in forms} == {fold(forms[-1])}
    assert {query_key(form) for form in forms} == {query_key(forms[-1])}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("мой", "мои"),
        ("їжак", "іжак"),
        ("か", "が"),
        ("रस", "रास"),
        ("ดี", "ดู"),
        ("c", "c++"),
        ("a.b", "ab"),
        ("ש", "ס"),
    ],
)
def test_what_readers_tell_apart_stays_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(st.text(max_size=30))
def test_folding_once_is_enough_however_it_was_composed(text: str) -> None:
    folded = fold(text)

    assert fold(folded) == folded
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))
    assert fold(text.casefold()) == folded


@given(st.text(max_size=30))
def test_a_key_has_single_spaces_and_is_its_own_key(query: str) -> None:
    key = query_key(query)

    assert query_key(key) == key
    assert key == " ".join(key.split(" ")).strip()
    assert query_key(f" {query}\t ") == key
