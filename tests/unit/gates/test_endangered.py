"""Which gates a cluster endangers follows from what they measure, not from what they are called."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.gates.definition import parse_gates
from harness.gates.endangered import endangered
from harness.gates.presets import load_gates, preset_text
from tests.support.differences import make_clusters, make_difference

GATES = load_gates()
EVERYWHERE = [("maple.example", 50)]
AGREEMENT, SUCCESS, LATENCY = "dual-write.agreement", "shadow.success_rate", "shadow.p95_latency"
LOST = {
    "shadow.zero_loss", "dual-write.all_processed", "cutover.all_processed", "cutover.stuck_jobs",
}  # fmt: skip


def endangers(kind: str, **changes: str) -> set[str]:
    (cluster,) = make_clusters((make_difference(kind, **changes),))
    return set(endangered(GATES, cluster, EVERYWHERE))


@pytest.mark.parametrize(
    ("kind", "gates"),
    [
        ("wrong_value", {AGREEMENT}),
        ("control_failed", {AGREEMENT}),
        ("missing_control", {AGREEMENT}),
        ("other_word", {AGREEMENT}),
        ("candidate_failed", {AGREEMENT, SUCCESS}),
        ("captcha", {AGREEMENT, SUCCESS}),
        ("timeout", {AGREEMENT, SUCCESS}),
        ("error_class", {AGREEMENT, SUCCESS}),
        ("slow", {LATENCY}),
        ("missing_candidate", {AGREEMENT, SUCCESS, LATENCY, *LOST}),
    ],
)
def test_a_cluster_endangers_the_gates_that_measure_it(kind: str, gates: set[str]) -> None:
    assert endangers(kind) == gates


def test_a_replay_endangers_no_gate() -> None:
    assert endangers("candidate_failed", mode="demo") == set()


def test_other_names_of_gates_make_no_difference() -> None:
    text = preset_text("runbook").replace('id = "agreement"', 'id = "alike"')
    (cluster,) = make_clusters((make_difference("wrong_value"),))
    gates = parse_gates(text, origin="test")
    assert endangered(gates, replace(cluster, gates=()), EVERYWHERE) == ("dual-write.alike",)


@pytest.mark.parametrize(
    ("scope", "places", "in_danger"),
    [
        ('directory = ["maple-*"]', [("maple-a.example", 50)], True),
        ('directory = ["maple-*"]', [("birch.example", 50)], False),
        ('directory = ["maple-*"]', [("birch.example", 50), ("maple-a.example", 50)], True),
        ("package = [100, 300]", [("maple-a.example", 300)], True),
        ("package = [100, 300]", [("maple-a.example", 50)], False),
        ("package = [100, 300]", [("maple-a.example", None)], False),
        # Both have to be true of one place.
        (
            'directory = ["maple-*"]\npackage = [100]',
            [("maple-a.example", 50), ("birch.example", 100)],
            False,
        ),
    ],
)
def test_a_gate_with_a_scope_is_in_danger_from_what_lies_inside_it(
    scope: str, places: list[tuple[str, int | None]], in_danger: bool
) -> None:
    text = preset_text("runbook").replace('id = "agreement"', f'id = "agreement"\n{scope}', 1)
    (cluster,) = make_clusters((make_difference("wrong_value"),))
    found = endangered(parse_gates(text, origin="test"), cluster, places)
    assert (AGREEMENT in found) == in_danger
