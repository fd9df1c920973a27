"""Masks e-mail addresses, payment cards and phone numbers in what people typed, before it is kept.

Searches depend on order, part and serial numbers, so these must survive. A card has the grouping, the issuer's first
digits and the check digit of a card. A phone number follows libphonenumber's rules and is written as one: with a
country code, in the grouping of its country, or behind a word such as "call". A plain run of digits stays.

A mask is never longer than what it stands for, so a text that fitted a limit still does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from phonenumbers import Leniency, PhoneNumberMatcher

EMAIL, CARD, PHONE = "[mail]", "[card]", "[phone]"

_LETTER = r"[\w.!#$%&'*+/=?^`{|}~-]"
_LOCAL = rf"(?<!{_LETTER})[^\s.@,;:<>()\"\[\]\\]{_LETTER}*|\"[^\"@]{{1,64}}\""
_AT = r"(?:[@\uff20]|\s?[\[({]\s?(?:at|@)\s?[\])}]\s?)"
_DOT = r"(?:\.|\s?[\[({]\s?(?:dot|\.)\s?[\])}]\s?)"
_DOMAIN = rf"(?:[^\W_](?:[\w-]*\w)?{_DOT})+(?P<top>[^\W\d_]{{2,24}})(?![\w-])"
_EMAIL = re.compile(f"(?:{_LOCAL}){_AT}{_DOMAIN}", re.IGNORECASE)
_FILES = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "css", "js", "ts", "json", "pdf"})
"""What stands behind the dot in "icon@2x.png"."""

_CARD = re.compile(
    r"(?<![\w.-])(?:\d{4}(?P<gap>[ -]?)\d{4}(?P=gap)\d{4}(?P=gap)(?:\d{4}(?P=gap)\d{3}|\d{1,4})"
    r"|\d{4}(?P<short>[ -])\d{6}(?P=short)\d{4,5}|\d{14,15})(?![\w-])"
)
_ISSUERS = re.compile(
    r"4\d{15}|4\d{18}"  # Visa; those of 13 digits are no longer issued, and article numbers are as long
    r"|(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[68]\d)\d{11}"  # Diners
    r"|6(?:011|5\d{2}|4[4-9]\d)\d{12}"  # Discover
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    r"|62\d{14,17}"  # UnionPay
    r"|(?:50[0-9]{2}|5[6-8]\d{2}|6304|67\d{2})\d{12}"  # Maestro, of the length in use
    r"|220[0-4]\d{12}"  # Mir
)

_ENOUGH_DIGITS = re.compile(r"(?:\d\W{0,3}){7,24}")
_MAX_RUNS = 8
"""Runs of digits that the countries are asked about, some milliseconds each; with more, all are masked unasked."""
_ABROAD = re.compile(r"\(?(?:[+\uff0b]|00)")
_NOT_A_PHONE = re.compile(
    r"\d{4}([-./])\d\d?\1\d\d?|\d\d?([-./])\d\d?\2\d{4}|\d{1,3}(?:\.\d{1,3}){3}|.*\d ?x.*"
)  # dates, IPv4, sizes
_GOES_ON = ("/", "-", ".", "+", "*")
_LEADS = re.compile(
    r"(?:\b(?:tel|phone|telephone|call|calling|dial|mobile|cell|fax|whatsapp|sms|telefon|telefonnummer|handy|anruf|"
    r"rufnummer|téléphone|telephone|portable|appeler|teléfono|telefono|móvil|llamar|cellulare|chiamare|telefone|"
    r"celular|telefoon|bellen|telefonu)\b|[☎📞📱])(?:\s+(?:number|no|nummer|nr|numéro|número|numero|me|at|on|is))*"
    r"[\s.:#=-]*\(?$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"(?:\b(?:order|invoice|part|item|sku|article|serial|model|ticket|case|tracking|customer|account|id|ref|reference|"
    r"isbn|ean|upc|error|code|version|build|bestellung|rechnung|artikel|kunde|auftrag|teil|commande|facture|pedido|"
    r"factura|artículo|ordine|fattura|artikelnummer|bestellnummer|rechnungsnummer|kundennummer|auftragsnummer|"
    r"teilenummer|seriennummer|sn|po|pn|rma|vin|mpn|oem|iban|date|datum)\b|[#№])"
    r"(?:\s*(?:number|numbers|no|num|nummer|nr|code|numéro|número|numero|id|is|from|of))*[\s.:#=-]*$",
    re.IGNORECASE,
)


class Masks:
    """Masks by patterns, for phone numbers by the rules of some countries. Safe to use from many threads.

    Args:
        countries: ISO codes of the countries whose numbers are known without their country code too.
    """

    def __init__(self, countries: Iterable[str]) -> None:
        self._countries = tuple(countries)

    def mask(self, text: str) -> str:
        """Return `text` with what identifies people replaced; text that holds nothing of it stays as it is."""
        text = _EMAIL.sub(_mask_email, text)
        if not _ENOUGH_DIGITS.search(text):
            return text
        text = _CARD.sub(_mask_card, text)
        return self._mask_phones(text) if _may_hold_phone(text) else text

    def _mask_phones(self, text: str) -> str:
        """Mask what any country takes for a number; where two disagree about its ends, all of it."""
        if len(_ENOUGH_DIGITS.findall(text)) > _MAX_RUNS:
            return _ENOUGH_DIGITS.sub(PHONE, text)
        text = _replace(text, _find(text, None, Leniency.VALID, _is_marked))
        places: set[tuple[int, int]] = set()
        for country in self._countries:
            places.update(_find(text, country, Leniency.VALID, _is_marked))
            places.update(_find(text, country, Leniency.STRICT_GROUPING, _is_grouped))
        return _replace(text, places)


def has_check_digit(digits: str) -> bool:
    """Return whether a number of decimal digits ends with the check digit of Luhn's formula."""
    doubled = (int(digit) * 2 if place % 2 else int(digit) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _mask_email(found: re.Match[str]) -> str:
    return found.group() if found["top"].lower() in _FILES else EMAIL


def _mask_card(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found.group())
    return CARD if _ISSUERS.fullmatch(digits) and has_check_digit(digits) else found.group()


def _find(
    text: str, country: str | None, leniency: int, accept: Callable[[str, str], bool]
) -> Iterator[tuple[int, int]]:
    """Yield where a country's numbers stand, if `accept` takes the text before one and the number."""
    for found in PhoneNumberMatcher(text, country, leniency):
        if accept(text[: found.start], found.raw_string):
            yield found.start, found.end


def _replace(text: str, places: Iterable[tuple[int, int]]) -> str:
    for start, end in _merge(places):
        text = text[:start] + PHONE + text[end:]
    return text


def _merge(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return places with those that overlap made one, the last first."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged[::-1]


def _may_hold_phone(text: str) -> bool:
    """Return whether it pays to ask the countries: a plain run of digits is not taken for a phone number."""
    for run in _ENOUGH_DIGITS.finditer(text):
        marked = _ABROAD.search(text[max(0, run.start() - 2) : run.end()]) or _LEADS.search(text[: run.start()])
        if marked or not run.group().rstrip().isdigit():
            return True
    return False


def _is_marked(before: str, number: str) -> bool:
    """Return whether a country code or a word before it says that this is a phone number."""
    return bool(_LEADS.search(before) or (_ABROAD.match(number) and not _NUMBERED.search(before)))


def _is_grouped(before: str, number: str) -> bool:
    """Return whether a number is written in groups, as a phone number and not as a date, an address or an order's."""
    if _NUMBERED.search(before) or before.endswith(_GOES_ON) or _NOT_A_PHONE.fullmatch(number):
        return False
    gaps = len(re.findall(r"\d\D+(?=\d)", number))
    return gaps > 1 or (gaps == 1 and number[0] in "(0")
