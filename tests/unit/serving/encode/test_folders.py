"""A folder is exported as sentence-transformers reads it, or refused by the name of what is not understood."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foundation.errors import ArtifactDamaged
from serving.encode.form import open_encoder, packaged_model

TEXTS = ["a", "How do I reset my password?", "Größe 尺寸", "print pages without blanks " * 60]
PROMPTS = {"query": "query: ", "passage": "passage: "}


def make_folder(folder: Path, *, pooling: str = "mean", more: tuple[str, ...] = ("Normalize",), **config: Any) -> Path:
    """Make a folder of sentence-transformers with a random transformer of one layer."""
    import torch  # noqa: PLC0415  the fast tests do not need it
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415
    from sentence_transformers.sentence_transformer import modules  # noqa: PLC0415

    torch.manual_seed(7)
    plain = folder / "plain"
    _save_transformer(plain, unigram=config.pop("unigram", False))
    transformer = modules.Transformer(str(plain), max_seq_length=config.pop("longest", 128))
    layers: list[Any] = [transformer, modules.Pooling(32, pooling_mode=pooling)]
    for name in more:
        match name:
            case "Dense":
                layers.append(modules.Dense(32, 16, activation_function=torch.nn.Tanh()))
            case "LayerNorm":
                layers.append(modules.LayerNorm(32))
            case _:
                layers.append(modules.Normalize())
    model = SentenceTransformer(modules=layers, device="cpu", **config)
    model.save(str(folder / "made"))
    return folder / "made"


def _save_transformer(folder: Path, *, unigram: bool) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors  # noqa: PLC0415
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast  # noqa: PLC0415

    config = BertConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, max_position_embeddings=512
    )
    BertModel(config).save_pretrained(folder)
    wrap: Any = PreTrainedTokenizerFast
    tokenizer = Tokenizer.from_file(str(packaged_model() / "tokenizer.json"))
    if unigram:
        pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
        pieces += [
            (piece, -2.0 - len(piece) / 9) for piece in ("\u2581", *"abcdefghijklmnopqrstuvwxyz", "print", "pass")
        ]
        tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
        )
        fast = wrap(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>")
    else:
        fast = wrap(
            tokenizer_object=tokenizer, cls_token="[CLS]", sep_token="[SEP]", unk_token="[UNK]", pad_token="[PAD]"
        )
    fast.save_pretrained(folder)


FOLDERS: dict[str, dict[str, Any]] = {
    "mean": {},
    "first token": {"pooling": "cls"},
    "last token": {"pooling": "lasttoken"},
    "greatest": {"pooling": "max"},
    "dense layer": {"more": ("Dense", "Normalize")},
    "prompts": {"prompts": PROMPTS},
    "no normalisation": {"more": ()},
    "long input": {"longest": 400},
    "unigram tokenizer": {"unigram": True},
}


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("what", FOLDERS.values(), ids=FOLDERS.keys())
def test_vectors_are_those_of_sentence_transformers(tmp_path: Path, what: dict[str, Any]) -> None:
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    folder = make_folder(tmp_path, **what)

    encoder = open_encoder(str(folder), tmp_path / "onnx", "auto", 1)

    told = SentenceTransformer(str(folder), device="cpu")
    queries = np.asarray(told.encode_query(TEXTS, normalize_embeddings=True))
    passages = np.asarray(told.encode_document(TEXTS, normalize_embeddings=True))
    assert np.einsum("ij,ij->i", encoder.encode(TEXTS), passages).min() > 0.999
    assert np.einsum("ij,ij->i", encoder.encode_queries(TEXTS), queries).min() > 0.999
    assert encoder.encode_query(TEXTS[1]) @ queries[1] > 0.999


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("what", "named"), [({"pooling": "weightedmean"}, "weightedmean"), ({"more": ("LayerNorm",)}, "LayerNorm")]
)
def test_what_is_not_understood_is_refused_by_its_name(tmp_path: Path, what: dict[str, Any], named: str) -> None:
    folder = make_folder(tmp_path, **what)

    with pytest.raises(ArtifactDamaged, match=named):
        open_encoder(str(folder), tmp_path / "onnx", "auto", 1)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_another_pooling_of_the_same_weights_is_another_encoder(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    one = open_encoder(str(folder), tmp_path / "onnx", "fp32", 1)
    config = folder / "1_Pooling" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"pooling_mode": "cls"}))

    other = open_encoder(str(folder), tmp_path / "onnx", "fp32", 1)

    assert one.digest != other.digest
    assert one.encode(TEXTS[1:2])[0] @ other.encode(TEXTS[1:2])[0] < 0.999
