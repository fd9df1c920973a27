"""Answers a search: what is found, which version ranks it, what is shown of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from ab_testing.api import Assignment
from foundation.arrays import Flags
from foundation.contracts import BROWSE, Impression, query_key
from serving.answers import Answers
from serving.arms import put_pins, rank_for
from serving.exposure import expose
from serving.first_stages import FirstStages
from serving.index.space import Space
from serving.live.collection_state import ServingSnapshot
from serving.live.loader import Loader
from serving.paging.cursor import Cursor, digest_of, read_cursor
from serving.paging.lists import ListAnswer, ListRequest, match, read_list
from serving.paging.matched import Matched
from serving.paging.window import WINDOW
from serving.personal.tastes import Tastes
from serving.present.facets import Facet, count_facets
from serving.query.scope import SearchScope, read_scope
from serving.ranking.pipeline import Ranking
from serving.ranking.retrieval import FirstStage
from serving.ranking.stage_timer import StageTimer
from serving.records import SearchReply, SearchRequest, SearchResult
from serving.rendering import render
from serving.rules.rule_book import Situation

_BEGIN = "*"
"""The cursor of a list's beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Searcher:
    """Serves searches over the collections of a loader. Safe to use from many threads."""

    loader: Loader
    answers: Answers
    tastes: Tastes

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
        return SearchReply(self.answers.settle(result, append), hits, _did_you_mean(result))

    def find(self, collection: str, request: SearchRequest) -> SearchResult:
        """Return what a search finds, without logging it; raises what `search` does."""
        timer = StageTimer()
        snapshot = self.loader.collection(collection).snapshot
        scope = read_scope(snapshot.corpus, request)
        cursor = _read_cursor(collection, request)
        request = _resume(request, scope, cursor)
        visitor, draft = self.answers.draft(collection, request)
        admission = self.answers.admission
        until_s = admission.now() + request.budget_s
        with admission.turn():
            timer.end("wait")
            late = admission.stages_to_shed(until_s - admission.now())
            skipped = tuple(dict.fromkeys((*request.without, *late)))
            situation = _situation(request, scope, draft)
            listed = bool(scope.browses or scope.sort or cursor)
            named = bool(visitor.user) and not listed and "personal" not in skipped
            read_taste = partial(self.tastes.of, collection, visitor.user, query_id=draft.query_id) if named else None
            asked = FirstStages(snapshot, scope, situation, skipped=skipped, timer=timer, read_taste=read_taste)
            assignment = self.answers.assign(snapshot, draft, visitor, request, joins=not (late or listed))
            found = (
                _list(snapshot, asked, scope, request, cursor, timer)
                if listed
                else _rank(snapshot, asked, request, assignment, timer)
            )
            ranking = found.ranking
            impression = expose(
                draft, ranking, assignment, snapshot=snapshot, known=bool(visitor.user), took_s=timer.total_s
            )
            facets = _count(found, scope)
            timer.end("facets")
        query = found.first_stage.query
        if query.unread and "meaning" not in skipped:
            skipped = (*skipped, "meaning")
        if asked.lacks_taste:
            skipped = (*skipped, "personal")
        return SearchResult(
            request=request,
            corpus=found.space.corpus,
            query=query,
            ranking=ranking,
            total=found.total,
            impression=impression,
            facets=facets,
            operators=scope.asked.operators,
            cursor=replace(found.after, query_id=draft.query_id).write() if found.after else "",
            skipped=skipped,
            late=late,
            timer=timer,
            until_s=until_s,
            shaping=found.first_stage.shaping,
            taste=found.first_stage.taste,
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """What a search found.

    Attributes:
        space: That of the rows.
        first_stage: What the indexes found in it.
        matched: All that it matches.
        after: Where the next page begins, None without a cursor.
    """

    ranking: Ranking
    space: Space
    first_stage: FirstStage
    matched: Matched
    total: int
    after: Cursor | None = None


def _situation(request: SearchRequest, scope: SearchScope, draft: Impression) -> Situation:
    """Return what a search is to rules."""
    key = "" if scope.browses else query_key(draft.query)
    return Situation(key, request.attributes, request.surface, draft.at, request.place)


def _read_cursor(collection: str, request: SearchRequest) -> Cursor | None:
    """Return where a list that is read to its end goes on, None where a page has a number."""
    if not request.cursor:
        return None
    digest = digest_of(collection, request.query, request.filters, request.sort, request.min_relevance)
    return Cursor(digest) if request.cursor == _BEGIN else read_cursor(request.cursor, digest)


def _resume(request: SearchRequest, scope: SearchScope, cursor: Cursor | None) -> SearchRequest:
    """Return a request as the page of the search that it belongs to; what is beyond the window is not logged."""
    if scope.browses:
        request = replace(request, query=request.query.strip() or BROWSE)
    if cursor is None:
        return request
    log = request.log and cursor.shown < WINDOW
    return replace(request, query_id=cursor.query_id, offset=cursor.shown, log=log)


def _rank(
    snapshot: ServingSnapshot,
    asked: FirstStages,
    request: SearchRequest,
    assignment: Assignment | None,
    timer: StageTimer,
) -> _Found:
    """Return a page in the order of relevance."""
    depth = request.offset + request.limit
    ranking, space, first_stage = rank_for(snapshot, asked, depth, assignment=assignment, timer=timer)
    matched = match(space.corpus, first_stage, candidates=ranking.candidates)
    page = replace(ranking, hits=ranking.hits[request.offset : depth])
    return _Found(page, space, first_stage, matched, first_stage.matches)


def _list(
    snapshot: ServingSnapshot,
    asked: FirstStages,
    scope: SearchScope,
    request: SearchRequest,
    cursor: Cursor | None,
    timer: StageTimer,
) -> _Found:
    """Return a page in another order, or of a list that is read to its end; the champion brings what is relevant.

    In the owner's own order of everything, rules put what they pin at its rank.
    """
    champion = snapshot.rankers[snapshot.champion]
    space = asked.space_of(champion)
    first_stage = asked.retrieve(space, snapshot.relevance)
    pins = len(first_stage.shaping.pins) if not (scope.sort or cursor) else 0
    depth = request.offset + request.limit
    offset, limit = (0, depth + pins) if pins else (request.offset, request.limit)
    wanted = ListRequest(offset, limit, scope.sort, request.min_relevance, cursor)
    answer: ListAnswer = read_list(champion, first_stage, wanted, timer)
    ranking = replace(answer.ranking, version=snapshot.champion, arm="champion")
    if pins:
        ranking = put_pins(ranking, space.corpus, first_stage, depth)
        ranking = replace(ranking, hits=ranking.hits[request.offset :])
    return _Found(ranking, space, first_stage, answer.matched, answer.total, answer.after)


def _count(found: _Found, scope: SearchScope) -> dict[str, Facet]:
    corpus, shaping = found.space.corpus, found.first_stage.shaping

    def among(field: str) -> Flags:
        asked = scope.allowed_beside(corpus, field) if field else scope.allowed(corpus)
        return found.matched.among(shaping.narrow(corpus, asked))

    return count_facets(corpus, scope.facets, among)


def _did_you_mean(result: SearchResult) -> str:
    """Return the query with its slips corrected and its operators as they were typed, "" where it has no slips."""
    meant = result.query.meant
    return f"{meant} {result.operators}".strip() if meant else ""
