"""Answers a search: what is found, which version ranks it, what is shown of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from foundation.contracts import query_key
from serving.answers import Answers
from serving.arms import rank_for
from serving.exposure import expose
from serving.first_stages import FirstStages
from serving.index.corpus import Corpus
from serving.index.fields.filters import Condition, parse_filter
from serving.index.fields.request import SortKey, parse_facets, parse_sort
from serving.index.fields.values import FieldType
from serving.live.loader import Loader
from serving.ranking.stage_timer import StageTimer
from serving.records import SearchReply, SearchRequest, SearchResult
from serving.rendering import render

_FACET_VALUES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Searcher:
    """Serves searches over the collections of a loader. Safe to use from many threads."""

    loader: Loader
    answers: Answers

    def search(self, collection: str, request: SearchRequest) -> SearchReply:
        """Return the answer to a search; its impression is durable then, or the answer says that it is not.

        Raises:
            NotFound: The collection has no documents.
            NotReady: No version of it serves yet.
            InvalidRequest: Filter, sort or facets do not fit the collection's fields.
        """
        result = self.find(collection, request)
        append = self.answers.publish(result, result.ranking.hits)
        hits = render(result)  # while the disk is at work
        result.timer.end("snippet")
        return SearchReply(self.answers.settle(result, append), hits, result.query.meant)

    def find(self, collection: str, request: SearchRequest) -> SearchResult:
        """Return what a search finds, without logging it; raises what `search` does."""
        timer = StageTimer()
        snapshot = self.loader.collection(collection).snapshot
        condition, sort, facets = _read_scope(snapshot.corpus, request)
        visitor, draft = self.answers.draft(collection, request)
        admission = self.answers.admission
        until_s = admission.now() + request.budget_s
        with admission.turn():
            timer.end("wait")
            late = admission.stages_to_shed(until_s - admission.now())
            skipped = tuple(dict.fromkeys((*request.without, *late)))
            asked = FirstStages(
                snapshot, request.query, query_key(draft.query), condition=condition, skipped=skipped, timer=timer
            )
            assignment = self.answers.assign(snapshot, draft, visitor, request, joins=not (late or sort))
            depth = request.offset + request.limit
            ranking, space = rank_for(snapshot, asked, depth, sort=sort, assignment=assignment, timer=timer)
            ranking = replace(ranking, hits=ranking.hits[request.offset : depth])
            impression = expose(
                draft, ranking, assignment, snapshot=snapshot, known=bool(visitor.user), took_s=timer.total_s
            )
            counted = _count(space.corpus, ranking.candidates, facets)
            timer.end("facets")
        first_stage = asked.retrieve(space)
        query = first_stage.query
        if query.unread and "meaning" not in skipped:
            skipped = (*skipped, "meaning")
        return SearchResult(
            request=request,
            corpus=space.corpus,
            query=query,
            ranking=ranking,
            total=first_stage.matches,
            impression=impression,
            facets=counted,
            skipped=skipped,
            late=late,
            timer=timer,
            until_s=until_s,
        )


class _EveryField(dict[str, FieldType]):
    """The fields of a collection in which every name is one."""

    def __contains__(self, name: object) -> bool:
        return True


def _read_scope(
    corpus: Corpus, request: SearchRequest
) -> tuple[Condition | None, tuple[SortKey, ...], tuple[str, ...]]:
    """Return filter, sort and facets of a request as the collection's fields take them.

    A collection whose documents are all gone may know no fields any more. No field is unknown there.
    """
    types = corpus.fields.types
    if not len(corpus):
        return None, (), parse_facets(request.facets, _EveryField()) if request.facets is not None else ()
    return (
        parse_filter(request.filters, types) if request.filters is not None else None,
        parse_sort(request.sort, types) if request.sort is not None else (),
        parse_facets(request.facets, types) if request.facets is not None else (),
    )


def _count(corpus: Corpus, candidates: list[int], facets: tuple[str, ...]) -> dict[str, list[tuple[Any, int]]]:
    rows = np.array(candidates if facets else (), np.int64)
    return {name: corpus.fields.count(name, rows, _FACET_VALUES) for name in facets}
