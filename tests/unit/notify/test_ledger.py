"""Every change is told exactly once, whatever happens between the looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.model import Severity
from harness.notify.ledger import Ledger, Policy, due, free_at, observe, observe_trouble
from harness.notify.standing import JOURNAL, Standing
from tests.support.notices import (
    LOOKED_AT,
    Listener,
    case_changes,
    make_standing,
    ways,
)

GATE = "gate:shadow.zero_loss"
LOST = "finding:live:never_enqueued"
MINUTE = timedelta(minutes=1)
STATES = ("pass", "fail", "undecided", "open", "waived")


@dataclass(frozen=True)
class Look:
    """One look of a random history."""

    after: timedelta
    standing: Standing
    works: bool
    restarts: bool


@st.composite
def histories(draw: st.DrawFn) -> list[Look]:
    """Looks seconds to hours apart; deliveries fail and the process is started anew at random."""
    subjects = ["decision", GATE, "gate:shadow.agreement"]
    looks, seq = [], 100
    for _ in range(draw(st.integers(1, 25))):
        seq += draw(st.integers(0, 3))
        states = {s: draw(st.sampled_from(STATES)) for s in subjects if draw(st.integers(0, 7))}
        cases = {}
        if keys := draw(st.sets(st.sampled_from("abcd"))):
            cases[LOST] = keys
        looks.append(
            Look(
                after=timedelta(seconds=draw(st.sampled_from([5, 60, 61, 300, 900, 4000]))),
                standing=make_standing(states, cases, seq=seq),
                works=draw(st.integers(0, 3)) > 0,
                restarts=draw(st.booleans()),
            )
        )
    return looks


policies = st.builds(
    Policy, quiet_s=st.sampled_from([0.0, 60.0, 600.0]), per_hour=st.integers(1, 5)
)


def lived(looks: list[Look], policy: Policy) -> tuple[Listener, list[Standing]]:
    """A channel that has lived through it, and every standing since it was introduced.

    Long after the last look nothing changes any more and everything works.
    """
    listener, now, seen = Listener(policy=policy), LOOKED_AT, []
    idle = Look(after=timedelta(hours=2), standing=looks[-1].standing, works=True, restarts=True)
    for look in [*looks, idle, idle]:
        now += look.after
        listener.look(look.standing, now, works=look.works)
        if listener.ledger.introduced:
            seen.append(look.standing)
        if look.restarts:
            listener.restart()
    assert listener.ledger.waiting == ()
    return listener, seen


def value(standing: Standing, subject: str) -> str | None:
    state = standing.states.get(subject)
    return state.value if state else None


def keys(standing: Standing) -> set[str]:
    return set(standing.cases[LOST].keys) if LOST in standing.cases else set()


@settings(deadline=None, max_examples=60)
@given(histories(), policies)
def test_every_change_of_a_state_is_told_exactly_once(looks: list[Look], policy: Policy) -> None:
    listener, seen = lived(looks, policy)
    for subject in ("decision", GATE, "gate:shadow.agreement"):
        values = [value(standing, subject) for standing in seen]
        told = listener.changes(subject)
        assert sum(c.changes for c in told) == sum(a != b for a, b in pairwise(values))
        # Each message takes up where the last one ended, and the last one ends where it stands.
        chain = [values[0], *(end for way in ways(told) for end in (way[0], way[-1])), values[-1]]
        assert chain[0::2] == chain[1::2]


@settings(deadline=None, max_examples=60)
@given(histories(), policies)
def test_every_case_is_told_when_it_comes_and_when_it_goes(
    looks: list[Look], policy: Policy
) -> None:
    listener, seen = lived(looks, policy)
    told = case_changes(listener.changes(LOST))
    steps = list(pairwise(keys(standing) for standing in seen))
    assert sum(c.appeared for c in told) == sum(len(new - old) for old, new in steps)
    assert sum(c.gone for c in told) == sum(len(old - new) for old, new in steps)
    known = keys(seen[0])
    for change in told:
        assert not known & set(change.fresh)
        assert known >= set(change.left)
        known = (known | set(change.fresh)) - set(change.left)
        assert len(known) == change.now
    assert known == keys(seen[-1])


@settings(deadline=None, max_examples=60)
@given(histories(), policies)
def test_no_hour_has_more_messages_than_allowed(looks: list[Look], policy: Policy) -> None:
    moments = [moment for moment, _ in lived(looks, policy)[0].told]
    for first in moments:
        hour = [m for m in moments if first <= m < first + timedelta(hours=1)]
        assert len(hour) <= policy.per_hour


@settings(deadline=None, max_examples=60)
@given(histories(), policies)
def test_there_is_one_first_look_and_no_empty_message(looks: list[Look], policy: Policy) -> None:
    (_, first), *others = lived(looks, policy)[0].told
    assert first.first
    assert not first.changes
    assert all(what.changes and not what.first for _, what in others)


def introduced(
    states: Mapping[str, str] | None = None, *, policy: Policy | None = None
) -> Listener:
    """A channel that has had its first look."""
    listener = Listener(policy=policy or Policy(quiet_s=600.0, per_hour=10))
    listener.look(make_standing(states), LOOKED_AT)
    return listener


def gate(state: str, *, seq: int = 101) -> Standing:
    return make_standing({GATE: state}, seq=seq)


def test_a_second_look_at_the_same_seq_says_nothing() -> None:
    listener = introduced({GATE: "pass"})
    assert listener.look(gate("fail"), LOOKED_AT + MINUTE) is not None
    for minutes in (2, 60, 600):
        listener.restart()
        assert listener.look(gate("fail"), LOOKED_AT + minutes * MINUTE) is None


def test_what_fails_is_told_at_once_and_what_is_open_after_the_quiet_period() -> None:
    listener = introduced({GATE: "pass"})
    assert listener.look(gate("undecided"), LOOKED_AT + MINUTE) is None
    assert listener.look(gate("undecided"), LOOKED_AT + 9 * MINUTE) is None
    assert listener.look(gate("undecided"), LOOKED_AT + 10 * MINUTE) is not None
    assert listener.look(gate("fail"), LOOKED_AT + 21 * MINUTE) is not None
    assert ways(listener.changes(GATE)) == [("pass", "undecided"), ("undecided", "fail")]


def test_to_and_fro_within_the_quiet_period_is_one_message() -> None:
    listener = introduced({GATE: "pass"})
    for minute, state in enumerate(("undecided", "pass", "pass", "undecided", "pass"), start=1):
        assert listener.look(gate(state), LOOKED_AT + minute * MINUTE) is None
    what = listener.look(gate("pass"), LOOKED_AT + 10 * MINUTE)
    assert what is not None
    (change,) = what.changes
    assert ways([change]) == [("pass", "undecided", "pass", "undecided", "pass")]
    assert (change.changes, change.severity) == (4, Severity.WARNING)


def test_a_gate_that_fails_again_and_again_is_told_once_a_quiet_period() -> None:
    listener = introduced({GATE: "pass"})
    for minute in range(1, 61):
        state = "fail" if minute % 2 else "pass"
        listener.look(gate(state, seq=100 + minute), LOOKED_AT + minute * MINUTE)
    assert 5 <= len(listener.told) - 1 <= 7


def test_cases_that_come_one_by_one_are_told_at_once_and_then_once_a_quiet_period() -> None:
    listener = introduced()
    cases: list[str] = []
    for minute in range(1, 31):
        cases.append(f"job {minute}")
        listener.look(
            make_standing(cases={LOST: cases}, seq=100 + minute), LOOKED_AT + minute * MINUTE
        )
    told = [(moment - LOOKED_AT) / MINUTE for moment, _ in listener.told]
    assert told == [0, 1, 11, 21]
    assert [len(c.fresh) for c in case_changes(listener.changes(LOST))] == [1, 10, 10]


def test_looks_further_apart_than_the_quiet_period_tell_at_once() -> None:
    listener = introduced({GATE: "pass"})
    assert listener.look(gate("undecided"), LOOKED_AT + timedelta(days=1)) is not None


def test_a_clock_that_is_set_back_keeps_nothing_waiting() -> None:
    listener = introduced({GATE: "pass"})
    listener.look(gate("undecided"), LOOKED_AT + MINUTE)
    assert listener.look(gate("undecided"), LOOKED_AT - timedelta(days=1)) is not None


def test_a_gate_that_appears_or_disappears_is_told() -> None:
    listener = introduced()
    listener.look(gate("open"), LOOKED_AT + 20 * MINUTE)
    listener.look(make_standing(seq=102), LOOKED_AT + 40 * MINUTE)
    assert ways(listener.changes(GATE)) == [(None, "open"), ("open", None)]


def test_what_the_limit_holds_back_comes_with_the_next_message_and_is_marked() -> None:
    listener = introduced({GATE: "pass"}, policy=Policy(quiet_s=0.0, per_hour=1))
    for minute, state in ((5, "fail"), (6, "pass"), (7, "fail")):
        assert listener.look(gate(state), LOOKED_AT + minute * MINUTE) is None
    what = listener.look(gate("fail"), LOOKED_AT + 60 * MINUTE)
    assert what is not None
    (change,) = what.changes
    assert change.held
    assert ways([change]) == [("pass", "fail", "pass", "fail")]


def test_the_limit_ends_an_hour_after_the_oldest_message_that_counts() -> None:
    policy = Policy(quiet_s=0.0, per_hour=2)
    listener = introduced({GATE: "pass"}, policy=policy)
    now = LOOKED_AT + 30 * MINUTE
    assert free_at(listener.ledger, now, policy) == now
    assert listener.look(gate("fail"), now) is not None
    assert free_at(listener.ledger, now, policy) == LOOKED_AT + 60 * MINUTE


def test_a_long_way_keeps_its_ends_and_all_its_changes() -> None:
    listener = introduced({GATE: "open"})
    for second in range(1, 50):
        listener.look(gate("pass" if second % 2 else "undecided"), LOOKED_AT + second * MINUTE / 60)
    what = listener.look(gate("pass"), LOOKED_AT + 11 * MINUTE)
    assert what is not None
    (change,) = what.changes
    (way,) = ways([change])
    assert change.changes == 49
    assert (way[0], way[-1], len(way)) == ("open", "pass", 8)


def test_a_waived_gate_is_no_good_news() -> None:
    listener = introduced({GATE: "fail"})
    what = listener.look(gate("waived"), LOOKED_AT + 20 * MINUTE)
    assert what is not None
    assert [change.severity for change in what.changes] == [Severity.WARNING]


def test_another_journal_or_one_that_went_back_is_a_first_look_again() -> None:
    listener = introduced({GATE: "pass"})
    listener.look(gate("undecided"), LOOKED_AT + MINUTE)
    what = listener.look(gate("fail", seq=50), LOOKED_AT + 2 * MINUTE)
    assert what is not None
    assert (what.first, what.ledger.superseded) == (True, 1)
    assert what.ledger.restart == "the journal went back from seq 101 to 50"
    assert listener.look(gate("fail", seq=51), LOOKED_AT + 3 * MINUTE) is None
    other = make_standing({GATE: "fail"}, seq=200, journal_id="another")
    what = listener.look(other, LOOKED_AT + 4 * MINUTE)
    assert what is not None
    assert what.ledger.restart == "this is another journal than the one looked at before"
    assert listener.look(other, LOOKED_AT + 5 * MINUTE) is None


def _blind(listener: Listener, now: datetime) -> bool:
    listener.ledger = observe_trouble(listener.ledger, "it is locked", now)
    return due(listener.ledger, now, listener.policy) is not None


def test_a_journal_that_is_locked_for_a_moment_is_no_news_and_one_that_stays_so_is() -> None:
    listener = introduced({GATE: "pass"})
    assert not _blind(listener, LOOKED_AT + MINUTE)
    assert listener.look(gate("pass"), LOOKED_AT + 2 * MINUTE) is None
    assert listener.ledger.waiting == ()
    assert not _blind(listener, LOOKED_AT + 30 * MINUTE)
    assert not _blind(listener, LOOKED_AT + 39 * MINUTE)
    assert _blind(listener, LOOKED_AT + 40 * MINUTE)


def test_changes_behind_an_unreadable_journal_are_found_when_it_can_be_read_again() -> None:
    listener = introduced({GATE: "pass"})
    _blind(listener, LOOKED_AT + MINUTE)
    what = listener.look(gate("fail"), LOOKED_AT + 2 * MINUTE)
    assert what is not None
    assert [change.subject for change in what.changes] == [GATE]


def test_a_journal_that_never_could_be_read_is_told_too() -> None:
    listener = Listener()
    assert not _blind(listener, LOOKED_AT)
    assert _blind(listener, LOOKED_AT + 10 * MINUTE)
    (change,) = listener.ledger.waiting
    assert change.subject == JOURNAL
    what = listener.look(gate("pass"), LOOKED_AT + 11 * MINUTE)
    assert what is not None
    assert what.first


def test_a_ledger_that_was_never_told_owes_only_the_first_look() -> None:
    ledger = observe(Ledger(), gate("pass"), LOOKED_AT)
    ledger = observe(ledger, gate("fail"), LOOKED_AT + MINUTE)
    assert ledger.waiting == ()
