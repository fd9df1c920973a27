"""Files that appear whole or not at all, however many processes write the same one at the same time.

Content goes to a draft beside its target, under a name of its own, and takes the target's place at the end. The writer
holds a lock on the draft. A draft that nobody holds was left by a process that died; the next writer in the folder
removes it, if its permissions allow that.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

_DRAFT = ".draft-"
_NAME_CHARACTERS = 100
_ANYBODY = 0o666  # as far as the umask lets them


@contextmanager
def whole_file(target: Path, *, durable: bool = False, first: bool = False, mode: int = _ANYBODY) -> Iterator[Path]:
    """Yield an empty file to be written; it becomes `target` when the block ends, and vanishes when it fails.

    Its name ends as the target's does.

    Args:
        target: In a folder that is there.
        durable: Whether it survives the loss of power once this is over.
        first: Whether a target that is there by then stays as it is.
        mode: Permissions of the file, before the umask.
    """
    remove_left_over(target.parent)
    with _draft(target, mode) as draft:
        yield draft
        if durable:
            _sync(draft)
        if first:
            _place_first(draft, target)
        else:
            draft.replace(target)
        if durable:
            _sync(target.parent)


def write_whole(
    target: Path, content: bytes, *, durable: bool = False, first: bool = False, mode: int = _ANYBODY
) -> None:
    """Write a file at once; see `whole_file`."""
    with whole_file(target, durable=durable, first=first, mode=mode) as draft:
        draft.write_bytes(content)


def remove_left_over(folder: Path) -> None:
    """Remove the drafts in a folder whose writers died."""
    for path in folder.glob(f"{_DRAFT}*"):
        held = hold(path)
        if held is not None:
            with suppress(PermissionError):  # whose folder it is decides who removes it
                path.unlink(missing_ok=True)
            os.close(held)


def hold(path: Path) -> int | None:
    """Lock a file that is there, until the descriptor is closed; None when it is gone or somebody else's.

    It is somebody else's when they hold it, and when its permissions keep this user out.
    """
    try:
        descriptor = os.open(path, os.O_RDWR)
    except (FileNotFoundError, PermissionError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def create_held(path: Path, mode: int = _ANYBODY) -> int | None:
    """Make a file and lock it until the descriptor is closed; None when it was taken for left over meanwhile."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    if os.fstat(descriptor).st_nlink:
        return descriptor
    os.close(descriptor)
    return None


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Wait until nobody else is in such a block with the same file, in this process or another, and keep others out."""
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextmanager
def _draft(target: Path, mode: int) -> Iterator[Path]:
    held = None
    while held is None:
        draft = target.with_name(f"{_DRAFT}{uuid4().hex}-{target.name[-_NAME_CHARACTERS:]}")
        held = create_held(draft, mode)
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)
        os.close(held)


def _place_first(draft: Path, target: Path) -> None:
    with suppress(FileExistsError):  # somebody else was first, and theirs holds
        target.hardlink_to(draft)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
