"""How submissions are handed out: in order, piece by piece, until there is a reason to end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from harness.journal.store import Journal
from replay.feed import Feed
from replay.schedule import Schedule
from replay.select import Excluded
from replay.selection import Selection, select_keys
from tests.support.events import make_control
from tests.support.replays import TIMED_OUT, accepted, every_condition, make_journal

_MANY = 330
"""More than are read at first and at a time."""


def feed_of(journal: Journal, told: list[Excluded], *, apart: bool = True) -> Feed:
    with journal.reader() as reader:
        keys, head = select_keys(reader, Selection()), reader.as_of_seq
    return Feed(
        journal, keys, as_of=head, schedule=Schedule(), apart=apart, on_excluded=told.append
    )


async def drained(feed: Feed, *, slow: bool) -> list[str]:
    found = []
    while (due := await feed.take(slow=slow)) is not None:
        found.append(due.submission.order.directory)
    return found


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    slow = [make_control("failed", host=f"w-{n}.example", message=TIMED_OUT) for n in range(3)]
    return make_journal(tmp_path_factory.mktemp("feed"), *accepted(_MANY), *slow)


def test_each_is_handed_out_once_and_those_that_wait_beside_the_others(many: Journal) -> None:
    async def go() -> tuple[list[str], list[str], list[str]]:
        feed = feed_of(many, [])
        lanes = (drained(feed, slow=False), drained(feed, slow=False), drained(feed, slow=True))
        one, two, slow = await asyncio.wait_for(asyncio.gather(*lanes), 60)
        return one, two, slow

    one, two, slow = asyncio.run(go())
    assert sorted(slow) == ["w-0.example", "w-1.example", "w-2.example"]
    assert sorted(one + two) == sorted(f"site-{n}.example" for n in range(_MANY))


def test_one_at_a_time_keeps_the_order_of_the_run(many: Journal) -> None:
    async def go() -> list[str]:
        return await drained(feed_of(many, [], apart=False), slow=False)

    hosts = asyncio.run(go())
    assert hosts == sorted(hosts)
    assert len(hosts) == _MANY + 3


def test_nothing_is_handed_out_after_its_end_not_even_to_who_waits(many: Journal) -> None:
    async def go() -> tuple[object, object]:
        feed = feed_of(many, [])
        waiting = asyncio.create_task(feed.take(slow=True))
        await asyncio.sleep(0.05)
        await feed.end()
        return await asyncio.wait_for(waiting, 5), await feed.take(slow=False)

    assert asyncio.run(go()) == (None, None)


def test_what_cannot_be_replayed_is_told_of_before_the_first_that_can(tmp_path: Path) -> None:
    only = make_journal(tmp_path, every_condition()[-1])
    told: list[Excluded] = []

    async def go() -> tuple[bool, list[str]]:
        feed = feed_of(only, told)
        return await feed.prime(), await drained(feed, slow=False)

    assert asyncio.run(go()) == (False, [])
    assert [one.directory for one in told] == ["unknown.example"]
