"""An encoder is made into ONNX once, however many processes start on a fresh home at the same time."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from foundation.errors import ArtifactDamaged
from serving.encode import encoder
from serving.encode.encoder import open_encoder, packaged_model


def test_of_those_who_want_the_form_at_once_one_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def export(_module: str, _model: str, home: str, **_: Any) -> tuple[int, str]:
        made.append(home)
        time.sleep(0.05)
        (Path(home) / "fastest").write_text("int8")
        return 0, ""

    monkeypatch.setattr(encoder, "run_child", export)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: encoder._export(tmp_path, tmp_path / "onnx"), range(8)))
    assert len(made) == 1


def test_a_failure_is_told_in_a_sentence_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ArtifactDamaged, match="cannot be made into ONNX"):
        open_encoder(str(tmp_path), tmp_path / "onnx", "int8", 1)


@pytest.mark.slow
def test_two_processes_export_at_once(tmp_path: Path) -> None:
    model = make_small_transformer(tmp_path / "model")
    command = [sys.executable, "-m", "serving.encode.export", str(model), str(tmp_path / "onnx")]
    exports = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]  # noqa: S603  ours
    for one in exports:
        _, told = one.communicate(timeout=300)
        assert one.returncode == 0, told
    assert sorted(path.name for path in (tmp_path / "onnx").iterdir()) == ["fastest", "fp32.onnx", "int8.onnx"]


def make_small_transformer(folder: Path) -> Path:
    """Make a model folder with a transformer of one layer, whose export takes seconds."""
    from transformers import BertConfig, BertModel  # noqa: PLC0415  loads torch, which the fast tests do not need

    config = BertConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, max_position_embeddings=512
    )
    BertModel(config).save_pretrained(folder)
    shutil.copy(packaged_model() / "tokenizer.json", folder)
    return folder
