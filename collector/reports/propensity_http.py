"""HTTP: how much of a click is the rank's doing, and what that is known from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from collector.click_models.click_curve import measure_tilt, overcorrects
from collector.click_models.intervention_harvesting import HarvestedCurve, assign_folds, harvest_interventions
from collector.fold.votes import Vote
from collector.reads.people import is_held, within_cap
from collector.tables import impressions
from foundation.contracts import CURVE_RANKS, ClickCurve
from foundation.database.engine import reading
from foundation.web.problems import problem_responses
from foundation.web.requests import collection_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LATEST = 20_000

_READ = tuple(impressions.c[name] for name in ("results", "outcome", *Vote._fields))


class RankReply(BaseModel):
    """One rank; deeper ones than 20 are counted with it."""

    rank: int
    theta: float = Field(description="Examination relative to rank 1.")
    standard_error: float | None = Field(description="Of theta; null while it is the prior's.")
    relevant: float = Field(description="Probability of a click on a relevant document.")
    other: float = Field(description="Probability of a click on any other document.")
    shown: int
    clicked: int
    swaps: int = Field(description="Documents that stood here and, for the same query, elsewhere.")
    swapped_clicks: int = Field(description="Their clicks here.")
    ctr: float | None = Field(description="Clicks by impressions; null where nothing was shown.")
    corrected_ctr: float | None = Field(description="Clicks by examined impressions: those times theta.")


class Alarm(BaseModel):
    """Whether the curve in use is steeper than the clicks, so that clicks far down count for too much."""

    over_corrects: bool
    tilt: float | None = Field(description="Clicks follow the curve in use times rank^tilt; null without swaps.")
    standard_error: float | None


class SurfaceReply(BaseModel):
    """What the latest lists of one surface say of its ranks."""

    surface: str
    lists: int = Field(description="Lists counted, of each person for each query and week no more than the setting.")
    family: str = Field(description="The click model that predicts held-out queries best, or prior.")
    held_out: dict[str, float] = Field(description="By click model, log-likelihood per impression of held-out queries.")
    swapped_documents: int
    alarm: Alarm
    ranks: list[RankReply]


class Propensity(BaseModel):
    """Position and trust bias of a collection, by surface."""

    collection: str
    surfaces: list[SurfaceReply]


class _Tally(NamedTuple):
    """How many lists there are, their documents' impressions and clicks by rank, and the fold of each one's query."""

    lists: int
    shown: Floats
    clicked: Floats
    folds: Ints


def make_router(engine: sa.Engine, lists_per_user: int, curve_in_use: Callable[[str], ClickCurve]) -> APIRouter:
    """Return the route of the report on propensities.

    Args:
        lists_per_user: Lists of one person for one query and week that count.
        curve_in_use: The click curve of a collection's champion.
    """
    router = APIRouter(tags=["feedback"])

    @router.get("/v1/reports/propensity", responses=problem_responses(422))
    def report_propensity(collection: Annotated[str, Depends(collection_of)]) -> Propensity:
        """Report the click curve of each surface with its evidence, from its latest 20,000 lists without held users."""
        curve = curve_in_use(collection)
        surfaces = [
            _describe(surface, tally, curve) for surface, tally in _tally_surfaces(engine, collection, lists_per_user)
        ]
        return Propensity(collection=collection, surfaces=surfaces)

    return router


def _tally_surfaces(engine: sa.Engine, collection: str, lists_per_user: int) -> Iterator[tuple[str, _Tally]]:
    """Return each surface with what its latest lists say; one that only held users saw is left out."""
    mine = impressions.c.collection == collection
    with reading(engine) as connection:
        surfaces = sa.select(impressions.c.surface).where(mine).distinct().order_by(impressions.c.surface)
        for surface in connection.execute(surfaces).scalars().all():
            rows = connection.execute(_latest(collection, surface)).all()
            lists = list(within_cap(reversed(rows), lists_per_user))
            if lists:
                yield surface, _tally(lists)


def _tally(lists: Sequence[sa.Row[Any]]) -> _Tally:
    """Count what lists say; a document is one of a query, and `shown` and `clicked` have shape (documents, ranks)."""
    places: dict[tuple[str, str], int] = {}
    cells = []
    for row in lists:
        opened = set(row.outcome["clicked"])
        for result in (one for one in row.results if not one.get("forced")):
            place = places.setdefault((row.query_key, result["id"]), len(places))
            cells.append((place, min(result["rank"], CURVE_RANKS) - 1, result["rank"] in opened))
    shown, clicked = np.zeros((2, len(places), CURVE_RANKS))
    at = np.array(cells, dtype=np.int64).reshape(-1, 3)
    np.add.at(shown, (at[:, 0], at[:, 1]), 1.0)
    np.add.at(clicked, (at[:, 0], at[:, 1]), at[:, 2].astype(np.float64))
    keys = sorted({key for key, _ in places})
    fold = dict(zip(keys, assign_folds(len(keys)).tolist(), strict=True))
    return _Tally(len(lists), shown, clicked, np.array([fold[key] for key, _ in places], dtype=np.int64))


def _latest(collection: str, surface: str) -> sa.Select[Any]:
    """Choose the latest lists of one surface, but those of users in quarantine."""
    mine = (impressions.c.collection == collection, impressions.c.surface == surface, ~is_held())
    latest = (impressions.c.at.desc(), impressions.c.query_id.desc())
    return sa.select(*_READ).where(*mine).order_by(*latest).limit(LATEST)


def _describe(surface: str, tally: _Tally, in_use: ClickCurve) -> SurfaceReply:
    shown, clicked = tally.shown, tally.clicked
    found = harvest_interventions(shown, clicked, tally.folds)
    return SurfaceReply(
        surface=surface,
        lists=tally.lists,
        family=found.family,
        held_out={name: round(value, 5) for name, value in found.held_out.items()},
        swapped_documents=found.overlap.rows,
        alarm=_ring(shown, clicked, in_use),
        ranks=_describe_ranks(found, shown.sum(axis=0), clicked.sum(axis=0)),
    )


def _ring(shown: Floats, clicked: Floats, in_use: ClickCurve) -> Alarm:
    tilt = measure_tilt(shown, clicked, in_use)
    known = np.isfinite(tilt.error)
    return Alarm(
        over_corrects=overcorrects(shown, clicked, in_use),
        tilt=round(tilt.exponent, 4) if known else None,
        standard_error=round(tilt.error, 4) if known else None,
    )


def _describe_ranks(found: HarvestedCurve, shown: Floats, clicked: Floats) -> list[RankReply]:
    theta, errors, overlap = found.theta.tolist(), found.errors.tolist(), found.overlap
    return [
        RankReply(
            rank=place + 1,
            theta=round(theta[place], 4),
            standard_error=None if np.isnan(errors[place]) else round(errors[place], 4),
            relevant=round(found.curve.relevant[place], 4),
            other=round(found.curve.other[place], 4),
            shown=int(shown[place]),
            clicked=int(clicked[place]),
            swaps=int(overlap.swaps[place]),
            swapped_clicks=int(overlap.clicks[place]),
            ctr=_share(clicked[place], shown[place]),
            corrected_ctr=_share(clicked[place], shown[place] * theta[place]),
        )
        for place in _ranks_shown(shown)
    ]


def _ranks_shown(shown: Floats) -> Sequence[int]:
    """Return the places of all ranks down to the deepest one shown."""
    return range(int(np.flatnonzero(shown).max(initial=-1)) + 1)


def _share(part: float, whole: float) -> float | None:
    return round(float(part / whole), 4) if whole else None
