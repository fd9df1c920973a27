"""A sentence transformer of one layer, or few, with random weights, whose training and export take seconds."""

from __future__ import annotations

import shutil
from pathlib import Path

from serving.encode.form import packaged_model

DIMENSION = 32


def make_small_transformer(folder: Path, seed: int = 0, layers: int = 1) -> Path:
    """Make a model folder in sentence-transformers' form, as the packaged encoder's is, and return it."""
    import torch  # noqa: PLC0415  the fast tests do not need it
    from transformers import BertConfig, BertModel  # noqa: PLC0415

    torch.manual_seed(seed)
    shutil.copytree(packaged_model(), folder, ignore=shutil.ignore_patterns("*.safetensors", "*.bin", "*.onnx"))
    config = BertConfig(
        hidden_size=DIMENSION,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=512,
    )
    model = BertModel(config)
    with torch.no_grad():
        model.embeddings.word_embeddings.weight *= 20  # so that texts of other words are less alike
    model.save_pretrained(folder)
    pooling = folder / "1_Pooling" / "config.json"
    pooling.write_text(pooling.read_text().replace("384", str(DIMENSION)))
    return folder
