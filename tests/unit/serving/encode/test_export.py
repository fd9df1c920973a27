"""An encoder is made into ONNX once, however many processes start on a fresh home at the same time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from serving.encode.form import packaged_model


@pytest.mark.slow
def test_two_processes_export_at_once(tmp_path: Path) -> None:
    model = make_small_transformer(tmp_path / "model")
    command = [sys.executable, "-m", "serving.encode.export", str(model), str(tmp_path / "onnx")]
    exports = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]  # noqa: S603  ours
    for one in exports:
        _, told = one.communicate(timeout=300)
        assert one.returncode == 0, told
    assert sorted(path.name for path in (tmp_path / "onnx").iterdir()) == [
        *("encoder.json", "fastest", "fp32.onnx", "int8.onnx", "tokenizer.json")
    ]


def make_small_transformer(folder: Path) -> Path:
    """Make a model folder with a transformer of one layer, whose export takes seconds."""
    from transformers import BertConfig, BertModel  # noqa: PLC0415  loads torch, which the fast tests do not need

    config = BertConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, max_position_embeddings=512
    )
    BertModel(config).save_pretrained(folder)
    shutil.copy(packaged_model() / "tokenizer.json", folder)
    return folder
