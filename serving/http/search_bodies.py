"""What `/v1/search` takes and answers."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from serving.http.inputs import ArmName, Attributes, CursorText, Name, QueryId, SearchText, Surface
from serving.paging.window import WINDOW
from serving.personal.taste import Taste
from serving.present.highlight import mark_html
from serving.present.links import link_of
from serving.records import RenderedHit, SearchReply, SearchRequest
from serving.rules.shaping import AppliedRule

MAX_RESULTS = 100
MIN_RELEVANCE = 0.3
_AS_ASKED = (
    *("query", "limit", "offset", "query_id", "user", "session", "conversation", "attributes", "filters", "sort"),
    *("min_relevance", "facets", "cursor", "surface", "log", "arm"),
)
_RETRIEVERS = ("bm25", "dense")


class PlaceIn(BaseModel):
    """A place."""

    model_config = ConfigDict(extra="forbid")

    lat: float = Field(ge=-90, le=90, description="Degrees north.")
    lon: float = Field(ge=-180, le=180, description="Degrees east.")


class SearchIn(BaseModel):
    """A search."""

    model_config = ConfigDict(extra="forbid", strict=True)

    query: SearchText = Field(
        description="What the user typed; -word, OR, quoted phrases and field:word are read. Empty or *: everything.",
        examples=["print envelopes"],
    )
    limit: int = Field(
        10,
        ge=1,
        le=MAX_RESULTS,
        validation_alias=AliasChoices("limit", "k"),
        description="Most results of the page; k is an older name.",
    )
    offset: int = Field(0, ge=0, lt=WINDOW, description="Results on the pages before.")
    query_id: QueryId = Field(
        "",
        description="That of the first page's answer, for a further page of the same search: the page shares its id, "
        "its impression and its experiment.",
    )
    user: Name = Field("", description="The person's id; experiments and caps count persons.")
    session: Name = Field("", description="The visit's id, for people without one of their own.")
    conversation: Name = Field("", description="The conversation's id, for experiments that draw conversations.")
    attributes: Attributes = Field(
        default_factory=dict,
        description="What else is known of the search, for experiments on a part of the searches; not kept.",
        examples=[{"country": "at"}],
    )
    filters: Any = Field(
        None,
        description="Wanted value by field name, a list means any of its values; or all, any, not, ranges: see docs.",
        examples=[{"app": ["WRITER", "CALC"], "released": {"gte": "2024-01-01"}}],
    )
    sort: Any = Field(
        None,
        description="Field to sort all that matches by, - in front for descending; or a list.",
        examples=["-views"],
    )
    min_relevance: float = Field(
        MIN_RELEVANCE,
        ge=0,
        le=1,
        description="Of a sorted list: share of the words of the best document, rare ones counting more, that one must "
        "hold to be in it.",
    )
    facets: Any = Field(
        None,
        description="Fields whose values are counted over all that matches: names, or objects of field, limit, "
        "contains and multi.",
        examples=[["app", {"field": "brand", "multi": True}]],
    )
    cursor: CursorText = Field(
        "",
        description="* begins a list that is read to its end; then the cursor of the page before. In place of offset.",
    )
    place: PlaceIn | None = Field(
        None,
        description="Where it is asked, for terms of the score by distance.",
        examples=[{"lat": 48.2, "lon": 16.4}],
    )
    skip: list[Literal["rerank", "meaning", "personal"]] = Field(
        default_factory=list, max_length=3, description="Stages to leave out, as to see what they bring."
    )
    budget_ms: float | None = Field(
        None, gt=0, le=60_000, description="Time the answer may take; stages that would exceed it are left out."
    )
    surface: Surface = Field("page", description="Where the answer is shown, such as page or agent.")
    highlight: Literal["html", "offsets"] | None = Field(
        None,
        description="Mark the words of the query in title and snippet: html with <mark> in which all else is escaped, "
        "or offsets.",
    )
    explain: bool = Field(False, description="Add the scores of every part and the time of every stage.")
    log: bool = Field(True, description="false: leave no impression and join no experiment, as for an evaluation.")
    arm: ArmName = Field(
        "",
        description="For testers: EXPERIMENT:ARM, the id of a running experiment and one of its arms. That arm ranks, "
        "and the search counts in no experiment.",
    )

    @field_validator("offset")
    @classmethod
    def _end_in_window(cls, offset: int, known: ValidationInfo) -> int:
        if offset + known.data.get("limit", 0) > WINDOW:
            raise ValueError(f"must end with limit within the first {WINDOW} results")
        return offset

    @model_validator(mode="after")
    def _begin_once(self) -> Self:
        if self.cursor and self.offset:
            raise ValueError("cursor and offset both say where the page begins; send one of them")
        return self

    def to_request(self, budget_ms: float) -> SearchRequest:
        """Return the search that is asked for.

        Args:
            budget_ms: Time an answer may take when the request does not say.
        """
        return SearchRequest(
            **{name: getattr(self, name) for name in _AS_ASKED},
            highlights=self.highlight is not None,
            place=(self.place.lat, self.place.lon) if self.place else None,
            without=tuple(self.skip),
            budget_s=(self.budget_ms or budget_ms) / 1000,
        )


class HighlightOut(BaseModel):
    """Title and snippet with the words of the query marked: as HTML, or the places of the marks.

    A place is [start, end]: the first character, counted in code points from 0, and the one behind the last.
    """

    title: str | list[tuple[int, int]]
    snippet: str | list[tuple[int, int]]


class HitOut(BaseModel):
    """One result."""

    id: str
    rank: int = Field(description="1 on top.")
    title: str
    url: str = Field(description="Where it is http, https or relative; else empty.")
    snippet: str = Field(description="The part of the text that speaks of the query.")
    highlight: HighlightOut | None = Field(description="As asked for, else null.")
    fields: dict[str, Any]
    score: float = Field(description="What it was ranked by; log-odds up to a constant.")
    scores: dict[str, float] = Field(
        description="By retriever: bm25 and dense, of all parts when explained; behind all candidates bm25 alone."
    )
    team: str = Field(description="The side that contributed it to an interleaved list, else empty.")
    rule: str = Field(description="The rule that put it at its rank, else empty; nothing is learned from it there.")


class FacetOut(BaseModel):
    """One value of a field."""

    value: Any
    count: int = Field(description="Documents that have it, of all that match.")


class RangeOut(BaseModel):
    """The smallest and the largest value of a field."""

    min: Any
    max: Any


class AppliedRuleOut(BaseModel):
    """A rule that was meant for the search."""

    name: str
    effects: list[str] = Field(description="Of pin, hide, boost, bury, filter, redirect, banner.")
    problem: str = Field(description="Why a part of it has no effect, else empty.")


class PersonalOut(BaseModel):
    """What a personal order rests on. The values that a person prefers are not told."""

    choices: int = Field(description="Earlier choices of the person that were looked at.")
    meaning: bool = Field(description="Whether they show a taste in the meaning of documents.")
    fields: list[str] = Field(description="The fields in which they show one.")


class SearchOut(BaseModel):
    """An answer. Send its `query_id` with every event about it."""

    query_id: str
    version: str = Field(description="The version that ranked; of an interleaved list, the control.")
    arm: str = Field(
        description="champion outside experiments, else the arm of the experiment, interleaved where all rank; "
        "empty where it would have been one of these and could not be logged."
    )
    experiment: str = Field(description="The experiment it belongs to, else empty.")
    logged: bool = Field(
        description="Whether its impression is durable. Where the log is away it is not: the answer belongs to no "
        "experiment, and events about it find no list."
    )
    total: int = Field(
        description="Documents with a word of the query that pass the filter; of a sorted list those that are relevant "
        "enough, of an empty query all. What meaning alone found does not count."
    )
    hits: list[HitOut]
    did_you_mean: str = Field(description="The query with its slips corrected, as it was searched for; else empty.")
    facets: dict[str, list[FacetOut]] = Field(description="Values by field, as asked for.")
    ranges: dict[str, RangeOut] = Field(
        description="Smallest and largest value of each such field of numbers or dates."
    )
    cursor: str = Field(description="That of the next page; empty at the end, and where none was asked for.")
    skipped: list[str] = Field(
        description="Stages left out, to answer in time, because the request said so, or because the encoder cannot "
        "read the script of the query, or the store is away: rerank, meaning, personal."
    )
    redirect: str = Field(description="Where a rule wants the page to lead instead, else empty.")
    banners: list[dict[str, Any]] = Field(description="What rules want the page to show, the most important first.")
    rules: list[AppliedRuleOut] | None = Field(
        description="When explained: the rules that were meant for the search, and terms of the score without effect."
    )
    personal: PersonalOut | None = Field(
        description="When explained: what the order owes to the person's taste; null where nobody's was asked for."
    )
    stages_ms: dict[str, float] | None = Field(None, description="Milliseconds by stage, when explained.")


def to_answer(reply: SearchReply, wanted: SearchIn) -> SearchOut:
    """Return the answer to a search as it is sent."""
    result, ranking = reply.result, reply.result.ranking
    return SearchOut(
        query_id=result.impression.query_id,
        version=ranking.version,
        arm=ranking.arm,
        experiment=ranking.experiment,
        logged=result.logged,
        total=result.total,
        hits=[_to_hit(one, wanted) for one in reply.hits],
        facets={
            name: [FacetOut(value=value, count=count) for value, count in counted.values]
            for name, counted in result.facets.items()
        },
        ranges={
            name: RangeOut(min=facet.low, max=facet.high)
            for name, facet in result.facets.items()
            if facet.low is not None
        },
        cursor=result.cursor,
        did_you_mean=reply.did_you_mean,
        skipped=list(result.skipped),
        redirect=result.shaping.redirect,
        banners=[dict(banner) for banner in result.shaping.banners],
        rules=[_to_rule(one) for one in result.shaping.applied] if wanted.explain else None,
        personal=_to_personal(result.taste) if wanted.explain else None,
        stages_ms={stage: round(1000 * s, 3) for stage, s in result.timer.seconds.items()} if wanted.explain else None,
    )


def _to_personal(taste: Taste | None) -> PersonalOut | None:
    if taste is None:
        return None
    return PersonalOut(choices=taste.choices, meaning=bool(taste.meaning.any()), fields=sorted(taste.fields))


def _to_rule(applied: AppliedRule) -> AppliedRuleOut:
    return AppliedRuleOut(name=applied.name, effects=list(applied.effects), problem=applied.problem)


def _to_hit(rendered: RenderedHit, wanted: SearchIn) -> HitOut:
    hit, document = rendered.hit, rendered.document
    parts = hit.parts if wanted.explain else {name: hit.parts[name] for name in _RETRIEVERS if name in hit.parts}
    return HitOut(
        id=document.id,
        rank=rendered.rank,
        title=document.title,
        url=link_of(document.url),
        snippet=rendered.snippet,
        highlight=_to_highlight(rendered, as_html=wanted.highlight == "html"),
        fields=document.fields,
        score=round(hit.score, 6),
        scores={name: round(value, 5) for name, value in parts.items()},
        team=hit.team,
        rule=hit.rule,
    )


def _to_highlight(rendered: RenderedHit, *, as_html: bool) -> HighlightOut | None:
    marks = rendered.marks
    if marks is None:
        return None
    if not as_html:
        return HighlightOut(title=marks.title, snippet=marks.snippet)
    title = mark_html(rendered.document.title, marks.title)
    return HighlightOut(title=title, snippet=mark_html(rendered.snippet, marks.snippet))
