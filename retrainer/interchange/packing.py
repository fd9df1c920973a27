"""An encoder's folder as one artifact: the weights that its exported form was made of."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path, PurePosixPath

from foundation.errors import ArtifactDamaged

_KINDS = frozenset({".json", ".safetensors", ".txt", ".model"})
_SAME_TIME = (1980, 1, 1, 0, 0, 0)


def pack_folder(folder: Path) -> bytes:
    """Return an encoder's folder as bytes; equal files give equal bytes. Other forms of its weights stay out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in _KINDS)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for path in files:
            packed.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix(), _SAME_TIME), path.read_bytes())
    return content.getvalue()


def unpack_folder(packed: bytes, folder: Path) -> None:
    """Write what `pack_folder` packed into a folder; ArtifactDamaged when it is something else."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as files:
            for name in files.namelist():
                place = PurePosixPath(name)
                if place.is_absolute() or ".." in place.parts:
                    raise ArtifactDamaged(f"the packed encoder would write to {name!r}, outside its folder")
                target = folder / place
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(files.read(name))
    except zipfile.BadZipFile as problem:
        raise ArtifactDamaged(f"the artifact is no packed encoder: {problem}") from problem
