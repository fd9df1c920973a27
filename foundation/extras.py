"""Parts of clickloop that only some install."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from foundation.errors import MissingExtra


@contextmanager
def needs_extra(extra: str, setting: str) -> Iterator[None]:
    """Import what an extra brings inside this block.

    Args:
        setting: The setting, command or module that asks for it, as its user names it.

    Raises:
        MissingExtra: The import failed; the message says what to install.
    """
    try:
        yield
    except ImportError as missing:
        raise MissingExtra(
            f"{setting} needs {missing.name}, which is missing: pip install 'clickloop[{extra}]'"
        ) from missing
