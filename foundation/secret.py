"""The installation's secret: a setting, or a file in `home` that the first process makes."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from foundation.settings import Settings

KEY_FILE = "user.key"


def read_key(settings: Settings) -> bytes:
    """Return the key of the pseudonyms: `user_key`, else what the file `user.key` in `home` holds.

    The file is made when it is missing, for its owner's eyes only. Processes that start at once agree
    on one: it appears whole, and the first to make it wins.
    """
    if settings.user_key:
        return settings.user_key.encode()
    path = Path(settings.home) / KEY_FILE
    if not path.exists():
        _make(path)
    return path.read_bytes().strip()


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(secrets.token_hex(32).encode())
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(part, path)  # fails, unlike a rename, where another process was first
    except FileExistsError:
        return
    finally:
        part.unlink()
