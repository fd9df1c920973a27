"""The fields of a lexical index, and its files: opening them, sharing them, and what is said when they fail."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tantivy

from foundation.errors import ArtifactDamaged, ClickloopError, Conflict
from serving.index.lexical.clauses import COUNTS, EXTRA, FORMS, IDENTIFIERS, INNER, TEXT, TEXTS, TITLE, VOCABULARY

ROW = "row"
WORDS = {name: f"words_of_{name}" for name in TEXTS}
"""Where it is told how many words a field has, by the field."""

_META = "meta.json"
_MANAGED = ".managed.json"


def build_schema(stems: str) -> tantivy.Schema:
    """Return the fields of an index whose titles and texts are cut by the tokenizer `stems`."""
    schema = tantivy.SchemaBuilder()
    schema.add_integer_field(ROW, indexed=True, fast=True)
    for name in WORDS.values():
        schema.add_integer_field(name, fast=True)
    schema.add_text_field(TITLE, stored=True, tokenizer_name=stems)
    schema.add_text_field(TEXT, stored=True, tokenizer_name=stems)
    schema.add_text_field(IDENTIFIERS, stored=True, tokenizer_name="whitespace", index_option="basic")
    schema.add_text_field(FORMS, stored=True, tokenizer_name="whitespace", index_option="basic")
    schema.add_text_field(EXTRA, stored=True, tokenizer_name="whitespace", index_option="basic")
    schema.add_text_field(INNER, tokenizer_name="whitespace", index_option="basic")
    schema.add_text_field(VOCABULARY, tokenizer_name="whitespace", index_option="basic")
    schema.add_text_field(COUNTS, tokenizer_name="whitespace", index_option="basic")
    return schema.build()


def open_index(schema: tantivy.Schema, folder: Path | None) -> tantivy.Index:
    """Return the index in a folder, which is made where it lacks; None keeps the index in memory.

    Raises:
        Conflict: The folder holds an index of another language or of another release's form.
        ArtifactDamaged: The folder holds an index that cannot be opened.
    """
    if folder is None:
        return tantivy.Index(schema)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return tantivy.Index(schema, path=str(folder))
    except ValueError as error:
        if "schema does not match" in str(error):
            raise Conflict(
                f"The lexical index in {folder} is of another language or release; build it anew."
            ) from error
        raise ArtifactDamaged(f"The lexical index in {folder} cannot be opened; build it anew. {error}") from error


def share_index(source: Path, target: Path) -> None:
    """Make a private copy of an index in a folder, by hard links and so at once and without space.

    Files of an index never change, so the copies share memory; each has its own additions and removals.
    The copy is of the last commit. Both folders must be on one file system.

    Args:
        target: A folder that does not exist or is empty.

    Raises:
        Conflict: The target is not empty, or the source was written to meanwhile.
        OSError: The source is no index, or the target cannot be linked to it.
    """
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()):
        raise Conflict(f"{target} is not empty; share an index into a new folder.")
    meta = (source / _META).read_bytes()
    names = {segment["segment_id"].replace("-", "") for segment in json.loads(meta)["segments"]}
    for file in source.iterdir():
        if file.name.partition(".")[0] in names:
            os.link(file, target / file.name)
    shutil.copyfile(source / _MANAGED, target / _MANAGED)
    (target / _META).write_bytes(meta)
    if (source / _META).read_bytes() != meta:  # an equal one proves that no file was removed before it was linked
        raise Conflict(f"{source} was written to while it was shared; share it again into a new folder.")


@contextmanager
def explain_failed_write() -> Iterator[None]:
    """Turn tantivy's error about a write into the operating system's message.

    Tantivy's own names files that differ at every try.
    """
    try:
        yield
    except ValueError as error:
        message = re.search(r'message: "([^"]+)"', str(error))
        raise ClickloopError(f"the lexical index cannot be written: {message[1] if message else error}") from error
