"""Records every trained candidate at Weights & Biases; needs the extra `wandb`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import wandb
from wandb.errors import Error as WandbError

from foundation.registry.registry import Version
from foundation.telemetry.logs import get_log

_TIMEOUT_S = 30.0
_log = get_log("tracking")


class WandbTracker:
    """Logs candidates as runs of one project, grouped by collection.

    Args:
        mode: "offline" writes runs to a folder and asks nobody; "online" sends them.
        home: Its folder `wandb` keeps the runs.
    """

    def __init__(self, project: str, mode: Literal["offline", "online"], home: Path) -> None:
        self._project = project
        self._settings = wandb.Settings(
            mode=mode,
            root_dir=str(home.resolve()),
            init_timeout=_TIMEOUT_S,
            silent=True,
            console="off",
            disable_git=True,
            save_code=False,
            x_disable_machine_info=True,
            x_disable_stats=True,
        )

    def record(self, version: Version) -> None:
        """Log a candidate's lineage, metrics and fate.

        Blocks until they are written, or sent. A service that refuses costs the record, not the candidate: what was
        wrong is logged.
        """
        try:
            self._record(version)
        except WandbError:
            _log.exception("candidate_not_tracked", version=version.id)

    def _record(self, version: Version) -> None:
        with wandb.init(
            project=self._project,
            group=version.collection,
            name=version.id,
            tags=[version.status],
            notes=version.reason,
            config={"parent": version.parent, **version.lineage},
            settings=self._settings,
        ) as run:
            run.summary.update({name: float(value) for name, value in version.metrics.items()})
