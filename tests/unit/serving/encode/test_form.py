"""An encoder's exported form is made once, travels as an artifact, and answers without torch and without weights."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foundation.errors import ArtifactDamaged, MissingExtra
from serving.encode import form
from serving.encode.form import open_encoder, pack_form
from tests.tiny_encoder import make_tiny_model


def test_of_those_who_want_the_form_at_once_one_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_tiny_model(tmp_path / "made")
    made: list[str] = []

    def export(_module: str, _model: str, home: str, **_: Any) -> tuple[int, str]:
        made.append(home)
        time.sleep(0.05)
        for file in next((tmp_path / "made" / "onnx").iterdir()).iterdir():
            shutil.copy(file, home)
        return 0, ""

    monkeypatch.setattr(form, "run_child", export)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: open_encoder(str(model), tmp_path / "onnx", "int8", 1), range(8)))
    assert len(made) == 1


def test_a_failure_is_told_in_a_sentence_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ArtifactDamaged, match="cannot be made into ONNX"):
        open_encoder(str(tmp_path), tmp_path / "onnx", "int8", 1)


def test_a_packed_form_answers_elsewhere_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_tiny_model(tmp_path)
    here = open_encoder(str(model), tmp_path / "onnx", "int8", 1)
    packed = pack_form(str(model), tmp_path / "onnx", "int8")
    assert pack_form(str(model), tmp_path / "onnx", "int8") == packed
    (model / "tokenizer.json").unlink()
    asked: list[tuple[str, str]] = []

    def find(weights: str, precision: str) -> bytes:
        asked.append((weights, precision))
        return packed

    def export(*_: Any, **__: Any) -> tuple[int, str]:
        raise AssertionError("nothing is exported where a version carries the form")

    monkeypatch.setattr(form, "run_child", export)
    there = open_encoder(str(model), tmp_path / "elsewhere", "auto", 1, find)
    assert there.digest == here.digest
    assert asked[0][0].startswith(here.digest.partition("-")[0])
    assert np.array_equal(there.encode(["a cracked kettle"]), here.encode(["a cracked kettle"]))


def test_without_the_package_the_packaged_model_is_known_by_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_tiny_model(tmp_path)
    open_encoder(str(model), tmp_path / "onnx", "int8", 1)
    packed = pack_form(str(model), tmp_path / "onnx", "int8")
    monkeypatch.setattr(form, "_find_package", lambda: None)
    encoder = open_encoder("", tmp_path / "elsewhere", "int8", 1, lambda _weights, _precision: packed)
    assert encoder.digest == f"{form.DEFAULT_MODEL_DIGEST[:16]}-int8"


def test_without_torch_and_without_a_form_it_is_said_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_tiny_model(tmp_path)
    monkeypatch.setattr(form, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match="needs torch"):
        open_encoder(str(model), tmp_path / "elsewhere", "int8", 1)
