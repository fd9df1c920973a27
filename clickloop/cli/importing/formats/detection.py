"""Which format a source is in."""

from __future__ import annotations

from pathlib import Path

from clickloop.cli.importing.formats.delimited import Delimited
from clickloop.cli.importing.formats.json_array import JsonArray
from clickloop.cli.importing.formats.json_lines import JsonLines
from clickloop.cli.importing.formats.page_folder import PageFolder
from clickloop.cli.importing.formats.parquet import Parquet
from clickloop.cli.importing.formats.source import Source, TableForm
from foundation.errors import InvalidRequest, NotFound

KNOWN_FILES = ".csv, .tsv, .jsonl, .ndjson, .json (each also .gz) or .parquet"
_KNOWN = f"{KNOWN_FILES}, a BEIR folder, a directory of HTML or Markdown"


def open_source(path: Path, form: TableForm, known: str = _KNOWN) -> Source:
    """Return the source at `path`, by its name; a folder with `corpus.jsonl` is in BEIR's form.

    Args:
        known: What is taken, for people who name something else.

    Raises:
        NotFound: Nothing lies there.
        InvalidRequest: The format is not known, the file cannot be one of it, or has no use for an option.
        MissingExtra: The format needs a part that is not installed.
    """
    if path.is_dir():
        _refuse_options(path, form)
        corpus = next((file for name in ("corpus.jsonl", "corpus.jsonl.gz") if (file := path / name).is_file()), None)
        return JsonLines(corpus) if corpus else PageFolder(path)
    if not path.is_file():
        raise NotFound(f"there is no file or directory {path}")
    unpacked = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    suffix = unpacked.suffix.lower()
    if suffix in {".csv", ".tsv"}:
        return Delimited(path, form)
    _refuse_options(path, form)
    match suffix:
        case ".jsonl" | ".ndjson":
            return JsonLines(path)
        case ".json":
            return JsonArray(path)
        case ".parquet" if unpacked == path:
            return Parquet(path, form.names)
    raise InvalidRequest(f"the format of {path.name} is not known; take {known}")


def _refuse_options(path: Path, form: TableForm) -> None:
    if form.only_for_csv:
        raise InvalidRequest(
            f"{form.only_for_csv[0]} is for .csv and .tsv files; {path.name} says itself what it holds"
        )
