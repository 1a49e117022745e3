"""An assessment of an invented week, for tests of what paints one. Computes no statistics.

`make_assessment` gives a rehearsed NO-GO week: 60 jobs, eight gates in two phases. A test names
only what it is about; the bounds are plausible numbers, not the product of the real formulae.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.assessment import (
    Agreement,
    Assessment,
    BandPoint,
    Beside,
    Coverage,
    Estimate,
    GateDefinition,
    GateResult,
    Interval,
    Latency,
    Operations,
    PairCounts,
    PhaseResult,
    PrefectSample,
    Provenance,
    Quantile,
    QueueSample,
    RecorderState,
    RecordingHealth,
    ReplayProgress,
    RuleEffect,
    SamplerState,
    SourceMark,
    Traffic,
    TrafficBin,
    WorkerSeen,
    WorkersSample,
)
from harness.model import LIVE, Decision, GateStatus, IntervalKind, Verdict
from tests.support.differences import PLANTED_PHONE as PLANTED_PHONE
from tests.support.differences import (
    job_id,
    make_clusters,
    make_differences,
    make_findings,
)
from tests.support.differences import make_difference as make_difference
from tests.support.differences import make_finding as make_finding

MONDAY = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
AS_OF = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
JOBS = 60
DISAGREEING = {2, 4, 5, 9, 11, 13, 17, 23, 26, 28, 34}
"""Ordinals of the jobs in which at least one directory disagrees."""


def make_interval(low: float, high: float, *, kind: IntervalKind = IntervalKind.HEADLINE,
                  method: str = "betting confidence sequence") -> Interval:  # fmt: skip
    """A headline interval unless told otherwise."""
    return Interval(low=low, high=high, alpha_total=0.10, kind=kind, method=method)


def make_estimate(
    value: float | None, low: float, high: float, *, n: int = JOBS, unit: str = "jobs"
) -> Estimate:
    """An estimate whose label is half as wide as its headline."""
    middle = 0.5 * (low + high) if value is None else value
    label = make_interval(
        middle - 0.5 * (middle - low),
        middle + 0.5 * (high - middle),
        kind=IntervalKind.LABEL,
        method="Wilson",
    )
    return Estimate(value=value, n=n, unit=unit, headline=make_interval(low, high), label=label)


def make_gate(gate: str = "dual-write.agreement", **changes: Any) -> GateResult:
    """A statistical gate that is undecided; `changes` override any field."""
    values: dict[str, Any] = {
        "gate": gate,
        "phase": gate.partition(".")[0],
        "title": "Same outcome as the old poller",
        "status": GateStatus.UNDECIDED,
        "value": 0.962,
        "value_text": "96.2 %",
        "threshold": 0.95,
        "threshold_text": "at least 95 %",
        "interval": make_interval(0.9021, 0.9874),
        "n": JOBS,
        "unit": "jobs",
        "evidence_text": "60 jobs, 2 pending",
        "reason": "Between 90.2 % and 98.8 % of submissions agree with the old system: the "
        "required 95 % lies in between, so neither side is proved yet.",
        "missing": "About 200 more jobs (90 to 700) at the present rate would prove it, 2 of "
        "them already under way.",
    }
    return GateResult(**{**values, **changes})


def make_phases() -> tuple[PhaseResult, ...]:
    """Dual write (three gates, one fails) and shadow (five gates, one fails, one is open)."""
    none: dict[str, Any] = {"interval": None, "missing": None}
    dual_write = (
        make_gate(
            "dual-write.all_processed", title="Every test job was processed",
            status=GateStatus.FAIL, value=0.9667, value_text="58 of 60", threshold=1.0,
            threshold_text="all of them", evidence_text="58 of 60 jobs ended",
            reason="2 confirmed cases of loss (1 lost after trigger and 1 never enqueued); every "
            "job must be processed.", **none,
        ),
        make_gate(
            "dual-write.prefect_errors", title="No errors in Prefect", status=GateStatus.OPEN,
            value=None, value_text="no evidence", threshold=0.0, threshold_text="none", n=0,
            unit="failed flow runs", evidence_text="no evidence", interval=None,
            reason="Not enough evidence to decide: no count of failed flow runs in Prefect exists.",
            missing="The flow runs of Prefect.",
        ),
        make_gate(
            "dual-write.agreement", owner="submissions", more_jobs=213.4,
            more_s=213.4 / 8.6 * 3600.0, definition=make_definition(),
            when_red="Look at the three largest clusters of differences; they cost the most.",
        ),
    )  # fmt: skip
    shadow = (
        make_gate(
            "shadow.p95_latency", title="P95 end-to-end latency", value=0.983,
            value_text="P95 212 s (98.3 % within the limit)",
            threshold_text="P95 below 300 s: more than 95 % of jobs within 300 s",
            interval=make_interval(0.9312, 0.9981), evidence_text="60 jobs, 2 pending",
            reason="Between 93.1 % and 99.9 % of jobs end within 300 s: the required 95 % lies in "
            "between, so neither side is proved yet.",
            missing="About 40 more jobs (30 to 90) at the present rate would prove it.",
        ),
        make_gate(
            "shadow.success_rate", title="Submissions that succeed", status=GateStatus.PASS,
            value=0.958, value_text="95.8 %", threshold=0.90, threshold_text="at least 90 %",
            interval=make_interval(0.9076, 0.9843),
            evidence_text="60 jobs, 2 pending; old system 96.4 %",
            reason="At least 90.7 % of submissions succeed, at 95 % confidence however often you "
            "look; 90 % was required (settled at job 57).",
            missing=None,
        ),
        make_gate(
            "shadow.zero_loss", title="Zero data loss", status=GateStatus.FAIL, value=2.0,
            value_text="2 lost", threshold=0.0, threshold_text="none lost", n=58,
            evidence_text="58 of 60 jobs ended",
            reason="2 confirmed cases of loss (1 lost after trigger and 1 never enqueued); none "
            "is allowed.", **none,
        ),
        make_gate(
            "shadow.dead_letters", title="No message given up to the dead-letter queue",
            status=GateStatus.PASS, value=0.0, value_text="0 messages", threshold=0.0,
            threshold_text="none", n=0, unit="messages",
            evidence_text="0 messages in the dead-letter queue",
            reason="No message in the dead-letter queue.", **none,
        ),
        make_gate(
            "shadow.complaints", title="No customer complaints", status=GateStatus.OPEN,
            value=None, value_text="no evidence", threshold=None,
            threshold_text="attested by a named person", n=0, unit="attestations",
            evidence_text="no attestation", interval=None,
            reason="No machine can measure this, and nobody has attested it.",
            missing="A named person attests no_customer_complaints.",
        ),
    )  # fmt: skip
    return (
        PhaseResult(
            phase="dual-write",
            title="Dual write: the new stack gets every job and loses none",
            decision=Decision.NO_GO,
            reason="1 required gate fails: Every test job was processed.",
            gates=dual_write,
        ),
        PhaseResult(
            phase="shadow",
            title="Shadow: the new stack is fast and good enough to take over",
            decision=Decision.NO_GO,
            reason="1 required gate fails: Zero data loss.",
            gates=shadow,
        ),
    )


def make_series(jobs: int = JOBS) -> tuple[BandPoint, ...]:
    """Agreement after each job; the band narrows as a band of its kind does."""
    points = []
    total = 0.0
    for number in range(1, jobs + 1):
        total += 0.7927 if number in DISAGREEING else 1.0
        mean = total / number
        half = 0.5 * math.sqrt(math.log(40 * math.log(number + 2)) / number) * 0.4107
        points.append(
            BandPoint(
                n=number,
                job_id=job_id(number),
                created_at=MONDAY + timedelta(hours=2.6 * number),
                value=round(mean, 6),
                low=round(max(0.0, mean - half), 6),
                high=round(min(1.0, mean + 0.424 * half), 6),
            )
        )
    return tuple(points)


def make_latency() -> tuple[Latency, ...]:
    """Three measures per job and one per directory; no P99 has an upper bound yet."""

    def side(p50: float, p95: float, p99: float) -> tuple[Quantile, ...]:
        return (
            Quantile(p=0.5, value_s=p50, low_s=0.81 * p50, high_s=1.27 * p50,
                     label_low_s=0.89 * p50, label_high_s=1.14 * p50),
            Quantile(p=0.95, value_s=p95, low_s=0.72 * p95, high_s=1.48 * p95,
                     label_low_s=0.8 * p95, label_high_s=1.31 * p95),
            Quantile(p=0.99, value_s=p99, low_s=0.7 * p99, high_s=None,
                     label_low_s=0.78 * p99, label_high_s=None),
        )  # fmt: skip

    return (
        Latency(measure="end_to_end", title="End to end (created to finished)",
                control_n=60, candidate_n=58,
                control=side(412.0, 1260.0, 1710.0), candidate=side(96.4, 212.0, 431.0),
                control_ecdf=make_curve(412.0), candidate_ecdf=make_curve(96.4, most=0.97)),
        Latency(measure="wait", title="Waiting (created to claimed)",
                control_n=60, candidate_n=58,
                control=side(188.0, 702.0, 931.0), candidate=side(4.2, 19.5, 33.0)),
        Latency(measure="processing", title="Processing (claimed to finished)",
                control_n=60, candidate_n=58,
                control=side(201.0, 566.0, 804.0), candidate=side(91.0, 197.0, 402.0)),
        Latency(measure="submission", title="One directory",
                control_n=417, candidate_n=409,
                control=side(24.6, 71.0, 118.0), candidate=side(8.3, 13.9, 318.0)),
    )  # fmt: skip


def make_curve(middle: float, *, most: float = 1.0) -> tuple[tuple[float, float], ...]:
    """Seconds and the share that has ended by then; half of `most` at `middle`."""
    shares = [number / 30 for number in range(1, 31)]
    return tuple(
        (round(middle * (share / (1.02 - share)) ** 0.4, 3), round(share * most, 6))
        for share in shares
    )


def make_rules() -> tuple[RuleEffect, ...]:
    """Five rules; one hides nothing."""

    def rule(name: str, reason: str, touched: int, hidden: int) -> RuleEffect:
        return RuleEffect(name=name, version=1, author="shadow-harness", reason=reason,
                          touched=touched, hidden=hidden)  # fmt: skip

    return (
        rule("status-words", "the two systems name the same outcome with different words", 834, 57),
        rule("error-class", "the wording of an error is each system's own", 18, 9),
        rule("trim-space", "forms and databases pad and fold white space", 612, 14),
        rule("phone-format", "the same number is written in several ways", 417, 236),
        rule("url-form", "scheme, www., host case and a trailing slash change nothing", 390, 0),
    )


def make_replay(run: str = "demo", **changes: Any) -> ReplayProgress:
    """A finished run without an escape."""
    values: dict[str, Any] = {
        "run": run,
        "worker": "playwright",
        "started_at": AS_OF - timedelta(minutes=4),
        "finished_at": AS_OF - timedelta(minutes=1, seconds=40),
        "selected": 417,
        "done": 402,
        "excluded": 15,
        "disagreeing": 1,
        "escapes": 0,
        "rate_per_min": 172.3,
        "remaining_s": None,
    }
    return ReplayProgress(**{**values, **changes})


def make_recording(**changes: Any) -> RecordingHealth:
    """A record without a gap, complete to half a second before the moment looked at."""
    values: dict[str, Any] = {
        "complete_until": AS_OF - timedelta(milliseconds=420),
        "lag_s": 0.42,
        "events": 4236,
        "by_kind": (
            ("customers", 60), ("directory_submissions", 1254), ("job_results", 417),
            ("jobs", 231), ("queue_history", 1571), ("replay.submission", 402), ("sqs.sample", 301),
        ),
        "gaps": (),
        "provisional": False,
        "queue_depth": 0,
        "dlq_depth": 0,
        "workers": ("worker-1 running, seen 4 s ago", "worker-2 stale, seen 14 min ago"),
        "stale_workers": ("worker-2",),
        "recorder": make_recorder(),
        "marks": make_marks(),
        "samplers": make_samplers(),
        "batches": 1918,
        "drifts": 0,
        "clock_jumps": 0,
        "reconciled_at": AS_OF - timedelta(minutes=31),
    }  # fmt: skip
    return RecordingHealth(**{**values, **changes})


def make_recorder(**changes: Any) -> RecorderState:
    """A recorder that has run for a week and goes on."""
    values: dict[str, Any] = {
        "session": "5c0ffee0babe",
        "started_at": MONDAY - timedelta(minutes=3),
        "stopped_at": None,
        "complete": None,
        "mode": "poll",
        "server_version": "150006",
        "tick_s": 2.0,
        "sweep_min_interval_s": 60.0,
        "last_sweep_at": AS_OF - timedelta(seconds=21),
        "sweep_age_s": 21.0,
        "sweep_cost_ms": 118.4,
        "tick_cost_ms": 1.8,
        "polls": 302_411,
        "lock_retries": 7,
    }
    return RecorderState(**{**values, **changes})


def make_operations(**changes: Any) -> Operations:
    """Nine jobs an hour, a queue that keeps up, Prefect well, one worker silent."""
    bins = tuple(
        TrafficBin(
            since=MONDAY + timedelta(hours=7 * number),
            admitted=(3, 4, 2, 0, 1, 5)[number % 6],
            control_ended=(1, 3, 3, 2, 1, 3)[number % 6],
            candidate_ended=(3, 4, 2, 0, 1, 4)[number % 6],
        )
        for number in range(24)
    )
    values: dict[str, Any] = {
        "traffic": Traffic(
            until=AS_OF - timedelta(milliseconds=420), window_s=3600.0, admitted_per_h=9.0,
            control_per_h=4.0, candidate_per_h=8.0, control_backlog=3, candidate_backlog=2,
            candidate_lost=2, pace_per_h=8.6, bins=bins,
        ),
        "queue": QueueSample(
            at=AS_OF - timedelta(seconds=12), age_s=12.0, depth=0, in_flight=1, delayed=0,
            oldest_age_s=None, dlq_depth=0, dlq_in_flight=0, dlq_oldest_age_s=None, why="",
        ),
        "prefect": PrefectSample(
            at=AS_OF - timedelta(seconds=14), age_s=14.0, healthy=True, version="3.4.1",
            deployment="process_job/production", deployed=True, paused=False, scheduled=0,
            running=1, late=0, failed=2, crashed=0, lag_s=0.0,
        ),
        "workers": WorkersSample(
            at=AS_OF - timedelta(seconds=9), age_s=9.0, running=1, idle=0, stale=1, why="",
        ),
        "heartbeats": (
            WorkerSeen(worker="old-poller-1", side="control", status="running",
                       seen_at=AS_OF - timedelta(seconds=6), age_s=6.0),
            WorkerSeen(worker="worker-1", side="candidate", status="running",
                       seen_at=AS_OF - timedelta(seconds=4), age_s=4.0),
            WorkerSeen(worker="worker-2", side="candidate", status="stale",
                       seen_at=AS_OF - timedelta(minutes=14), age_s=840.0),
        ),
    }  # fmt: skip
    return Operations(**{**values, **changes})


def make_marks() -> tuple[SourceMark, ...]:
    """Sweeps and ticks, of the same tables."""
    tables = ("jobs", "directory_submissions", "queue_history")
    return (
        SourceMark(source="production", tables=tables,
                   complete_until=AS_OF - timedelta(seconds=21), lag_s=20.6),
        SourceMark(source="production:fast", tables=tables,
                   complete_until=AS_OF - timedelta(milliseconds=420), lag_s=0.42),
    )  # fmt: skip


def make_samplers() -> tuple[SamplerState, ...]:
    """The queues were asked, Prefect never."""
    return (
        SamplerState(name="queues", samples=301, last_at=AS_OF - timedelta(seconds=12), age_s=12.0),
        SamplerState(name="prefect", samples=0, last_at=None, age_s=None),
        SamplerState(name="workers", samples=298, last_at=AS_OF - timedelta(seconds=9), age_s=9.0),
    )


def make_definition(**changes: Any) -> GateDefinition:
    """What the agreement gate asks."""
    values: dict[str, Any] = {
        "kind": "mean_at_least",
        "statistic": "mean over jobs of the share of submissions with the old system's outcome",
        "comparison": "at least 95 %",
        "confidence": 0.95,
        "least_evidence": "30 jobs, and 90 % of the admitted jobs measured",
        "freshness": "the record proved complete up to the moment",
        "scope": "every job",
        "why": "",
        "waivable": True,
    }
    return GateDefinition(**{**values, **changes})


def make_provenance(**changes: Any) -> Provenance:
    """A rehearsal at 200 times the speed of production."""
    values: dict[str, Any] = {
        "journal_id": "6f0c2a51b7de",
        "seq": 4236,
        "as_of": AS_OF,
        "journal_hash": hashlib.sha256(b"an invented week").hexdigest(),
        "journal_schema_version": 1,
        "rules_version": "1 (c7a91e04)",
        "gates_version": "1 (50b2d8f3)",
        "tool_version": "0.1.0",
        "time_scale": 200.0,
    }
    return Provenance(**{**values, **changes})


def make_pairs(mode: str = LIVE, **verdicts: int) -> PairCounts:
    """Pairs of one mode; a verdict that is not named has none, and nothing is excluded."""
    counts = tuple((verdict, verdicts.get(verdict.value, 0)) for verdict in Verdict)
    return PairCounts(
        mode=mode, pairs=sum(verdicts.values()), verdicts=counts, excluded=()
    )  # fmt: skip


def make_assessment(**overrides: Any) -> Assessment:
    """The whole NO-GO week; `overrides` replace any field of the assessment."""
    differences = make_differences()
    base = Assessment(
        decision=Decision.NO_GO,
        reason="2 required gates fail: Every test job was processed and Zero data loss.",
        phases=make_phases(),
        agreement=Agreement(
            by_job=make_estimate(0.962, 0.9021, 0.9874),
            by_submission=make_estimate(0.9712, 0.8911, 0.9932, n=417, unit="submissions"),
            without_rules=make_estimate(0.2135, 0.1342, 0.3204),
            series=make_series(),
            verdicts=(
                (Verdict.AGREE, 400),
                (Verdict.MISMATCH, 8),
                (Verdict.MISSING_CANDIDATE, 4),
                (Verdict.MISSING_CONTROL, 0),
                (Verdict.IN_FLIGHT, 5),
                (Verdict.EXCLUDED, 0),
            ),
            excluded=(),
        ),
        latency=make_latency(),
        differences=differences,
        clusters=make_clusters(differences),
        findings=make_findings(),
        rules=make_rules(),
        coverage=Coverage(
            jobs=60,
            jobs_compared=58,
            submissions=417,
            submissions_compared=412,
            replayed=402,
            replay_excluded=(("environment unknown", 12), ("no plan recorded", 3)),
            share=412 / 417,
        ),
        replays=(make_replay(),),
        recording=make_recording(),
        missing_parts=("Prefect was not recorded: no address was given.",),
        provenance=make_provenance(),
        operations=make_operations(),
        pairs=(
            make_pairs(agree=400, mismatch=8, missing_candidate=4, in_flight=5),
            make_pairs("demo", agree=399, mismatch=3),
        ),
        beside=(
            Beside(
                name="job_status", title="Status of the whole job", mode=LIVE, unit="jobs",
                compared=57, same=46, unknown=3, note="counted by one rule for both",
            ),
        ),
    )  # fmt: skip
    return replace(base, **overrides)


def make_empty_assessment(**overrides: Any) -> Assessment:
    """A journal in which nothing has happened yet: no job, no pair, every gate open."""
    nothing = make_estimate(None, 0.0, 1.0, n=0)
    phases = tuple(
        replace(
            phase,
            decision=Decision.UNDECIDED,
            reason="No gate fails; evidence missing: everything.",
            gates=tuple(
                replace(
                    gate,
                    status=GateStatus.OPEN,
                    value=None,
                    value_text="no evidence",
                    interval=None,
                    n=0,
                    evidence_text="no evidence",
                    reason="Not enough evidence to decide: no job was admitted.",
                    missing="Jobs that the new system should process.",
                )
                for gate in phase.gates
            ),
        )
        for phase in make_phases()
    )
    return make_assessment(
        **{
            "decision": Decision.UNDECIDED,
            "reason": "No gate fails; evidence missing: everything.",
            "phases": phases,
            "agreement": Agreement(
                by_job=nothing,
                by_submission=replace(nothing, unit="submissions"),
                without_rules=nothing,
                series=(),
                verdicts=tuple((verdict, 0) for verdict in Verdict),
                excluded=(),
            ),
            "latency": (),
            "differences": (),
            "clusters": (),
            "findings": (),
            "pairs": (make_pairs(),),
            "beside": (),
            "rules": (),
            "coverage": Coverage(
                jobs=0,
                jobs_compared=0,
                submissions=0,
                submissions_compared=0,
                replayed=0,
                replay_excluded=(),
                share=None,
            ),
            "replays": (),
            "recording": make_recording(
                complete_until=None,
                lag_s=None,
                events=0,
                by_kind=(),
                queue_depth=None,
                dlq_depth=None,
                workers=(),
                stale_workers=(),
                recorder=None,
                marks=(),
                samplers=(),
                batches=0,
                reconciled_at=None,
            ),
            "operations": Operations(traffic=Traffic(until=None)),
            "missing_parts": ("Nothing has been recorded yet.",),
            **overrides,
        }
    )
