from __future__ import annotations

from benchmarks.finetune.collections import ask_fewer
from simulator.collection import JudgedCollection

TOPICS = ("printing", "passwords", "fonts")
QUERIES = {f"{topic}-{number}": f"{topic} question {number}" for topic in TOPICS for number in range(40)}
COLLECTION = JudgedCollection([], QUERIES, {"train": {query: {"d": 1} for query in QUERIES}, "test": {}})


def test_fewer_queries_are_of_all_topics_although_the_file_is_in_their_order() -> None:
    asked = ask_fewer(COLLECTION, 30).split("train")
    assert len(asked) == 30
    assert {query.split("-")[0] for query in asked} == set(TOPICS)
    assert asked == ask_fewer(COLLECTION, 30).split("train")
