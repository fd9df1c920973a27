"""Judged folders as retrieval tasks of mteb, which measures models by its own API. Needs the extra `mteb`."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import mteb
from datasets import Dataset
from datasets.utils.logging import disable_progress_bar
from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.abstasks.task_metadata import TaskMetadata
from sentence_transformers import SentenceTransformer

from simulator.collection import JudgedCollection

MEASURES = {"nDCG@10": "ndcg_at_10", "RR@10": "mrr_at_10", "R@100": "recall_at_100"}
"""What is reported, by our names and mteb's."""

_BY_DEFAULT = "default"


def make_task(name: str, judged: JudgedCollection, split: str) -> AbsTaskRetrieval:
    """Return a retrieval task of mteb over a judged collection in memory; nothing is fetched.

    Args:
        name: Of the folder; in the task's name every sign that is no letter or digit is left out.
    """
    judgments = judged.split(split)
    documents = [{part: one[part] for part in ("id", "title", "text")} for one in judged.documents]
    task = type("FolderTask", (AbsTaskRetrieval,), {"metadata": _describe(name, split)})()
    task.dataset = {
        _BY_DEFAULT: {
            split: {
                "corpus": Dataset.from_list(documents),
                "queries": Dataset.from_list([{"id": query, "text": judged.queries[query]} for query in judgments]),
                "relevant_docs": judgments,
                "top_ranked": None,
            }
        }
    }
    task.data_loaded = True
    return task


def evaluate_folder(model: Path, name: str, judged: JudgedCollection, split: str) -> dict[str, float]:
    """Return what mteb measures of a folder of sentence-transformers on a judged collection; see `MEASURES`.

    A document is one vector of its title and text, cut where the model stops reading.
    """
    disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries, about their own next releases
        loaded = SentenceTransformer(str(model), device="cpu", local_files_only=True)
        task = make_task(name, judged, split)
        found = mteb.evaluate(loaded, task, cache=None, co2_tracker=False, show_progress_bar=False)
    (scores,) = found.task_results[0].scores[split]
    return {ours: float(scores[theirs]) for ours, theirs in MEASURES.items()}


def _describe(name: str, split: str) -> TaskMetadata:
    unknown = dict.fromkeys(
        (
            *("reference", "date", "domains", "task_subtypes", "license", "annotations_creators", "dialect"),
            *("sample_creation", "bibtex_citation"),
        )
    )
    return TaskMetadata(
        name=re.sub(r"[^A-Za-z0-9]", "", name.title()) or "Folder",
        description=f"The judged queries of the split {split} in the folder {name}.",
        dataset={"path": "folder", "revision": "1"},
        type="Retrieval",
        category="t2t",
        modalities=["text"],
        eval_splits=[split],
        eval_langs=["eng-Latn"],
        main_score="ndcg_at_10",
        **unknown,
    )
