"""Whatever machines do, each submission has one end, and no submission is tried for ever."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.collector.book import MOST_TRIES, Book, GoneError
from replay.select import Replayable
from replay.selection import Pair
from tests.support.units import make_replayable

LEASE_S = 10.0


def book() -> Book:
    return Book(name="b", lease_s=LEASE_S)


def some(count: int) -> list[Replayable]:
    return [make_replayable(number) for number in range(count)]


@given(st.integers(1, 12), st.integers(0, 2**32), st.integers(1, 4))
def test_each_submission_ends_once_however_machines_die(size: int, seed: int, unit: int) -> None:
    chance, it, ends = Random(seed), book(), Counter[Pair]()
    waiting = [tuple(some(size)[n : n + unit]) for n in range(0, size, unit)]
    late: list[Pair] = []
    deaths = 0
    while waiting or it.handouts:
        if waiting:
            it.add(waiting.pop())
        name = chance.choice(list(it.handouts))
        left = it.take(name, "m", now_s=0) if it.handouts[name].machine is None else ()
        keys = [one.key for one in left or it.handouts[name].left.values()]
        it.hear(name, chance.sample(keys, chance.randint(0, len(keys))), now_s=0)
        for key in chance.sample(keys, chance.randint(0, len(keys))) + late[-1:]:
            ends[key] += it.result(key) is not None
        if chance.random() < 0.5:
            deaths += 1
            loss = it.lose(name)
            late += [one.key for one in loss.given_up]
            ends.update(one.key for one in loss.given_up)
            waiting += loss.again
        elif returned := it.close(name):
            waiting.append(returned)
        assert set(it._holders) == {key for one in it.handouts.values() for key in one.left}
    assert ends == {one.key: 1 for one in some(size)}
    assert all(it.result(one.key) is None for one in some(size))


def test_the_first_result_counts_also_from_a_machine_that_was_given_up() -> None:
    it, (one, *_) = book(), some(1)
    first = it.add([one])
    it.take(first, "m1", now_s=0)
    (again,) = it.lose(first).again
    second = it.add(again)
    it.take(second, "m2", now_s=0)
    assert it.result(one.key) == one
    assert it.result(one.key) is None
    assert it.take(second, "m2", now_s=1) == ()


def test_what_was_in_hand_at_each_death_is_alone_at_last_and_then_given_up() -> None:
    it, all_of_it = book(), some(4)
    killer = all_of_it[1]
    units, ended, given_up, sizes = [tuple(all_of_it)], [], [], []
    while units:
        name = it.add(unit := units.pop(0))
        it.take(name, "m", now_s=0)
        if killer in unit:
            sizes.append(len(unit))
            it.hear(name, [killer.key, unit[-1].key], now_s=0)
            loss = it.lose(name)
            units += loss.again
            given_up += loss.given_up
        else:
            ended += [one for one in unit if it.result(one.key)]
            assert it.close(name) == ()
    assert given_up == [killer]
    assert sizes == [4, 4, 1]
    assert len(ended) == 3


def test_a_machine_that_never_says_what_it_has_in_hand_is_not_tried_for_ever() -> None:
    it, unit = book(), tuple(some(3))
    for _ in range(MOST_TRIES - 1):
        name = it.add(unit)
        it.take(name, "m", now_s=0)
        loss = it.lose(name)
        assert (loss.again, loss.given_up) == ((unit,), ())
    name = it.add(unit)
    it.take(name, "m", now_s=0)
    assert it.lose(name).given_up == unit
    assert not it.handouts


def test_only_silence_of_a_machine_that_has_the_unit_expires() -> None:
    it = book()
    waiting, spoken, silent = (it.add([one]) for one in some(3))
    it.take(spoken, "m1", now_s=0)
    it.take(silent, "m2", now_s=0)
    assert it.hear(spoken, [], now_s=LEASE_S) == "m1"
    assert it.expired(now_s=LEASE_S) == []
    assert it.expired(now_s=LEASE_S + 0.1) == [silent]
    assert it.waiting == [waiting]


def test_a_unit_is_of_one_machine_and_an_old_id_of_none() -> None:
    it, (one, *_) = book(), some(1)
    name = it.add([one])
    with pytest.raises(GoneError):
        it.hear(name, [], now_s=0)
    assert it.take(name, "m1", now_s=0) == it.take(name, "m1", now_s=1) == (one,)
    with pytest.raises(GoneError):
        it.take(name, "m2", now_s=1)
    it.close(name)
    for unknown in (name, "b-99"):
        with pytest.raises(GoneError):
            it.take(unknown, "m1", now_s=2)
        with pytest.raises(GoneError):
            it.hear(unknown, [], now_s=2)
    assert it.add([one]) != name
    with pytest.raises(ValueError, match="handed out already"):
        it.add([one])
