"""The HTTP routes of the owner's settings: `/v1/synonyms`, `/v1/rules`, `/v1/ranking` and `/v1/relevance`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import BaseModel, Field

from foundation.errors import InvalidRequest
from foundation.web.problems import problem_responses
from foundation.web.requests import Collection, actor_of
from serving.http.inputs import Name
from serving.index.fields.filters import summarise
from serving.index.fields.values import FieldType
from serving.rules.checks import MAX_CHANGES, check_changes
from serving.rules.rule import Rule
from serving.rules.settings import READERS, FieldFeature, ItemKey, Kind, SynonymGroup
from serving.rules.store import RelevanceRevisions, Revision
from serving.rules.terms import Term

Types = Callable[[str], Mapping[str, FieldType]]
Note = Annotated[str, Query(max_length=500, description="Why, for people who read the history.")]
Draft = Annotated[
    bool, Query(description="true keeps the change as a draft: an experiment can try it, and what serves stays.")
]
_ITEM = {"min_length": 1, "max_length": 128, "pattern": r"^[^\x00-\x1f\x7f]+$"}
Item = Annotated[str, Field(**_ITEM)]
_EXAMPLE_OF_RULE = {"when": {"queries": ["toner"]}, "pin": [{"id": "new-toner", "rank": 1}]}


class RevisionOut(BaseModel):
    """One revision of the settings."""

    revision: int = Field(description="Counts up in each collection; 0 before anything was said.")
    serves: bool = Field(description="Whether it was made to serve; a draft waits.")
    at: datetime | None
    actor: str = Field(description="Who made it.")
    note: str


class SynonymsOut(RevisionOut):
    """The synonyms of a revision."""

    synonyms: dict[str, SynonymGroup]


class RulesOut(RevisionOut):
    """The rules of a revision."""

    rules: dict[str, Rule]


class RankingOut(RevisionOut):
    """The terms of the score of a revision."""

    terms: dict[str, Term]


class FeaturesOut(RevisionOut):
    """The fields that training learns from, of a revision."""

    features: dict[str, FieldFeature]


class RelevanceOut(RevisionOut):
    """All settings of a revision."""

    synonyms: dict[str, SynonymGroup]
    rules: dict[str, Rule]
    terms: dict[str, Term]
    features: dict[str, FieldFeature]


class RevisionsOut(BaseModel):
    """The history of the settings."""

    serves: int = Field(description="The revision that serves, 0 for none.")
    revisions: list[RevisionOut] = Field(description="The last one first.")


class ServeIn(BaseModel):
    """Why an earlier revision serves again."""

    note: Name = ""


_REFUSALS = problem_responses(400, 413, 422)
_NAMES: Mapping[Kind, str] = {"synonyms": "synonyms", "rule": "rules", "term": "terms", "feature": "features"}


def make_router(revisions: RelevanceRevisions, types: Types, changed: Callable[[], None]) -> APIRouter:
    """Return the routes of the owner's settings.

    Args:
        types: Returns the fields of a collection, with their types.
        changed: Called after a change, so that this process serves it at once.
    """
    settings = _Settings(revisions, types, changed)
    router = APIRouter(prefix="/v1", tags=["relevance"])
    _add_synonyms(router, settings)
    _add_rules(router, settings)
    _add_terms(router, settings)
    _add_features(router, settings)
    _add_history(router, revisions, changed)
    return router


def _add_synonyms(router: APIRouter, settings: _Settings) -> None:
    @router.get("/synonyms", responses=problem_responses(422))
    def list_synonyms(collection: Collection) -> SynonymsOut:
        """List the synonyms that serve."""
        return SynonymsOut(**settings.read(collection, "synonyms"))

    @router.put("/synonyms", responses=_REFUSALS)
    def change_synonyms(
        request: Request,
        collection: Collection,
        changes: Annotated[
            dict[Item, SynonymGroup | None],
            Body(max_length=MAX_CHANGES, examples=[{"tv": {"words": ["tv", "television"]}}]),
        ],
        note: Note = "",
        draft: Draft = False,
    ) -> SynonymsOut:
        """Change synonyms by name; null withdraws, those that are not named stay."""
        return SynonymsOut(**settings.change(request, collection, "synonyms", changes, note, serves=not draft))


def _add_rules(router: APIRouter, settings: _Settings) -> None:
    @router.get("/rules", responses=problem_responses(422))
    def list_rules(collection: Collection) -> RulesOut:
        """List the rules that serve."""
        return RulesOut(**settings.read(collection, "rule"))

    @router.put("/rules", responses=_REFUSALS)
    def change_rules(
        request: Request,
        collection: Collection,
        changes: Annotated[
            dict[Item, Rule | None], Body(max_length=MAX_CHANGES, examples=[{"launch": _EXAMPLE_OF_RULE}])
        ],
        note: Note = "",
        draft: Draft = False,
    ) -> RulesOut:
        """Change rules by name; null withdraws, those that are not named stay."""
        return RulesOut(**settings.change(request, collection, "rule", changes, note, serves=not draft))


def _add_terms(router: APIRouter, settings: _Settings) -> None:
    @router.get("/ranking", responses=problem_responses(422))
    def list_terms(collection: Collection) -> RankingOut:
        """List the terms that are added to scores."""
        return RankingOut(**settings.read(collection, "term"))

    @router.put("/ranking", responses=_REFUSALS)
    def change_terms(
        request: Request,
        collection: Collection,
        changes: Annotated[
            dict[Item, Term | None],
            Body(examples=[{"new first": {"kind": "age", "field": "released", "half_life_days": 90, "by": 2}}]),
        ],
        note: Note = "",
        draft: Draft = False,
    ) -> RankingOut:
        """Change terms of the score by name; null withdraws, those that are not named stay."""
        return RankingOut(**settings.change(request, collection, "term", changes, note, serves=not draft))


def _add_features(router: APIRouter, settings: _Settings) -> None:
    @router.get("/features", responses=problem_responses(422))
    def list_features(collection: Collection) -> FeaturesOut:
        """List the fields that training learns from, beside text and clicks."""
        return FeaturesOut(**settings.read(collection, "feature"))

    @router.put("/features", responses=_REFUSALS)
    def change_features(
        request: Request,
        collection: Collection,
        changes: Annotated[dict[Item, FieldFeature | None], Body(examples=[{"price": {}, "brand": {"values": 20}}])],
        note: Note = "",
    ) -> FeaturesOut:
        """Declare fields as features by name; null withdraws, those that are not named stay."""
        return FeaturesOut(**settings.change(request, collection, "feature", changes, note, serves=True))


def _add_history(router: APIRouter, revisions: RelevanceRevisions, changed: Callable[[], None]) -> None:
    @router.get("/relevance", responses=problem_responses(422))
    def show_relevance(collection: Collection) -> RelevanceOut:
        """Show all settings that serve."""
        return _show(*revisions.standing(collection))

    @router.get("/relevance/revisions", responses=problem_responses(422))
    def list_revisions(collection: Collection, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> RevisionsOut:
        """List who changed the settings, when and why."""
        standing, _ = revisions.standing(collection)
        history = [RevisionOut(**_told(one)) for one in revisions.history(collection, limit)]
        return RevisionsOut(serves=standing.number, revisions=history)

    @router.get("/relevance/revisions/{revision}", responses=problem_responses(404, 422))
    def show_revision(collection: Collection, revision: Annotated[int, Path(ge=1)]) -> RelevanceOut:
        """Show the settings as they were once said."""
        return _show(*revisions.of(collection, revision))

    @router.post("/relevance/revisions/{revision}/serve", responses=problem_responses(404, 422))
    def serve_revision(
        request: Request, collection: Collection, revision: Annotated[int, Path(ge=1)], wanted: ServeIn
    ) -> RelevanceOut:
        """Let a draft or an earlier revision serve, as a new revision that says the same."""
        made = revisions.serve(collection, revision, actor=actor_of(request), note=wanted.note)
        changed()
        return _show(*revisions.of(collection, made.number))


class _Settings:
    """Reads and changes the settings of one kind."""

    def __init__(self, revisions: RelevanceRevisions, types: Types, changed: Callable[[], None]) -> None:
        self._revisions = revisions
        self._types = types
        self._changed = changed

    def read(self, collection: str, kind: Kind) -> dict[str, Any]:
        """Return what serves."""
        return self._tell(*self._revisions.standing(collection), kind)

    def change(
        self, request: Request, collection: str, kind: Kind, changes: Mapping[str, Any], note: str, *, serves: bool
    ) -> dict[str, Any]:
        """Check changes, make them a revision, and return it."""
        if faults := check_changes(changes, self._types(collection)):
            raise InvalidRequest(summarise("nothing was changed", faults), tuple(faults))
        wanted: dict[ItemKey, dict[str, Any] | None] = {
            (kind, name): None if one is None else READERS[kind].dump_python(one, mode="json", exclude_defaults=True)
            for name, one in changes.items()
        }
        made = self._revisions.change(collection, wanted, actor=actor_of(request), note=note, serves=serves)
        self._changed()
        return (
            self._tell(*self._revisions.of(collection, made.number), kind)
            if made.number
            else self.read(collection, kind)
        )

    def _tell(self, revision: Revision, items: Mapping[ItemKey, dict[str, Any]], kind: Kind) -> dict[str, Any]:
        return _told(revision) | {_NAMES[kind]: _of_kind(items, kind)}


def _show(revision: Revision, items: Mapping[ItemKey, dict[str, Any]]) -> RelevanceOut:
    return RelevanceOut(**_told(revision), **{name: _of_kind(items, kind) for kind, name in _NAMES.items()})


def _of_kind(items: Mapping[ItemKey, dict[str, Any]], kind: Kind) -> dict[str, Any]:
    return {name: content for (of, name), content in sorted(items.items()) if of == kind}


def _told(revision: Revision) -> dict[str, Any]:
    return {
        "revision": revision.number,
        "serves": revision.serves,
        "at": revision.at,
        "actor": revision.actor,
        "note": revision.note,
    }
