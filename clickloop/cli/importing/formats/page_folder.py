"""A directory of HTML and Markdown files: one document a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from clickloop.cli.importing.formats import html_page, markdown_page
from clickloop.cli.importing.formats.source import Row
from foundation.errors import NotFound

_READERS = {
    ".html": html_page.read_page,
    ".htm": html_page.read_page,
    ".xhtml": html_page.read_page,
    ".md": markdown_page.read_page,
    ".markdown": markdown_page.read_page,
}


class PageFolder:
    """The pages below a directory, in the order of their paths; what is hidden is left out.

    A page's id is its path in the directory, and so is its url where it names none itself.

    Raises:
        NotFound: There are none.
    """

    columns: Sequence[str] = ()

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.files = sorted(file for file in folder.rglob("*") if self._is_page(file))
        if not self.files:
            raise NotFound(f"{folder} holds neither corpus.jsonl nor pages: {', '.join(_READERS)}")
        self.total_bytes = sum(file.stat().st_size for file in self.files)
        self.done_bytes = 0

    def __iter__(self) -> Iterator[Row]:
        """Yield a row for every page."""
        for file in self.files:
            content = file.read_bytes()
            self.done_bytes += len(content)
            path = file.relative_to(self._folder).as_posix()
            try:
                page = _READERS[file.suffix.lower()](content)
            except ValueError as problem:
                yield Row(path, fault=str(problem))
                continue
            yield Row(path, {"id": path, "url": path, **page})

    def _is_page(self, file: Path) -> bool:
        hidden = any(part.startswith(".") for part in file.relative_to(self._folder).parts)
        return file.suffix.lower() in _READERS and not hidden and file.is_file()
