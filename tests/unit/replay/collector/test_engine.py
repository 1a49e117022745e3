"""A run on machines that are played by threads: they speak the real protocol over loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import urllib3

from harness.errors import EnvironmentProblem, ReplayError
from harness.model import Outcome
from replay.collector.courier import CollectorError, Courier, GoneUnitError
from replay.collector.version import code_version
from replay.collector.wire import Go, Opening, Report
from replay.engines import prefect
from replay.engines.prefect import PrefectEngine, unit_size
from replay.engines.prefect_pool import RunState, WorkPool
from replay.feed import Due
from replay.submission import Finished
from tests.support.units import (
    SECRET,
    TOKEN,
    Pool,
    make_pool_config,
    make_replayable,
    make_result,
    make_terms,
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = {"_TICK_S": 0.01, "_LOOK_S": 0.05, "_NO_WORKER_S": 0.2, "_END_S": 0.0}
    for name, value in quick.items():
        monkeypatch.setattr(prefect, name, value)


class ListFeed:
    """Hands out so many submissions."""

    def __init__(self, count: int) -> None:
        self._left = [make_replayable(number) for number in range(count)]
        self.ended = False

    @property
    def left(self) -> int:
        return len(self._left)

    async def take(self, *, slow: bool) -> Due | None:
        return Due(submission=self._left.pop(0), due_s=0) if self._left and not self.ended else None

    async def end(self) -> None:
        self.ended = True


@dataclass
class Ran:
    finished: list[Finished] = field(default_factory=list)
    joined: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    notes: list[str | None] = field(default_factory=list)


def run(pool: Pool, count: int, *, stop: threading.Event | None = None, **config: object) -> Ran:
    """Run so many submissions on a pool."""
    ran = Ran()

    async def go() -> None:
        engine = PrefectEngine(
            make_pool_config(**config),
            make_terms(),
            on_joined=lambda machine, facts: ran.joined.append((machine, facts)),
            on_finished=ran.finished.append,
            on_abandoned=lambda visit: None,
            on_note=ran.notes.append,
        )
        engine._pool = pool  # type: ignore[assignment]
        await engine.run(ListFeed(count), stop=stop or threading.Event())  # type: ignore[arg-type]

    asyncio.run(asyncio.wait_for(go(), 60))
    for thread in pool.threads:
        thread.join()
    return ran


def opening(unit: str, machine: str = "m") -> Opening:
    return Opening(unit=unit, machine=machine, version=code_version())


def works(courier: Courier, unit: str) -> None:
    """Carries out everything, one report each."""
    left = courier.open(opening(unit)).submissions
    courier.report(Report(unit=unit, facts={"browser": "1"}))
    for one in left:
        courier.report(Report(unit=unit, results=(make_result(one),)))
    courier.report(Report(unit=unit, ended=True))


def keys_of(ran: Ran) -> list[str]:
    return sorted(done.of.order.directory for done in ran.finished)


def all_of(count: int) -> list[str]:
    return sorted(make_replayable(number).order.directory for number in range(count))


def test_every_submission_ends_once_and_its_flow_runs_name_nothing_but_units() -> None:
    pool = Pool(works)
    ran = run(pool, 90)
    assert keys_of(ran) == all_of(90)
    assert {machine for machine, _ in ran.joined} == {"m"}
    assert len(pool.made) > 2
    assert SECRET not in json.dumps(pool.made)
    assert pool.swept == 1


def test_what_kills_every_machine_is_given_up_as_a_crash_and_takes_nothing_with_it() -> None:
    killer = make_replayable(7)

    def dies_of_it(courier: Courier, unit: str) -> None:
        left = courier.open(opening(unit)).submissions
        for one in left:
            courier.report(Report(unit=unit, in_hand=(one.key,)))
            if one.key == killer.key:
                return
            courier.report(Report(unit=unit, results=(make_result(one),)))
        courier.report(Report(unit=unit, ended=True))

    pool = Pool(dies_of_it)
    ran = run(pool, 30, lease_s=1.0)
    assert keys_of(ran) == all_of(30)
    (lost,) = [done for done in ran.finished if done.crashed]
    assert lost.of.key == killer.key
    assert lost.claim.status is Outcome.FAILED
    assert "given up after 3 machines were lost with it; m was silent" in str(lost.claim.error_text)
    assert set(pool.ended.values()) == {"CRASHED"}
    assert any("handed out again" in str(note) for note in ran.notes)


def test_an_end_that_prefect_tells_of_is_not_waited_for() -> None:
    pool = Pool(None)

    def crashes_once(courier: Courier, unit: str) -> None:
        if pool.fates:
            return works(courier, unit)
        courier.open(opening(unit))
        pool.fates[f"run-of-{unit}"] = RunState(type="CRASHED", message="exit code -9")
        return None

    pool.machine = crashes_once
    ran = run(pool, 20, lease_s=600.0)
    assert keys_of(ran) == all_of(20)
    assert any("m ended without a word (CRASHED: exit code -9)" in str(n) for n in ran.notes)


def test_machines_that_open_their_place_and_then_fail_do_not_go_on_for_ever() -> None:
    def joins_and_fails(courier: Courier, unit: str) -> None:
        courier.open(opening(unit))
        courier.report(Report(unit=unit, facts={"browser": "1"}))
        courier.report(Report(unit=unit, refused="The browser died 3 times."))

    with pytest.raises(ReplayError, match="m: The browser died 3 times"):
        run(Pool(joins_and_fails), 30)


def test_a_machine_held_dead_is_told_so_and_what_it_brings_still_counts_once() -> None:
    told: list[Go] = []
    first = threading.Event()

    def sleeps_at_first(courier: Courier, unit: str) -> None:
        if first.is_set():
            return works(courier, unit)
        first.set()
        left = courier.open(opening(unit, "sleeper")).submissions
        time.sleep(1.6)
        told.append(courier.report(Report(unit=unit, results=tuple(map(make_result, left)))))
        return None

    ran = run(Pool(sleeps_at_first, online=1), 20, lease_s=1.0)
    assert keys_of(ran) == all_of(20)
    assert told in ([Go.GONE], [])


def test_another_version_of_the_harness_is_refused_in_one_line_that_ends_the_run() -> None:
    said: list[str] = []

    def older(courier: Courier, unit: str) -> None:
        try:
            courier.open(replace(opening(unit, "old-machine"), version="0.0.1/1/abcd"))
        except CollectorError as error:
            said.append(str(error))

    with pytest.raises(ReplayError) as ended:
        run(Pool(older), 30)
    words = f"old-machine has version 0.0.1/1/abcd of the harness, this run needs {code_version()}"
    assert str(ended.value).startswith(words)
    assert "\n" not in str(ended.value)
    assert words in said[0]


def test_a_machine_that_cannot_work_gives_its_unit_back_and_others_go_on() -> None:
    turns = iter(range(10**6))

    def every_second_one(courier: Courier, unit: str) -> None:
        if next(turns) % 2:
            return works(courier, unit)
        courier.open(opening(unit, "bare"))
        courier.report(Report(unit=unit, refused="No Chromium on PATH."))
        return None

    ran = run(Pool(every_second_one), 60)
    assert keys_of(ran) == all_of(60)
    assert any("bare: No Chromium on PATH." in str(note) for note in ran.notes)
    assert not any(done.crashed for done in ran.finished)


def test_flow_runs_that_fail_before_they_ask_end_the_run_with_prefects_reason() -> None:
    pool = Pool(None, fate=RunState(type="CRASHED", message="No module named\n 'replay'"))
    with pytest.raises(ReplayError, match="CRASHED: No module named 'replay'"):
        run(pool, 30)
    assert pool.swept == 1


def test_a_pool_that_nobody_polls_is_told_of_and_a_stop_ends_the_wait() -> None:
    stop = threading.Event()
    pool = Pool(None, online=0, fate=RunState(type="SCHEDULED"))
    timer = threading.Timer(0.6, stop.set)
    timer.start()
    ran = run(pool, 30, stop=stop)
    assert ran.finished == []
    assert "no worker polls the pool p; start one" in str(ran.notes[0])
    assert ran.notes[-1] is None
    assert pool.swept == 1


def test_a_stop_is_told_to_machines_and_what_they_have_is_taken() -> None:
    stop, told = threading.Event(), []

    def works_until_told(courier: Courier, unit: str) -> None:
        left = list(courier.open(opening(unit)).submissions)
        while courier.report(Report(unit=unit, results=(make_result(left.pop(0)),))) is Go.ON:
            stop.set()
        told.append(len(left))
        courier.report(Report(unit=unit, ended=True))

    ran = run(Pool(works_until_told, online=1), 200, stop=stop)
    assert told
    assert 0 < len(ran.finished) == len(set(keys_of(ran))) < 200


def test_who_does_not_know_the_token_learns_and_changes_nothing() -> None:
    answers: list[tuple[int, bytes]] = []

    def guesses(courier: Courier, unit: str) -> None:
        body = json.dumps({"unit": unit, "machine": "m", "version": code_version()}).encode()
        for path in ("/open", "/report"):
            for headers in ({}, {"Authorization": f"Bearer {TOKEN[:-1]}"}, {"Authorization": "é"}):
                answer = urllib3.request("POST", courier._url + path, body=body, headers=headers)
                answers.append((answer.status, answer.data))
        with pytest.raises(CollectorError, match="token"):
            Courier(courier._url, "x" * 40).open(opening(unit))
        works(courier, unit)

    ran = run(Pool(guesses, online=1), 20)
    assert keys_of(ran) == all_of(20)
    assert {code for code, _ in answers} == {401}
    assert len({data for _, data in answers}) == 1


def test_what_is_no_message_or_of_another_run_changes_nothing() -> None:
    seen: list[int] = []

    def babbles(courier: Courier, unit: str) -> None:
        for path, body in (("/open", b"{"), ("/report", b"[]"), ("/report", b'{"unit": 3}')):
            headers = {"Authorization": f"Bearer {TOKEN}"}
            seen.append(
                urllib3.request("POST", courier._url + path, body=body, headers=headers).status
            )
        with pytest.raises(GoneUnitError):
            courier.open(opening("another-1"))
        assert courier.report(Report(unit="another-1")) is Go.GONE
        works(courier, unit)

    ran = run(Pool(babbles, online=1), 20)
    assert keys_of(ran) == all_of(20)
    assert seen == [400, 400, 400]


def test_a_collector_that_is_gone_is_one_line() -> None:
    with pytest.raises(CollectorError, match=r"127\.0\.0\.1:9 does not answer"):
        Courier("http://127.0.0.1:9", TOKEN, patience_s=0).open(opening("u"))


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentProblem, match=f"collector = 127.0.0.1:{port}"):
            run(Pool(works), 1, port=port)


class Api:
    """In place of Prefect's API: remembers what it is told."""

    place = "http://prefect.example/api"

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def get(self, path: str, *, missing_is_fine: bool = False) -> Any:
        return {"is_paused": False}

    def post(self, path: str, body: Any, **_: bool) -> Any:
        self.told.append((path, body))
        return {"id": "an-id"}

    def rows(self, path: str, question: Any = None) -> list[dict[str, Any]]:
        return []


def test_a_flow_run_carries_the_collectors_address_and_its_unit_only() -> None:
    api = Api()
    pool = WorkPool(api, "p")  # type: ignore[arg-type]
    pool.open("monday")
    pool.submit("monday", "a1-7", "http://10.0.0.5:8790")
    path, body = api.told[-1]
    assert path == "/deployments/an-id/create_flow_run"
    assert body["parameters"] == {"collector": "http://10.0.0.5:8790", "unit": "a1-7"}
    assert body["idempotency_key"] == "a1-7"
    assert TOKEN not in json.dumps(api.told)


@pytest.mark.parametrize(
    ("left", "places", "size"), [(100_000, 20, 200), (400, 20, 20), (1_000, 20, 50), (3, 2, 20)]
)
def test_units_shrink_towards_the_end(left: int, places: int, size: int) -> None:
    assert unit_size(left, places, most=200) == size
