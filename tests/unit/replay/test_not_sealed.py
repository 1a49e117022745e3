"""A run's summary says what was open to a worker's program, and nothing where all is sealed."""

from __future__ import annotations

from dataclasses import replace

from harness.cli.replay_text import summary
from replay.config import ReplayState
from replay.seal.isolation import SlotLayer

ALL = ReplayState(run="r")


def test_without_a_network_namespace_it_is_proxy_and_resolver_only() -> None:
    missing = (SlotLayer.NETWORK, SlotLayer.FILES, SlotLayer.WRITES, SlotLayer.PROCESSES)
    told = summary(replace(ALL, not_sealed_by=missing))
    assert "SEALED BY PROXY AND RESOLVER ONLY: this machine allows no network namespace" in told
    assert "Not sealed here: raw socket," in told


def test_a_missing_layer_is_named_with_what_it_leaves_open() -> None:
    told = summary(replace(ALL, not_sealed_by=(SlotLayer.WRITES,)))
    assert "this machine allows no throw-away files. Not sealed here: write beside," in told
    assert "PROXY AND RESOLVER" not in told


def test_nothing_is_said_where_nothing_is_missing() -> None:
    assert "ot sealed here" not in summary(ALL)
