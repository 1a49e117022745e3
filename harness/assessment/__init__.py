"""What a person is shown: one immutable assessment of a journal as of one moment.

Report and dashboard both paint this and compute nothing themselves, so they cannot disagree.
Imports only the vocabulary; opens nothing.
"""

from harness.assessment.calibrated import (
    Blinding,
    CalibratedKind,
    CalibrationTable,
)
from harness.assessment.deciding import (
    Counterfactual,
    GateChange,
    GateResult,
    Mark,
    PhaseResult,
    StageResult,
    Statement,
    Waiver,
)
from harness.assessment.differences import (
    Cluster,
    Difference,
    DifferenceDetail,
    EventView,
    Evidence,
    Finding,
    RuleEffect,
    SubmissionView,
    Triage,
)
from harness.assessment.figures import (
    Agreement,
    BandPoint,
    Beside,
    Breakdown,
    Coverage,
    Estimate,
    Interval,
    Latency,
    PairCounts,
    Quantile,
)
from harness.assessment.record import (
    GapSpan,
    Provenance,
    RecordingHealth,
    ReplayProgress,
)
from harness.assessment.whole import (
    Assessment,
)

__all__ = [
    "Agreement",
    "Assessment",
    "BandPoint",
    "Beside",
    "Blinding",
    "Breakdown",
    "CalibratedKind",
    "CalibrationTable",
    "Cluster",
    "Counterfactual",
    "Coverage",
    "Difference",
    "DifferenceDetail",
    "Estimate",
    "EventView",
    "Evidence",
    "Finding",
    "GapSpan",
    "GateChange",
    "GateResult",
    "Interval",
    "Latency",
    "Mark",
    "PairCounts",
    "PhaseResult",
    "Provenance",
    "Quantile",
    "RecordingHealth",
    "ReplayProgress",
    "RuleEffect",
    "StageResult",
    "Statement",
    "SubmissionView",
    "Triage",
    "Waiver",
]
