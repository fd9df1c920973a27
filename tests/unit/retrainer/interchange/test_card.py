from __future__ import annotations

from datetime import UTC, datetime

import yaml

from foundation.contracts import Manifest
from foundation.registry.registry import Version
from retrainer.interchange.card import Agreement, write_card


def test_the_card_tells_where_the_version_comes_from_and_what_it_leaves_out() -> None:
    version = Version(
        collection="help",
        id="v-1",
        parent="",
        status="approved",
        reason="better; worst: 'my own secret illness' -0.3",
        manifest=Manifest(encoder="minilm-fp32"),
        lineage={"data_digest": "abc", "seconds": 1.23456, "odd": "a | b"},
        metrics={"ndcg": 0.71234},
        created_at=datetime(2026, 1, 5, tzinfo=UTC),
        name="trained-2026-01-05",
    )
    card = write_card(version, dimension=384, max_tokens=160, adapted=True, agreement=Agreement(0.9999, 0.994, 69))
    _, head, body = card.split("---\n", 2)
    assert yaml.safe_load(head)["library_name"] == "sentence-transformers"
    assert "# trained-2026-01-05" in body
    assert "| odd | a \\| b |" in body
    assert "secret illness" not in card  # queries of people stay behind
    assert "| data_digest | abc |" in body
    assert "| ndcg | 0.7123 |" in body
    assert "0.9999 in full precision and 0.9940" in body
    assert "What it leaves out" in body
