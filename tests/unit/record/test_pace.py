"""What a tick may cost the source."""

from __future__ import annotations

from harness.record.pace import FAILED_SWEEP_PAUSE_S, Pace


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


def test_what_waits_for_a_sweep_may_hasten_it_within_its_share() -> None:
    it = pace()
    it.swept(cost_s=0.001, now_s=100.0)
    assert not it.sweep_due(100.04, urgent=True)
    assert it.sweep_due(100.05, urgent=True)


def test_a_sweep_that_was_cut_short_counts_and_is_tried_again_after_a_while() -> None:
    it = pace()
    it.failed(cost_s=0.12, now_s=100.0)
    assert not it.sweep_due(105.8, urgent=True)
    assert it.sweep_due(105.89)
    it.failed(cost_s=300.0, now_s=200.0)
    assert not it.sweep_due(200.0 + FAILED_SWEEP_PAUSE_S - 1)
    assert it.sweep_due(200.0 + FAILED_SWEEP_PAUSE_S)


def test_a_tick_reads_the_cheap_tables_and_leaves_the_dear_one_to_the_sweep() -> None:
    it = pace()
    for table, cost_s in (("jobs", 0.01), ("job_results", 0.2), ("customers", 0.02)):
        it.measured(table, cost_s)
    assert it.affordable(["jobs", "job_results", "customers"], 100.0) == ["jobs", "customers"]


def test_a_table_too_dear_for_every_tick_is_read_by_as_many_as_the_share_allows() -> None:
    it = Pace(tick_s=2.0, min_interval_s=60.0, max_share=0.02)
    spent_s = 0.0
    for tick in range(500):
        for table in it.affordable(["job_results"], 100.0 + 2.0 * tick):
            it.read(table, 0.1)
            spent_s += 0.1
    # The first reading is made in ignorance of its price.
    assert 0.95 * 0.02 * 1000.0 <= spent_s <= 0.02 * 1000.0 + 0.1


def test_what_was_saved_up_is_bounded() -> None:
    it = Pace(tick_s=2.0, min_interval_s=60.0, max_share=0.02)
    it.measured("job_results", 1.3)
    it.affordable([], 100.0)
    assert it.affordable(["job_results"], 1e6) == []


def test_a_table_that_was_dear_once_gets_another_chance() -> None:
    it = pace()
    it.measured("queue_history", 3.0)
    assert it.affordable(["queue_history"], 100.0) == []
    it.forget("queue_history")
    assert it.affordable(["queue_history"], 100.0) == ["queue_history"]
