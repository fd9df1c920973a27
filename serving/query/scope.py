"""What a search may list: its operators, filter, order and facets as the fields of a collection take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import ior

from foundation.arrays import Flags
from foundation.contracts import BROWSE
from serving.index.corpus import Corpus
from serving.index.fields.filters import Condition, Equals, Near, parse_filter, without_field
from serving.index.fields.request import FacetRequest, SortKey, parse_facets, parse_sort
from serving.index.fields.values import FieldType
from serving.index.lexical.words import cut_words
from serving.query.syntax import TEXTS, AskedText, Term, read_operators
from serving.records import SearchRequest


@dataclass(frozen=True, slots=True)
class SearchScope:
    """What a search asks for beside relevance.

    Attributes:
        asked: Its text with the operators read.
        condition: Its filter, None for none.
        sort: What the list is ordered by before all else; empty for relevance.
        facets: What is counted.
    """

    asked: AskedText
    condition: Condition | None = None
    sort: tuple[SortKey | Near, ...] = ()
    facets: tuple[FacetRequest, ...] = ()

    @property
    def browses(self) -> bool:
        """Whether nothing is searched for: every document that may be listed is."""
        return not self.asked.text

    def allowed(self, corpus: Corpus) -> Flags | None:
        """Return which rows of a corpus may be listed, bool by row; None where all may."""
        return self._mask(corpus, self.condition)

    def allowed_beside(self, corpus: Corpus, field: str) -> Flags | None:
        """Return the same without what the filter says of one field alone."""
        return self._mask(corpus, without_field(self.condition, field) if self.condition else None)

    def _mask(self, corpus: Corpus, condition: Condition | None) -> Flags | None:
        if condition is None and not self.asked.demands:
            return None
        mask = corpus.matching(condition) if condition else corpus.present()
        return _meet(corpus, self.asked, mask) if self.asked.demands else mask


def read_scope(corpus: Corpus, request: SearchRequest) -> SearchScope:
    """Return what a request asks for; its operators are those that the collection's fields give a sense.

    A collection whose documents are all gone may know no fields any more. No field is unknown there.

    Raises:
        InvalidRequest: Filter, sort or facets do not fit the collection's fields.
    """
    types = corpus.fields.types
    text = "" if request.query.strip() in {"", BROWSE} else request.query
    asked = read_operators(text, types) if request.operators else AskedText(text)
    if not len(corpus):
        facets = parse_facets(request.facets, _EveryField()) if request.facets is not None else ()
        return SearchScope(asked, None, (), facets)
    return SearchScope(
        asked,
        parse_filter(request.filters, types) if request.filters is not None else None,
        parse_sort(request.sort, types) if request.sort is not None else (),
        parse_facets(request.facets, types) if request.facets is not None else (),
    )


class _EveryField(dict[str, FieldType]):
    """The fields of a collection in which every name is one."""

    def __contains__(self, name: object) -> bool:
        return True


def _meet(corpus: Corpus, asked: AskedText, mask: Flags) -> Flags:
    """Return which rows of a mask hold what is required and nothing that is excluded.

    What no document of the collection holds in its text is required of none: it is searched for word by word.
    """
    present = corpus.present()[: len(mask)]
    for group in asked.required:
        held = _any(corpus, group, present)
        if held.any() or any(term.field not in {"", *TEXTS} for term in group):
            mask = mask & held
    return mask & ~_any(corpus, asked.excluded, present) if asked.excluded else mask


def _any(corpus: Corpus, terms: Sequence[Term], present: Flags) -> Flags:
    return reduce(ior, (_holding(corpus, term, present) for term in terms))


def _holding(corpus: Corpus, term: Term, present: Flags) -> Flags:
    """Return which of the present rows hold a term."""
    if term.field in {"", *TEXTS}:
        return corpus.lexical.holding(term.words, present, (term.field,) if term.field else TEXTS)
    if term.value is not None:
        return corpus.fields.mask(Equals(term.field, (term.value,)), len(present)) & present
    words = cut_words(term.words)
    return corpus.fields.holding(term.field, words.plain, len(present)) & present
