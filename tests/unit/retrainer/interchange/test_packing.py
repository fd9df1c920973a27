from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from foundation.errors import ArtifactDamaged
from retrainer.interchange.packing import pack_folder, unpack_folder


def test_what_was_packed_comes_out_and_other_forms_stay_out(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "1_Pooling" / "config.json").write_text("{}")
    (folder / "pytorch_model.bin").write_bytes(b"the same weights")

    packed = pack_folder(folder)
    unpack_folder(packed, tmp_path / "out")

    assert packed == pack_folder(folder)
    found = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert found == {"model.safetensors", "1_Pooling/config.json"}


@pytest.mark.parametrize("name", ["../outside.json", "/outside.json"])
def test_nothing_is_written_outside(tmp_path: Path, name: str) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        packed.writestr(name, "{}")
    with pytest.raises(ArtifactDamaged, match="outside"):
        unpack_folder(content.getvalue(), tmp_path / "out")
    assert not (tmp_path / "outside.json").exists()


def test_other_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactDamaged, match="no packed encoder"):
        unpack_folder(b"none", tmp_path)
