"""The normal form of a text: what readers take for the same is written the same.

The index, queries, keys of evidence, synonyms and the spelling of suggestions all compare texts in this form. It is
for comparing only: encoders and people get the text as it was written.

- Width, ligatures, superscripts and composed letters are those of Unicode's NFKC.
- Case is folded: ß is ss, the final sigma is a sigma. Dotted and dotless i, great and small, are one letter i in
  every language, for what is typed does not say in which one it was typed.
- Accents are dropped from Latin and Greek letters; ø, đ, ł and their like lose their stroke. Cyrillic loses stress
  marks, and ё is е; й and ї stay letters of their own. Vowel points are dropped in Arabic, Syriac and Hebrew, with
  the tatweel and the forms of alef and yeh; so is the nukta of Indic scripts. All other marks stay.
- Katakana is hiragana. Digits of every script are those of ASCII.
- Soft hyphens, joiners, zero-width spaces, marks of direction and variants of emoji are nothing.
- Hyphens, apostrophes and quotation marks of typography are those of a typewriter.
"""

from __future__ import annotations

import re
import unicodedata

_ASCII_LETTERS = {
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "ł": "l",
    "ħ": "h",
    "ŧ": "t",
    "ı": "i",
    "æ": "ae",
    "œ": "oe",
    "þ": "th",
    "ŋ": "n",
    "ɓ": "b",
    "ɗ": "d",
    "ƙ": "k",
    "ƴ": "y",
}
_ARABIC = {
    "\u0649": "\u064a",  # alef maksura is yeh
    "\u06cc": "\u064a",  # so is Farsi yeh
    "\u06d2": "\u064a",
    "\u06a9": "\u0643",  # keheh is kaf
    "\u0629": "\u0647",  # teh marbuta is heh
    "\u06c1": "\u0647",
    "\u06be": "\u0647",
    "\u06d5": "\u0647",
    "\u0671": "\u0627",  # alef wasla is alef
    "\u0640": "",  # tatweel
}
_PUNCTUATION = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\u055a\uff07\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    "\u05f3": "'",
    "\u05f4": '"',
    "\u05be": "-",
    "\u2044": "/",
    **dict.fromkeys("\u05c0\u05c3\u05c6", " "),
}
_NUKTAS = "\u093c\u09bc\u0a3c\u0abc\u0b3c\u0cbc\U000110ba"
_CANDRABINDU = {"\u0901": "\u0902"}
_NOTHING = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
"""Characters that show nothing, though Unicode does not call them formats."""

_LEFT_OUT = ((0x0300, 0x036F), (0x0483, 0x0487), (0x0591, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F), (0x06D6, 0x06ED))
_LEFT_OUT_TOO = ((0x0670, 0x0670), (0x0711, 0x0711), (0x0730, 0x074A), (0x08D3, 0x08FF), (0x1AB0, 0x1AFF))
_LEFT_OUT_LAST = ((0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE0F), (0xFE20, 0xFE2F), (0xE0100, 0xE01EF))
_MARKS = (*_LEFT_OUT, *_LEFT_OUT_TOO, *_LEFT_OUT_LAST)
"""Marks that readers can do without, from first to last."""

_CYRILLIC = re.compile("([\u0400-\u04ff])([\u0300-\u036f]+)")
_KEPT_IN_CYRILLIC = re.compile("[^\u0300\u0301]")
_KATAKANA = (0x30A1, 0x30F6)
_TO_HIRAGANA = 0x60


def fold(text: str) -> str:
    """Return the normal form of a text; folding it once more changes nothing."""
    if text.isascii():
        return text.lower()
    return _fold_once(_fold_once(text))  # what the first folding brings together, the second composes


def _fold_once(text: str) -> str:
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFKC", _CYRILLIC.sub(_settle_cyrillic, apart).translate(_FORMS))


def _settle_cyrillic(found: re.Match[str]) -> str:
    """Return a Cyrillic letter with those of its marks that make it another letter."""
    letter, marks = found.groups()
    kept = "".join(_KEPT_IN_CYRILLIC.findall(marks))
    return letter if letter == "е" and kept == "\u0308" else unicodedata.normalize("NFC", letter + kept)


class _Forms(dict[int, str]):
    """What each character becomes; found when it is first met."""

    def __missing__(self, code: int) -> str:
        form = self[code] = _form_of(code, chr(code))
        return form


def _form_of(code: int, character: str) -> str:
    if any(first <= code <= last for first, last in _MARKS):
        return ""
    match unicodedata.category(character):
        case "Cf":
            return ""
        case "Nd":
            return str(unicodedata.decimal(character))
    return chr(code - _TO_HIRAGANA) if _KATAKANA[0] <= code <= _KATAKANA[1] else character


_FORMS = _Forms(
    {
        **str.maketrans(_ASCII_LETTERS | _ARABIC | _PUNCTUATION | _CANDRABINDU),
        **dict.fromkeys(map(ord, _NUKTAS + _NOTHING), ""),
    }
)
