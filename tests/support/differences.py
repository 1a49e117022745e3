"""Differences, clusters and findings of an invented week, for tests of what paints them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from harness.assessment import Cluster, Difference, Evidence, Finding
from harness.compare.cluster_words import TITLES
from harness.model import LIVE, Severity, Verdict

PLANTED_PHONE = ("(202) 555-0177", "+1 202-555-0142")
"""Control's and candidate's raw phone of one difference; no report may show either."""


def job_id(number: int) -> str:
    """The id of the `number`-th job of the week, from 1."""
    return f"{number:08x}-2c1e-4b7a-9d3f-0000000000{number:02x}"


def make_difference(
    kind: str = "candidate_failed",
    number: int = 2,
    directory: str = "quillfinder.example",
    **changes: Any,
) -> Difference:
    """A live difference in the outcome; `changes` override any field."""
    mode = str(changes.get("mode", LIVE))
    field = str(changes.get("field", "outcome"))
    key = "\x1f".join((mode, job_id(number), directory, field))
    values: dict[str, Any] = {
        "id": hashlib.sha256(key.encode()).hexdigest()[:12],
        "mode": mode,
        "kind": kind,
        "verdict": Verdict.MISMATCH,
        "job_id": job_id(number),
        "directory": directory,
        "field": field,
        "control_raw": "submitted",
        "candidate_raw": "failed",
        "control_value": "submitted",
        "candidate_value": "failed",
        "rules": ("status-words",),
        "explanation": "The control submitted it; the candidate failed (refused): no success "
        "words on the final page",
        "seq": 400 + 31 * number,
    }
    return Difference(**{**values, **changes})


def make_differences() -> tuple[Difference, ...]:
    """Fourteen differences of nine kinds, two of them with personal values, one of a replay."""
    control_failed: dict[str, Any] = {
        "control_raw": "failed", "candidate_raw": "submitted",
        "control_value": "failed", "candidate_value": "submitted",
    }  # fmt: skip
    missing: dict[str, Any] = {
        "verdict": Verdict.MISSING_CANDIDATE, "candidate_raw": "missing",
        "candidate_value": "missing", "rules": (),
        "explanation": "The control submitted it; the candidate has been silent since its "
        "deadline passed.",
    }  # fmt: skip
    found = (
        make_difference(),
        make_difference(
            "wrong_value", 4, "harbourpages.example", field="values.phone",
            control_raw=PLANTED_PHONE[0], candidate_raw=PLANTED_PHONE[1],
            control_value="+12025550177", candidate_value="+12025550142",
            rules=("trim-space", "phone-format"),
            explanation="The candidate sent another phone than the control.",
        ),
        make_difference(
            "captcha", 5, "robotsentry.test",
            explanation="The control submitted it; the candidate failed (captcha): <iframe "
            'title="reCAPTCHA"> intercepts pointer events',
        ),
        make_difference("missing_candidate", 9, "maple-listings.example", **missing),
        make_difference("missing_candidate", 9, "bluebell-business.example", **missing),
        make_difference(
            "timeout", 11, "molasses-maps.example",
            explanation="The control submitted it; the candidate failed (timeout): Step execution "
            "failed: Page.click: Timeout 10000ms exceeded.",
        ),
        make_difference(
            "control_failed", 13, "cedarbook.example",
            explanation="The candidate submitted it; the control failed: AI predicted submission "
            "failed.", **control_failed,
        ),
        make_difference(
            "slow", 15, "saltmarsh-pros.example", verdict=Verdict.AGREE, field="latency_s",
            control_raw="", candidate_raw="318.0", control_value="at most 120",
            candidate_value="318.0", rules=("directory-time",),
            explanation="The candidate took 318.0 s for this directory; at most 120 s is "
            "tolerated.",
        ),
        make_difference("missing_candidate", 17, "lanternlocal.example", **missing),
        make_difference(
            "error_class", 20, "osprey-index.example", field="error",
            control_raw="Playwright error: page.goto: Timeout 30000ms exceeded.",
            candidate_raw="No submit button found", control_value="timeout",
            candidate_value="selector_missing", rules=("error-class",),
            explanation="Both failed, for different reasons: the control timeout, the candidate "
            "selector_missing.",
        ),
        make_difference("missing_candidate", 23, "driftwood-data.example", **missing),
        make_difference("candidate_failed", 26, "launchmoth.test"),
        make_difference(
            "wrong_value", 34, "townsquare-index.example", field="values.name",
            control_raw="Juniper & Pine Upholstery", candidate_raw="Juniper & Pine Upholstry",
            control_value="Juniper & Pine Upholstery", candidate_value="Juniper & Pine Upholstry",
            rules=("trim-space",),
            explanation="The candidate sent another name than the control.",
        ),
        make_difference(
            "control_failed", 21, "verdantview.example", mode="demo",
            explanation="The candidate submitted it; the control failed: AI predicted submission "
            "failed.", **control_failed,
        ),
    )  # fmt: skip
    return tuple(replace(one, cluster=cluster_of(one)) for one in found)


def cluster_of(difference: Difference) -> str:
    """The id of the cluster that `make_clusters` puts it into."""
    key = (difference.mode, difference.kind, difference.field)
    return hashlib.sha256("\x1f".join(key).encode()).hexdigest()[:8]


def make_clusters(differences: tuple[Difference, ...]) -> tuple[Cluster, ...]:
    """One cluster for each (mode, kind, field), largest first; each pair of 60 jobs costs alike."""
    groups: dict[tuple[str, str, str], list[Difference]] = {}
    for difference in differences:
        key = (difference.mode, difference.kind, difference.field)
        groups.setdefault(key, []).append(difference)
    clusters = [
        Cluster(
            id=cluster_of(members[0]),
            title=TITLES[key[1]].format(field=key[2].removeprefix("values.")),
            mode=key[0],
            kind=key[1],
            field=key[2],
            size=len(members),
            description=(("field", key[2]), ("kind", key[1]), ("mode", key[0])),
            share=len(members) / sum(d.mode == key[0] for d in differences),
            cost=_cost(members),
            cost_share=_cost(members)
            / (_cost([d for d in differences if d.mode == key[0]]) or 1.0),
            compared=412,
            precision=len(members) / 412,
            first_seen=datetime(2026, 11, 20, 8, 15, tzinfo=UTC),
            last_seen=datetime(2026, 11, 22, 17, 40, tzinfo=UTC),
            gates=("dual-write.agreement",) if key[0] == LIVE else (),
            jobs=len({d.job_id for d in members}),
            directories=len({d.directory for d in members}),
            examples=tuple(d.id for d in members[:3]),
        )
        for key, members in groups.items()
    ]
    return tuple(sorted(clusters, key=lambda c: (-c.size, c.mode, c.kind, c.field)))


def _cost(members: Sequence[Difference]) -> float:
    return sum(one.kind != "slow" for one in members) / 417


def make_finding(id: str = "lost_after_trigger", **changes: Any) -> Finding:  # noqa: A002
    """A critical finding with one piece of evidence."""
    values: dict[str, Any] = {
        "id": id,
        "title": "Lost after its message was taken",
        "severity": Severity.CRITICAL,
        "explanation": "The message was deleted once the flow was triggered, and the flow never "
        "started: nobody will try this job again.",
        "mend": "Delete the message only after the flow has reported its start.",
        "mode": LIVE,
        "evidence": (
            Evidence(
                job_id=job_id(23),
                directory=None,
                detail="flow_triggered, then nothing for 41 min",
                seq=1187,
            ),
        ),
    }
    return Finding(**{**values, **changes})


def make_findings() -> tuple[Finding, ...]:
    """Five findings, most severe first."""

    def seen(number: int, directory: str | None, detail: str, seq: int) -> tuple[Evidence, ...]:
        return (Evidence(job_id=job_id(number), directory=directory, detail=detail, seq=seq),)

    return (
        make_finding(),
        make_finding(
            "never_enqueued", title="Never put into the queue",
            explanation="The job and its rows exist, and no message was ever sent for it.",
            mend="Send the message in the same step that creates the job, or sweep for such jobs.",
            evidence=seen(9, None, "created 2026-11-17 08:24, no queue event since", 702),
        ),
        make_finding(
            "duplicate_submission", title="Submitted more than once",
            explanation="The candidate finished this submission more than once: the directory "
            "received the same listing again.",
            mend="Check the idempotency key: it must not change between attempts.",
            evidence=seen(7, "ironbridge-biz.example", "2 final events in 2 attempts", 655),
        ),
        make_finding(
            "false_success", title="Claimed submitted, never received", mode="demo",
            explanation="In the sandbox the worker reported \"submitted\" for a listing that the "
            "site never accepted.",
            mend="Judge success by what the site confirms for this listing.",
            evidence=seen(21, "verdantview.example", "claimed submitted, site saw: refused", 2210),
        ),
        make_finding(
            "directories_collapsed", title="Several rows of one job share a host",
            severity=Severity.WARNING,
            explanation="The candidate keys by host and keeps only one of these rows.",
            mend="Key by the form's address where one host carries several forms.",
            evidence=seen(19, "formnest.test", "2 control rows, 1 candidate row", 1033),
        ),
    )  # fmt: skip
