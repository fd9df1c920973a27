"""The model card of an exported version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foundation.registry.registry import Version


@dataclass(frozen=True, slots=True)
class Agreement:
    """Least cosines between what the folder says of queries and what the version says.

    Attributes:
        exact: With its network in full precision.
        serving: With the network that serves; eight bits differ more.
        texts: How many texts were compared.
    """

    exact: float
    serving: float
    texts: int


_HOW = """
```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("PATH OF THIS FOLDER")
queries = model.encode_query(["forgot my password"])
documents = model.encode_document(["Open Settings, choose Security, then Reset password."])
print(model.similarity(queries, documents))
```

`encode_query` and `encode_document` differ where the version has a query adapter: a Dense layer that only queries go
through. `onnx/` holds the networks for documents and, with an adapter, for queries; `clickloop versions import` takes
the folder in again.
"""


_UNTRAINED = "It was not trained: this is the encoder as it came.\n"


def write_card(version: Version, *, dimension: int, max_tokens: int, adapted: bool, agreement: Agreement) -> str:
    """Return the model card as Markdown with a heading that model hubs read.

    The reason of the status is left out: it may quote queries of people.
    """
    manifest = version.manifest
    facts = {
        "version": version.id,
        "trained": f"{version.created_at:%Y-%m-%d}",
        "status": version.status,
        "encoder": manifest.encoder,
        "dimension": dimension,
        "longest text": f"{max_tokens} tokens",
        "query adapter": "yes, in the Dense layer of the queries" if adapted else "none",
        "agreement with the version": (
            f"cosine at least {agreement.exact:.4f} in full precision and {agreement.serving:.4f} with the network "
            f"that serves, over {agreement.texts} queries"
        ),
    }
    parts = [
        "---\nlibrary_name: sentence-transformers\npipeline_tag: sentence-similarity\ntags:\n- sentence-transformers\n"
        "- sentence-similarity\n- clickloop\n---\n",
        f"# {version.name or version.id}\n",
        f"An encoder for the search of the collection `{version.collection}`, learned by clickloop.\n",
        _table("what", facts),
        "## Use\n" + _HOW,
        "## How it was made\n",
        _table("lineage", version.lineage)
        if version.lineage
        else "It was not trained: this is the encoder as it came.\n",
        "## What the gate measured\n" if version.metrics else "",
        _table("metric", version.metrics) if version.metrics else "",
        "## What it leaves out\n",
        "A version ranks by more than vectors: words, the memory of what users chose, shifts of single documents, and "
        "the weights of the fusion. Of these the folder holds the weights alone, in `clickloop/version.json`; no query "
        "and no document of the collection is in it.\n",
    ]
    return "\n".join(part for part in parts if part)


def _table(heading: str, facts: Mapping[str, Any]) -> str:
    rows = [f"| {_cell(name)} | {_cell(value)} |" for name, value in facts.items()]
    return "\n".join([f"| {heading} | |", "|---|---|", *rows]) + "\n"


def _cell(value: Any) -> str:
    told = f"{value:.4g}" if isinstance(value, float) else str(value)
    return told.replace("|", "\\|").replace("\n", " ")
