"""Records every trained candidate at an MLflow server; needs the extra `mlflow`."""

from __future__ import annotations

import mlflow

from foundation.registry.registry import Version
from foundation.telemetry.logs import get_log

_log = get_log("tracking")


class MlflowTracker:
    """Logs candidates as MLflow runs, one experiment a collection."""

    def __init__(self, url: str) -> None:
        mlflow.set_tracking_uri(url)

    def record(self, version: Version) -> None:
        """Log a candidate's lineage, metrics and fate.

        Blocks until the server has them. A server that refuses costs the record, not the candidate:
        what was wrong is logged.
        """
        try:
            self._record(version)
        except mlflow.exceptions.MlflowException:
            _log.exception("candidate_not_tracked", version=version.id)

    def _record(self, version: Version) -> None:
        mlflow.set_experiment(f"clickloop-{version.collection}")
        with mlflow.start_run(run_name=version.id):
            mlflow.set_tags({"status": version.status, "reason": version.reason, "parent": version.parent})
            mlflow.log_params(version.lineage)
            mlflow.log_metrics({name: float(value) for name, value in version.metrics.items()})
