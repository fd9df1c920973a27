"""An encoder and a query adapter as one folder of sentence-transformers.

The adapter is a Dense module that only queries go through: q' = unit((I + W) q + b). Everything before it is copied
byte by byte, so that a folder which comes back names the encoder that left.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Router
from sentence_transformers.sentence_transformer.modules import Dense, Normalize

from foundation.arrays import Floats
from foundation.errors import InvalidRequest, NotFound
from serving.ranking.adaptation import Adapter

OWN = "clickloop"
"""Subfolder of what only clickloop reads."""

NETWORKS = "onnx"

_MODULES = "modules.json"
_ROUTER = "sentence_transformers.base.modules.router.Router"
_LENGTHS = "sentence_bert_config.json"
_OTHER_FORMS = shutil.ignore_patterns("*.bin", "*.onnx", "*.h5", "*.ot", "openvino", "README.md", OWN, NETWORKS)


def write_folder(encoder: Path, adapter: Adapter | None, target: Path, max_tokens: int | None = None) -> None:
    """Write an encoder, and the adapter of its queries, to a folder that is not there yet.

    Args:
        encoder: Folder of the encoder.
        max_tokens: Where texts are cut; None for where the encoder cuts them.
    """
    if (encoder / _MODULES).exists():
        shutil.copytree(encoder, target, ignore=_OTHER_FORMS)
    else:
        SentenceTransformer(str(encoder), device="cpu", local_files_only=True).save_pretrained(
            str(target), create_model_card=False
        )
    if max_tokens is not None:
        lengths = json.loads((target / _LENGTHS).read_text())
        (target / _LENGTHS).write_text(json.dumps(lengths | {"max_seq_length": max_tokens}, indent=2))
    if adapter is not None:
        _append(target, _fold(adapter))


@dataclass(frozen=True, slots=True)
class ReadFolder:
    """What a folder holds.

    Attributes:
        encoder: Folder of the encoder alone.
    """

    encoder: Path
    adapter: Adapter | None


def read_folder(folder: Path, scratch: Path) -> ReadFolder:
    """Return the encoder and the adapter of a folder.

    Args:
        scratch: Empty folder for the encoder without its adapter.

    Raises:
        NotFound: There is no model in the folder.
        InvalidRequest: Queries and documents part in a way that no adapter describes.
    """
    if not (folder / "model.safetensors").exists():
        raise NotFound(f"no encoder at {folder}: the folder must hold model.safetensors and tokenizer.json")
    modules = _read_modules(folder)
    encoder = scratch / "encoder"
    shutil.copytree(folder, encoder, ignore=_OTHER_FORMS)
    if not modules or modules[-1]["type"].rpartition(".")[2] != "Router":
        return ReadFolder(encoder, None)
    router = modules.pop()
    adapter = _unfold(folder / router["path"])
    shutil.rmtree(encoder / router["path"])
    _write_modules(encoder, modules)
    return ReadFolder(encoder, adapter)


def _append(folder: Path, router: Router) -> None:
    """Put a router behind the modules of a folder."""
    modules = _read_modules(folder)
    place = f"{len(modules)}_Router"
    (folder / place).mkdir()
    router.save(str(folder / place))
    _write_modules(folder, [*modules, {"idx": len(modules), "name": str(len(modules)), "path": place, "type": _ROUTER}])


def _fold(adapter: Adapter) -> Router:
    """Return the modules that only queries go through; documents are left alone."""
    size = len(adapter.bias)
    dense = Dense(size, size, bias=True, activation_function=torch.nn.Identity())
    with torch.no_grad():
        dense.linear.weight.copy_(torch.from_numpy(np.eye(size, dtype=np.float32) + adapter.weight))
        dense.linear.bias.copy_(torch.from_numpy(adapter.bias))
    normalise: Any = Normalize
    return Router.for_query_document([normalise(), dense, normalise()], [normalise()], default_route="document")


def _unfold(folder: Path) -> Adapter:
    router = Router.load(str(folder))
    routes: dict[str, list[Any]] = {name: list(modules.children()) for name, modules in router.sub_modules.items()}
    dense = [module for module in routes.get("query", []) if isinstance(module, Dense)]
    others = [module for modules in routes.values() for module in modules if not isinstance(module, Dense | Normalize)]
    if set(routes) != {"query", "document"} or others or len(dense) != 1 or not _is_linear(dense[0]):
        raise InvalidRequest(
            f"{folder} leads queries and documents another way than through one Dense layer without activation, "
            "which is what an adapter is"
        )
    weight: Floats = dense[0].linear.weight.detach().numpy()
    size = len(weight)
    if weight.shape != (size, size):
        raise InvalidRequest(f"the Dense layer in {folder} changes the dimension of queries, which an adapter cannot")
    bias = dense[0].linear.bias
    return Adapter(
        weight - np.eye(size, dtype=np.float32),
        np.zeros(size, np.float32) if bias is None else bias.detach().numpy(),
    )


def _is_linear(dense: Dense) -> bool:
    return isinstance(dense.activation_function, torch.nn.Identity)


def _read_modules(folder: Path) -> list[dict[str, Any]]:
    path = folder / _MODULES
    return list(json.loads(path.read_text())) if path.exists() else []


def _write_modules(folder: Path, modules: list[dict[str, Any]]) -> None:
    (folder / _MODULES).write_text(json.dumps(modules, indent=2))
