"""What documents themselves offer to be searched for: their titles, and the values of declared fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from foundation.contracts import query_key
from serving.index.corpus import Corpus
from serving.present.suggestions import SuggestedQuery

MAX_TITLES = 20_000
MAX_VALUES = 1_000
"""Values of each field, the most frequent ones."""

_MAX_CHARACTERS = 80
_VALUE, _TITLE = 0.02, 0.01
"""Less than any query weighs that people asked; a value stands before a title, and frequent ones before others."""


def read_phrases(corpus: Corpus, fields: Iterable[str], known: Iterable[str] = ()) -> list[SuggestedQuery]:
    """Return what can be proposed before anybody has asked, each once; texts over 80 characters are left out.

    Args:
        fields: Keyword fields whose values are proposed.
        known: What is proposed anyway, as people asked it.
    """
    met = set(map(query_key, known))
    found: dict[str, SuggestedQuery] = {}
    for one in (*_values(corpus, fields), *_titles(corpus)):
        if 0 < len(one.text) <= _MAX_CHARACTERS and (key := query_key(one.text)) not in met:
            found.setdefault(key, one)
    return list(found.values())


def _values(corpus: Corpus, fields: Iterable[str]) -> Iterator[SuggestedQuery]:
    rows = np.flatnonzero(corpus.present())
    for name in fields:
        if corpus.fields.types.get(name) == "keyword":
            for value, count in corpus.fields.count(name, rows, MAX_VALUES):
                yield SuggestedQuery(" ".join(str(value).split()), _VALUE * (2 - 1 / count))


def _titles(corpus: Corpus) -> Iterator[SuggestedQuery]:
    for row in np.flatnonzero(corpus.present())[:MAX_TITLES].tolist():
        yield SuggestedQuery(" ".join(corpus.document(row).title.split()), _TITLE)
