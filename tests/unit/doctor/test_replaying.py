"""What the doctor says of the seal around a worker's program."""

from __future__ import annotations

import pytest

from harness.doctor import replaying
from harness.doctor.check import Check, Findings, Status, Subject
from replay.seal.isolation import NONE, Isolation, SlotLayer

ALL = Isolation(network=True, files=True, processes=True, writes=True)


def judged(monkeypatch: pytest.MonkeyPatch, isolation: Isolation) -> Check:
    monkeypatch.setattr(replaying, "find_isolation", lambda: isolation)
    found = Findings(Subject.REPLAY)
    replaying._judge_slot(found)
    [check] = found.checks
    return check


def test_a_machine_that_allows_all_is_as_it_should_be(monkeypatch: pytest.MonkeyPatch) -> None:
    check = judged(monkeypatch, ALL)
    assert check.status is Status.OK
    assert all(layer in check.found for layer in SlotLayer)


def test_what_a_missing_layer_leaves_open_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    check = judged(monkeypatch, NONE)
    assert check.status is Status.WARN
    assert "not sealed here: raw socket" in check.found
    assert "unix database" in check.found
    assert "no network namespace" in check.found


def test_only_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    isolation = Isolation(network=True, files=True, processes=True, reason="no overlays")
    check = judged(monkeypatch, isolation)
    assert "not sealed here: write beside, other device, kernel setting, because" in check.found
    assert "raw socket" not in check.found
