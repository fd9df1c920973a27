from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import ClickloopError, Conflict, InvalidRequest, NotFound
from simulator.collection import JudgedCollection, cached, read_beir, split_queries, unseen_share, write_beir


def bakery() -> JudgedCollection:
    documents = [
        {
            "id": "rye",
            "title": "Rye bread",
            "text": "Dark\tand “dense”.",
            "url": "http://b/rye",
            "fields": {"stock": 3},
        },
        {"id": "bun", "title": "", "text": "Sweet.", "url": "", "fields": {}},
    ]
    queries = {"q1": "dark loaf", "q2": "something sweet"}
    return JudgedCollection(documents, queries, {"train": {"q1": {"rye": 2, "bun": 0}}, "test": {"q2": {"bun": 1}}})


def write(folder: Path, corpus: str, queries: str, qrels: str) -> Path:
    (folder / "qrels").mkdir()
    (folder / "corpus.jsonl").write_text(corpus)
    (folder / "queries.jsonl").write_text(queries)
    (folder / "qrels" / "train.tsv").write_text(qrels)
    return folder


DOCUMENT = '{"_id": "d", "title": "t", "text": "x"}\n'
QUERY = '{"_id": "q", "text": "y"}\n'


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write_beir(bakery(), tmp_path / "bakery")

    assert read_beir(tmp_path / "bakery") == bakery()
    assert [path.name for path in tmp_path.iterdir()] == ["bakery"]


def test_a_full_folder_is_never_overwritten(tmp_path: Path) -> None:
    write_beir(bakery(), tmp_path / "bakery")

    with pytest.raises(Conflict, match="not empty"):
        write_beir(bakery(), tmp_path / "bakery")


def test_a_cached_collection_is_built_once(tmp_path: Path) -> None:
    built = []

    def build() -> JudgedCollection:
        built.append(1)
        return bakery()

    assert cached(tmp_path / "x", build) == cached(tmp_path / "x", build) == bakery()
    assert len(built) == 1


def test_judgments_span_the_splits() -> None:
    collection = bakery()

    assert collection.judgments == {"q1": {"rye": 2, "bun": 0}, "q2": {"bun": 1}}
    assert collection.max_grade == 2
    with pytest.raises(NotFound, match="no 'dev' queries"):
        collection.split("dev")


def test_a_query_of_two_splits_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="'q1' is judged in 'train' and 'test'"):
        JudgedCollection([], {"q1": "x"}, {"train": {"q1": {"d": 1}}, "test": {"q1": {"d": 1}}})


@pytest.mark.parametrize(
    ("corpus", "queries", "qrels", "says"),
    [
        (DOCUMENT + "{broken\n", QUERY, "q\td\t1\n", "corpus.jsonl line 2: not JSON"),
        (DOCUMENT + "\n[1]\n", QUERY, "q\td\t1\n", "corpus.jsonl line 3: a JSON object is expected"),
        (DOCUMENT * 2, QUERY, "q\td\t1\n", "corpus.jsonl line 2: the id 'd' is empty or appears a second time"),
        ('{"_id": 7.5}\n', QUERY, "q\td\t1\n", "corpus.jsonl line 1: '_id' must be a text"),
        ('{"_id": "d", "text": null}\n', QUERY, "q\td\t1\n", "corpus.jsonl line 1: 'text' must be a text"),
        (DOCUMENT, '{"_id": "q"}\n', "q\td\t1\n", "queries.jsonl line 1: 'text' must be a text"),
        (DOCUMENT, QUERY, "q\td\t1\nq\td\n", "train.tsv line 2: three columns"),
        (DOCUMENT, QUERY, "q\td\t1\nq\td\tgood\n", "train.tsv line 2: the grade must be a whole number"),
        (DOCUMENT, QUERY, f"q\td\t{'9' * 400}\n", "train.tsv line 1: the grade must be a whole number"),
        (DOCUMENT + f'{{"_id": {"9" * 5000}}}\n', QUERY, "q\td\t1\n", "corpus.jsonl line 2: not JSON"),
        (DOCUMENT, QUERY, "query\tdoc\tscore\nother\td\t1\n", "train.tsv line 2: query 'other'"),
        (DOCUMENT, QUERY, "q\tother\t1\n", "train.tsv line 1: document 'other'"),
    ],
)
def test_a_fault_names_file_and_line(tmp_path: Path, corpus: str, queries: str, qrels: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        read_beir(write(tmp_path, corpus, queries, qrels))


@pytest.mark.parametrize("missing", ["corpus.jsonl", "queries.jsonl", "qrels/train.tsv"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    folder = write(tmp_path, DOCUMENT, QUERY, "q\td\t1\n")
    (folder / missing).unlink()

    with pytest.raises(NotFound, match=missing.split("/", maxsplit=1)[0]):
        read_beir(folder)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, DOCUMENT, QUERY, "q\td\t1\n")
    (folder / "corpus.jsonl").write_bytes(b"\xff\xfe")

    with pytest.raises(ClickloopError, match="not UTF-8"):
        read_beir(folder)


@given(st.permutations(["tables", "Deleting", "rows"]))
def test_the_same_words_in_any_order_fall_on_one_side(words: list[str]) -> None:
    assert unseen_share(" ".join(words)) == unseen_share("DELETING -- rows, tables!")


def test_about_three_of_ten_queries_are_held_out() -> None:
    queries = {f"q{number}": f"phrase number {number}" for number in range(2000)}

    splits = split_queries(queries, {query: {"d": 1} for query in queries})

    assert len(splits["test"]) == pytest.approx(600, abs=70)
    assert len(splits["train"]) + len(splits["test"]) == 2000
