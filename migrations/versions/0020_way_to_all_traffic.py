"""Training runs plan their way and prove it step by step; runs on their way go on with interleaving alone.

Revision: 0020
Follows: 0019
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_RUNS = sa.table(
    "training_runs",
    *(sa.column(name, sa.String) for name in ("collection", "id", "state", "step", "experiment")),
    sa.column("report", sa.JSON),
)
_EXPERIMENTS = sa.table(
    "experiments",
    *(sa.column(name, sa.String) for name in ("collection", "id", "champion")),
    sa.column("plan", sa.JSON),
)


def upgrade() -> None:
    _move_steps({"experiment": "plan"})
    for run, plan, champion in _begun():
        control = champion or plan["control"]
        sized = {"searches": plan["planned_searches"], "days": plan["max_days"], "effect": 0.0, "guardrails": []}
        path = {"proof": "interleaving", "control": control, "alpha": plan["alpha"], "coverage": plan["coverage"]}
        path |= {"holdback_share": 0.05, "stages": {"interleave": sized}, "said": []}
        step = "promote" if run.step == "promote" else "interleave"
        _update(run, {"step": step, "report": run.report | {"path": path}})


def downgrade() -> None:
    _move_steps({"plan": "experiment", "interleave": "watch", "compare": "watch"})
    holdbacks = (_RUNS.c.state == "active") & (_RUNS.c.step == "holdback")
    op.get_bind().execute(sa.update(_RUNS).where(holdbacks).values(state="promoted", step="done"))
    op.get_bind().execute(sa.update(_RUNS).where(_RUNS.c.state == "rolled_back").values(state="promoted"))


def _begun() -> list[tuple[Any, dict[str, Any], str]]:
    """Return the runs with an experiment, each with its plan and the champion of its start."""
    active = (_RUNS.c.state == "active") & _RUNS.c.step.in_(["watch", "promote"])
    same = (_EXPERIMENTS.c.collection == _RUNS.c.collection) & (_EXPERIMENTS.c.id == _RUNS.c.experiment)
    statement = sa.select(_RUNS, _EXPERIMENTS.c.plan, _EXPERIMENTS.c.champion).where(active, same)
    return [(row, row.plan, row.champion) for row in op.get_bind().execute(statement).all()]


def _move_steps(names: dict[str, str]) -> None:
    for before, after in names.items():
        here = (_RUNS.c.state == "active") & (_RUNS.c.step == before)
        op.get_bind().execute(sa.update(_RUNS).where(here).values(step=after))


def _update(run: Any, values: dict[str, Any]) -> None:
    mine = (_RUNS.c.collection == run.collection) & (_RUNS.c.id == run.id)
    op.get_bind().execute(sa.update(_RUNS).where(mine).values(values))
