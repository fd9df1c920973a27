"""The store of artifacts: the content-addressed bytes that versions are made of."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

from foundation.clock import SystemClock
from foundation.disk.files import write_whole
from foundation.errors import ArtifactDamaged, NotFound
from foundation.ids import digest_bytes, new_id, time_of

_DRAFT = ".draft"
_DRAFT_AGE = timedelta(days=1)
_CHANGING = frozenset(
    {"size", "mtime", "ino", "created", "ETag", "etag", "LastModified", "last_modified", "updated", "md5Hash"}
)
"""Properties by which file systems and object stores show that an object was written again."""


class ArtifactStore:
    """Content-addressed bytes in a directory or any fsspec URL.

    Args:
        url: A path or fsspec URL such as `s3://bucket/prefix`.
    """

    def __init__(self, url: str) -> None:
        self._fs, self._root = fsspec.core.url_to_fs(url)
        self._fs.makedirs(self._root, exist_ok=True)

    def put(self, content: bytes) -> str:
        """Store `content` durably and return its sha256. Storing the same content twice stores it once.

        The bytes are written under a name of their own and then moved. So a reader never sees a part of them, and any
        number may store the same content at once. Damaged bytes are replaced.
        """
        digest = digest_bytes(content)
        if self._holds(digest):
            return digest
        if isinstance(self._fs, LocalFileSystem):
            write_whole(Path(self._path(digest)), content, durable=True)
        else:
            self._write(self._path(digest), content)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the bytes stored under `digest`.

        Raises:
            NotFound: Nothing is stored under it.
            ArtifactDamaged: The bytes no longer match it.
        """
        try:
            with self._fs.open(self._path(digest), "rb") as stored:
                content: bytes = stored.read()
        except FileNotFoundError as missing:
            raise NotFound(f"artifact {digest} is not in the store at {self._root}") from missing
        if digest_bytes(content) != digest:
            raise ArtifactDamaged(f"artifact {digest} in {self._root} has other bytes; restore it or roll back")
        return content

    def remove(self, digest: str) -> None:
        """Remove what is stored under `digest`; nothing happens where there is nothing."""
        with suppress(FileNotFoundError):
            self._fs.rm_file(self._path(digest))

    def stamp(self, digest: str) -> str:
        """Return what changes when the bytes stored under `digest` do, without reading them; "" when there are none."""
        self._fs.invalidate_cache(self._root)
        try:
            told = self._fs.info(self._path(digest))
        except FileNotFoundError:
            return ""
        return repr(sorted((name, repr(value)) for name, value in told.items() if name in _CHANGING))

    def _holds(self, digest: str) -> bool:
        try:
            self.get(digest)
        except (NotFound, ArtifactDamaged):
            return False
        return True

    def _write(self, path: str, content: bytes) -> None:
        """Write where there are no locks; an unfinished object that is a day old counts as left over and is removed."""
        now = SystemClock().now()
        for left in self._fs.glob(f"{self._root}/*{_DRAFT}"):
            if now - time_of(left.removesuffix(_DRAFT).rpartition(".")[2]) > _DRAFT_AGE:
                self._fs.rm_file(left)
        draft = f"{path}.{new_id(now)}{_DRAFT}"
        with self._fs.open(draft, "wb") as out:
            out.write(content)
        self._fs.mv(draft, path)

    def _path(self, digest: str) -> str:
        return f"{self._root}/{digest}"
