"""A process that only answers needs the artifacts of a version, and neither torch nor the weights of the encoder."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.harness.server import Server
from clickloop.container import Container
from foundation.contracts import DEFAULT_COLLECTION
from foundation.settings import Settings
from serving.encode.form import pack_form

ROOT = Path(__file__).parents[2]
BLOCKER = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "transformers", "sentence_transformers", "onnx", "onnxscript"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""


@pytest.fixture
def copied_home(home_settings: Settings) -> Settings:
    """A home with documents and a champion that carries its encoder, but without the exported form beside it."""
    container = Container(home_settings)
    baseline = container.baseline  # which opens the encoder
    packed = pack_form(home_settings.model, home_settings.home / "onnx", "int8")
    manifest = replace(baseline, encoder_form=container.registry.artifacts.put(packed))
    container.hotswap.install(DEFAULT_COLLECTION, manifest)
    documents = [{"id": "kettle", "title": "descale a kettle", "text": "Boil vinegar in it."}]
    container.catalog.merge(DEFAULT_COLLECTION, {one["id"]: one for one in documents})
    container.log.close()
    container.engine.dispose()
    (home_settings.home / "onnx").unlink()
    return home_settings


def finds_the_kettle(settings: Settings, python: str = sys.executable) -> bool:
    with Server(settings, ("--role", "api"), python=python) as server:
        found = server.remote.post("/v1/search", {"query": "descale kettle"})
    return [hit["id"] for hit in found["hits"]] == ["kettle"]


def test_a_replica_answers_without_torch_from_what_the_champion_carries(
    copied_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocker").mkdir()
    (tmp_path / "blocker" / "sitecustomize.py").write_text(BLOCKER)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'blocker'}:{ROOT}")
    blocked = subprocess.run([sys.executable, "-c", "import torch"], capture_output=True, text=True, check=False)
    assert "No module named 'torch'" in blocked.stderr
    assert finds_the_kettle(copied_home)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_wheel_answers_in_an_environment_of_the_requirements_file(
    copied_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)  # noqa: S603  ours
    python = str(tmp_path / "venv" / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(ROOT / "requirements" / "answering.txt")], check=True)  # noqa: S603  ours
    subprocess.run([*pip, "--no-deps", str(ROOT)], check=True)  # noqa: S603  ours
    absent = subprocess.run([python, "-c", "import torch"], capture_output=True, text=True, check=False)  # noqa: S603  ours
    assert "No module named 'torch'" in absent.stderr
    monkeypatch.chdir(tmp_path)
    assert finds_the_kettle(copied_home, python)
