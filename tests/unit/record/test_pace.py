"""What a tick may cost the source."""

from __future__ import annotations

from harness.record.pace import Pace


def pace() -> Pace:
    return Pace(tick_s=2.0, min_interval_s=1.0, max_share=0.02)


def test_a_sweep_waits_until_its_share_of_the_time_is_small_enough() -> None:
    it = pace()
    it.swept(cost_s=0.12, now_s=100.0)
    assert not it.sweep_due(105.8)
    assert it.sweep_due(105.89)


def test_a_cheap_sweep_waits_for_the_shortest_interval_only() -> None:
    it = pace()
    it.swept(cost_s=0.001, now_s=100.0)
    assert not it.sweep_due(100.9)
    assert it.sweep_due(101.0)


def test_a_tick_reads_the_cheap_tables_and_leaves_the_dear_one_to_the_sweep() -> None:
    it = pace()
    for table, cost_s in (("jobs", 0.01), ("job_results", 0.2), ("customers", 0.02)):
        it.read(table, cost_s)
    assert it.affordable(["jobs", "job_results", "customers"]) == ["jobs", "customers"]


def test_a_table_that_was_dear_once_gets_another_chance() -> None:
    it = pace()
    it.read("queue_history", 3.0)
    assert it.affordable(["queue_history"]) == []
    it.forget("queue_history")
    assert it.affordable(["queue_history"]) == ["queue_history"]
