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
    GateDefinition,
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
from harness.assessment.jobs import (
    JobDetail,
    JobEvent,
    JobPage,
    JobRow,
    JobSubmission,
)
from harness.assessment.operations import (
    Operations,
    PrefectSample,
    QueueSample,
    Traffic,
    TrafficBin,
    WorkerSeen,
    WorkersSample,
)
from harness.assessment.record import (
    GapSpan,
    Provenance,
    RecorderState,
    RecordingHealth,
    ReplayProgress,
    SamplerState,
    SourceMark,
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
    "GateDefinition",
    "GateResult",
    "Interval",
    "JobDetail",
    "JobEvent",
    "JobPage",
    "JobRow",
    "JobSubmission",
    "Latency",
    "Mark",
    "Operations",
    "PairCounts",
    "PhaseResult",
    "PrefectSample",
    "Provenance",
    "Quantile",
    "QueueSample",
    "RecorderState",
    "RecordingHealth",
    "ReplayProgress",
    "RuleEffect",
    "SamplerState",
    "SourceMark",
    "StageResult",
    "Statement",
    "SubmissionView",
    "Traffic",
    "TrafficBin",
    "Triage",
    "Waiver",
    "WorkerSeen",
    "WorkersSample",
]
