"""Tells an MLflow server of every trained candidate; the extra `mlflow`."""

from __future__ import annotations

from types import ModuleType

from foundation.errors import NotReady
from foundation.registry import Version
from foundation.telemetry import get_log

_log = get_log("tracking")


class Tracker:
    """Logs candidates as MLflow runs, one experiment a collection.

    Args:
        url: MLflow's tracking URI.

    Raises:
        NotReady: MLflow is not installed.
    """

    def __init__(self, url: str) -> None:
        self._mlflow = _import_mlflow()
        self._mlflow.set_tracking_uri(url)

    def record(self, version: Version) -> None:
        """Log a candidate's lineage, metrics and fate.

        Blocks until the server has them. A server that refuses costs the record, not the candidate:
        what was wrong is logged.
        """
        try:
            self._record(version)
        except self._mlflow.exceptions.MlflowException:
            _log.exception("candidate_not_tracked", version=version.id)

    def _record(self, version: Version) -> None:
        self._mlflow.set_experiment(f"clickloop-{version.collection}")
        with self._mlflow.start_run(run_name=version.id):
            self._mlflow.set_tags({"status": version.status, "reason": version.reason, "parent": version.parent})
            self._mlflow.log_params(version.lineage)
            self._mlflow.log_metrics({name: float(value) for name, value in version.metrics.items()})


def _import_mlflow() -> ModuleType:
    try:
        import mlflow  # noqa: PLC0415  an extra
    except ImportError as missing:
        raise NotReady(
            "CLICKLOOP_MLFLOW_URL is set and MLflow is missing: pip install 'clickloop[mlflow]'"
        ) from missing
    return mlflow
