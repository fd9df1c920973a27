"""What a search passes on its way: the request, the result, and the reply.

Between request and result stand `serving.ranking.retrieval.FirstStage` and `serving.ranking.pipeline.Ranking`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from foundation.contracts import Document, Impression
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.personal.taste import Taste
from serving.present.facets import Facet
from serving.present.highlight import Mark
from serving.ranking.pipeline import RankedHit, Ranking
from serving.ranking.stage_timer import StageTimer
from serving.rules.shaping import NO_SHAPING, Shaping

CONTEXT = "context"
"""The surface of passages for a chatbot, which stand in an order of their own."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search request.

    Attributes:
        limit: Most results of this page.
        offset: How many results stand on the pages before it.
        query_id: The search whose further page this is, "" for a new one.
        own_id: What the app itself calls this search, and its events name it by; "" where the service gives an id.
        filters: A filter as JSON; see `serving.index.fields.filters`. None for none.
        sort: Fields to sort all that matches by, as JSON; see `serving.index.fields.request`. None for relevance.
        facets: Fields whose values are counted over all that matches, as JSON; None for none.
        cursor: Where a list that is read to its end goes on, "*" for its beginning, "" where `offset` says it.
        min_relevance: Share of the words of the best document that one must hold to be in a sorted list.
        operators: Whether the text may hold operators: `-word`, `OR`, quoted phrases, `field:word`.
        place: Where it is asked, degrees north and east, for terms of the score; None where nobody says.
        without: Stages to leave out: "rerank", "meaning", "personal".
        surface: Where the answer is shown: "page", "context", "agent", or an app's own word.
        budget_s: Time after which the answer is late; stages that would make it late are left out.
        log: Whether the answer is an impression; others join no experiment either.
        rearranged: Whether the hits are shown in another order, or not all of them.
        attributes: What else the app says of the search, by name, for experiments on a part of the searches.
        highlights: Whether the words of the query are marked in title and snippet.
        arm: The arm that a tester wants, "" for the one that is drawn; see `Assignments.force`.
    """

    query: str
    limit: int = 10
    offset: int = 0
    query_id: str = ""
    own_id: str = ""
    user: str = ""
    session: str = ""
    conversation: str = ""
    filters: Any = None
    sort: Any = None
    facets: Any = None
    without: tuple[str, ...] = ()
    surface: str = "page"
    budget_s: float = 0.5
    log: bool = True
    rearranged: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)
    arm: str = ""
    highlights: bool = False
    cursor: str = ""
    min_relevance: float = 0.0
    operators: bool = True
    place: tuple[float, float] | None = None

    @property
    def shows_drafts(self) -> bool:
        """Whether an interleaved list would be shown as it was drawn; only then it says something of its sides."""
        return not self.rearranged and self.surface != CONTEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedAnswer:
    """An answer as it was ranked, whatever was ranked.

    Attributes:
        ranking: The list, of which this page has the hits from `offset` on.
        impression: What is logged of it; its results are empty until they are chosen.
        skipped: Stages left out.
        late: The stages among them that were left out to answer in time.
        until_s: When the answer is late, by the clock of admission.
        logged: Whether the impression is durable; if not, the search takes part in no experiment.
    """

    request: SearchRequest
    ranking: Ranking
    impression: Impression
    skipped: tuple[str, ...]
    late: tuple[str, ...]
    timer: StageTimer
    until_s: float
    logged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult(RankedAnswer):
    """What a search found.

    Attributes:
        total: How many documents hold a word of the query, of those that the filter lets through; of a sorted list
            those that are relevant enough.
        facets: What was counted, by field.
        operators: What was typed to demand something, and is no part of what is searched for.
        cursor: Where the next page begins, "" at the end or where no cursor was asked for.
        shaping: What the owner's settings made of it.
        taste: By which it was moved, None where nobody's was asked for.
    """

    corpus: Corpus
    query: Query
    total: int
    facets: dict[str, Facet]
    operators: str = ""
    cursor: str = ""
    shaping: Shaping = NO_SHAPING
    taste: Taste | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """Where the words of the query stand in a hit.

    Attributes:
        title: First character and the one behind the last of each place, in order.
        snippet: The same.
    """

    title: list[Mark]
    snippet: list[Mark]


@dataclass(frozen=True, slots=True)
class RenderedHit:
    """One line of an answer.

    Attributes:
        rank: 1 on top.
        snippet: The part of the text that speaks of the query.
        marks: Where the words of the query stand in title and snippet, None when nobody asked.
    """

    rank: int
    hit: RankedHit
    document: Document
    snippet: str
    marks: Marks | None = None


@dataclass(frozen=True, slots=True)
class SearchReply:
    """The answer to a search.

    Attributes:
        did_you_mean: The query with its slips corrected, as it was searched for; "" when it has none.
    """

    result: SearchResult
    hits: list[RenderedHit]
    did_you_mean: str
