"""Experiments for the rest of clickloop; the one module of this part that others import.

Serving asks `Assignments` who takes part and logs the answer in its impression: its experiment, run, plan hash and arm
are the exposure. The retrainer makes and reads experiments with `Experiments`.
"""

from __future__ import annotations

from ab_testing.audit import AuditedDecision
from ab_testing.decide.evidence import MetricEvidence
from ab_testing.decide.rules import Verdict
from ab_testing.design.arm import CHAMPION, Arm, ArmSettings
from ab_testing.design.assignment import Visitor
from ab_testing.design.experiment import Decision, Experiment
from ab_testing.design.ledger import affordable, alpha_within, experiments_a_year, false_promotions_a_year
from ab_testing.design.metric import Metric, MetricDefinition
from ab_testing.design.plan import INTERLEAVED, ExperimentPlan, Guardrail, RampStep
from ab_testing.experiments import Experiments
from ab_testing.own_metrics.own_metrics import OwnMetrics
from ab_testing.pinning.pins import EvidencePins, PinnedEvidence
from ab_testing.planning.forecast import ExperimentForecast, PlanningRequest, SampleForecast, forecast
from ab_testing.planning.history import Baselines, TrafficHistory
from ab_testing.planning.planner import Planner
from ab_testing.ranking.team_draft import Slot, interleave
from ab_testing.report.report import ExperimentDay, ExperimentReport
from ab_testing.report.scorecard import MetricReport, Scorecard
from ab_testing.stats.power import USUAL_POWER, Trial
from ab_testing.store import running_experiments
from ab_testing.traffic.assignments import Assignment, Assignments
from ab_testing.webhooks.webhooks import DecisionOutbox, WebhookSender

__all__ = [
    "CHAMPION",
    "INTERLEAVED",
    "USUAL_POWER",
    "Arm",
    "ArmSettings",
    "Assignment",
    "Assignments",
    "AuditedDecision",
    "Baselines",
    "Decision",
    "DecisionOutbox",
    "EvidencePins",
    "Experiment",
    "ExperimentDay",
    "ExperimentForecast",
    "ExperimentPlan",
    "ExperimentReport",
    "Experiments",
    "Guardrail",
    "Metric",
    "MetricDefinition",
    "MetricEvidence",
    "MetricReport",
    "OwnMetrics",
    "PinnedEvidence",
    "Planner",
    "PlanningRequest",
    "RampStep",
    "SampleForecast",
    "Scorecard",
    "Slot",
    "TrafficHistory",
    "Trial",
    "Verdict",
    "Visitor",
    "WebhookSender",
    "affordable",
    "alpha_within",
    "experiments_a_year",
    "false_promotions_a_year",
    "forecast",
    "interleave",
    "running_experiments",
]
