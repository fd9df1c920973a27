from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from benchmarks.search.recipes.server import ARTICLES, VECTORS, make_app
from foundation.ids import canonical_json
from tests.unit.benchmarks.search.recipes.test_tutorial import DOCUMENTS, Encoder


def test_what_words_and_meaning_find_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.search.recipes.server.open_encoder", Encoder)
    (tmp_path / ARTICLES).write_text("\n".join(map(canonical_json, DOCUMENTS)))
    np.save(tmp_path / VECTORS, np.eye(len(DOCUMENTS), dtype=np.float32))
    client = TestClient(make_app(tmp_path))
    for document in DOCUMENTS:
        hits = client.post("/search", json={"query": document["id"], "limit": 2, "user": "u"}).json()["hits"]
        assert next(hit["id"] for hit in hits) == document["id"]
        assert len(hits) == 2
