"""What a client may send as a document, and the faults it is told of.

Text with control characters is refused, not repaired: the sender learns that an export is broken before users see
it in a snippet. Form feeds and vertical tabs are white space, and become spaces.
"""

from __future__ import annotations

import re
from typing import Any

from foundation.contracts import Document
from foundation.errors import FieldFault
from foundation.texts import as_id, spaced

MAX_ID_CHARACTERS = 256
MAX_URL_CHARACTERS = 4096

_TEXTS = ("title", "text", "url")
_KNOWN = frozenset({"id", *_TEXTS, "fields"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # not tab, newline and carriage return


def read_document(value: Any) -> Document | tuple[FieldFault, ...]:
    """Return the document that a client's JSON value describes, or everything that is wrong with it.

    Keys beside id, title, text, url and fields are open fields; they join those in `fields`. Null stands for
    absent in all five, and a whole number is taken as an id.
    """
    if not isinstance(value, dict):
        return (FieldFault("document", "must be a JSON object with id, title and text"),)
    value = _read_known(value)
    faults = [*_id_faults(value), *_text_faults(value), *_url_faults(value), *_fields_faults(value)]
    if faults:
        return tuple(faults)
    texts = {name: value.get(name, "") for name in _TEXTS}
    return Document(id=value["id"], **texts, fields=_open_fields(value) | value.get("fields", {}))


def read_id(value: Any) -> str | tuple[FieldFault, ...]:
    """Return the document id that a client's JSON value is, or what is wrong with it."""
    id_ = as_id(value)
    return tuple(_id_faults({"id": id_})) or str(id_)


def _read_known(value: dict[str, Any]) -> dict[str, Any]:
    """Return what a client sent without its nulls, with ids as text and white space as spaces."""
    read = {name: item for name, item in value.items() if item is not None or name not in _KNOWN}
    read |= {name: spaced(read[name]) for name in ("title", "text") if isinstance(read.get(name), str)}
    return read | ({"id": as_id(read["id"])} if "id" in read else {})


def _id_faults(value: dict[str, Any]) -> list[FieldFault]:
    if "id" not in value:
        return [FieldFault("id", "is missing")]
    id_ = value["id"]
    if not isinstance(id_, str):
        return [FieldFault("id", "must be a string or a whole number")]
    if not 1 <= len(id_) <= MAX_ID_CHARACTERS:
        return [FieldFault("id", f"must have 1 to {MAX_ID_CHARACTERS} characters, has {len(id_)}")]
    return _string_faults("id", value, _CONTROL)


def _text_faults(value: dict[str, Any]) -> list[FieldFault]:
    faults = [fault for name in ("title", "text") for fault in _string_faults(name, value, _CONTROL_IN_TEXT)]
    if not faults and not (value.get("title", "").strip() or value.get("text", "").strip()):
        faults.append(FieldFault("text", "must not be empty when the title is empty too"))
    return faults


def _url_faults(value: dict[str, Any]) -> list[FieldFault]:
    url = value.get("url", "")
    if isinstance(url, str) and len(url) > MAX_URL_CHARACTERS:
        return [FieldFault("url", f"must have at most {MAX_URL_CHARACTERS} characters, has {len(url)}")]
    return _string_faults("url", value, _CONTROL)


def _fields_faults(value: dict[str, Any]) -> list[FieldFault]:
    fields = value.get("fields", {})
    if not isinstance(fields, dict):
        return [FieldFault("fields", "must be a JSON object")]
    twice = fields.keys() & _open_fields(value).keys()
    return [FieldFault(f"fields.{name}", "is given beside `fields` too; send it once") for name in sorted(twice)]


def _open_fields(value: dict[str, Any]) -> dict[str, Any]:
    return {name: item for name, item in value.items() if name not in _KNOWN}


def _string_faults(field: str, value: dict[str, Any], control: re.Pattern[str]) -> list[FieldFault]:
    text = value.get(field, "")
    if not isinstance(text, str):
        return [FieldFault(field, "must be a string")]
    found = control.search(text)
    if found is None:
        return []
    where = f"the control character U+{ord(found.group()):04X} at character {found.start() + 1}"
    return [FieldFault(field, f"holds {where}; remove it")]
