"""Nothing gets out of a slot: worker code that tries it, with all layers and with one missing."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.model import Order, PlanStep
from replay.sandbox.server import Sandbox
from replay.sandbox.visit import Escape, Visit
from replay.seal.isolation import NONE, Isolation, SlotLayer, find_isolation
from replay.seal.open import OPEN_WITHOUT, not_sealed_without
from replay.seal.slot import Slot
from tests.browser.outside import Outside

WORKER = Path(__file__).with_name("hostile_worker.py")
HOST = "hostile.example"
MARKER = "a-secret-of-the-replay"
FOUND = find_isolation()
ISOLATIONS = {
    "all that this machine allows": FOUND,
    "one process tree": replace(FOUND, processes=False),
    "one tree of files": replace(FOUND, writes=False),
    "one view of the machine": replace(FOUND, files=False, writes=False, processes=False),
    "no namespace": NONE,
}
HELD_BY_DOOR = {
    "metadata_by_proxy": "http://169.254.169.254/latest/by-proxy",
    "by_urllib": "/by_urllib",
    "by_requests": "requests.outside.test:443",
    "by_curl": "/by_curl",
    "by_boto3": "sqs.us-east-1.amazonaws.com:443",
}
"""Ways that follow the environment to the door, and what the door says of them."""
REAL = {"metadata"}
"""Ways to what may be there: not tried where nothing would stop them."""


class Machine(Outside):
    """An outside that also has what a machine of workers has beside the network."""

    def __init__(self, folder: Path, beside: Path) -> None:
        super().__init__()
        self.beside = beside
        self.neighbour = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(60)", MARKER]
        )
        self.places = {
            **self._places,
            "unix": str(folder / "database.sock"),
            "abstract": f"shadow-outside-{os.getpid()}",
            "beside": str(beside),
            "process": self.neighbour.pid,
            "marker": MARKER,
        }
        for name in (self.places["unix"], "\0" + self.places["abstract"]):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(name)
            listener.listen()
            self._selector.register(listener, 1, self._accept)

    def reached(self, read: list[str]) -> set[str]:
        """The ways that led somewhere. read: what the worker says that it could read."""
        names = {"stun": "udp", "turn_udp": "dns_query"}
        done = ["write_beside"] * self.beside.exists()
        done += ["kill_process"] * (self.neighbour.poll() is not None)
        return {names.get(way, way) for way in (*self.came, *read, *done)}

    def end(self) -> None:
        """End the neighbour."""
        self.neighbour.kill()
        self.neighbour.wait()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.setenv("SHADOW_TEST_MARKER", MARKER)
    # Not below /tmp, where anybody may write: it is the slot's own there.
    place = Path(tempfile.mkdtemp(prefix=".shadow-test-", dir=Path.home()))
    with Machine(tmp_path, place / "written") as opened:
        yield opened
        opened.end()
    shutil.rmtree(place)


def left_out(machine: Machine, isolation: Isolation) -> set[str]:
    """Ways that cannot be tried here, or must not be."""
    absent = set() if isolation.network else set(REAL)
    absent |= set() if machine.has_ipv6 else {"raw_socket_ipv6"}
    absent |= set() if importlib.util.find_spec("requests") else {"by_requests"}
    return absent | (set() if shutil.which("curl") else {"by_curl", "by_curl_without_proxy"})


async def attack(
    machine: Machine, isolation: Isolation, browser: Path
) -> tuple[list[str], list[Escape], tuple[SlotLayer, ...]]:
    """Run the hostile worker in a slot; what it read, what is recorded, which layers there were."""
    step = PlanStep(action="goto", url=f"https://{HOST}/")
    visit = Visit.of(Order(job_id="job", directory=HOST, plan=(step,)), None)
    given = json.dumps({**machine.places, "leave_out": sorted(left_out(machine, isolation))})
    async with Sandbox() as sandbox, Slot(sandbox, browser, isolation=isolation) as slot:
        async with slot.admit(visit):
            worker = await slot.start([sys.executable, str(WORKER), given])
            said = await asyncio.wait_for(worker.answers.read(), 60)
            assert await worker.wait() == 0, slot.log.read_text()
        layers = slot.layers
    assert sandbox.nobody.escapes == []
    return json.loads(said), visit.escapes, layers


@pytest.mark.parametrize("name", ISOLATIONS)
def test_just_what_a_missing_layer_alone_stops_leads_outside(
    machine: Machine, tmp_path: Path, name: str
) -> None:
    isolation = ISOLATIONS[name]
    read, escapes, layers = asyncio.run(attack(machine, isolation, browser(tmp_path)))
    missing = set(SlotLayer) - set(layers)
    expected = set(not_sealed_without(missing)) - left_out(machine, isolation)
    assert machine.reached(read) == expected
    urls = [escape.url for escape in escapes]
    for way in HELD_BY_DOOR.keys() - left_out(machine, isolation):
        assert any(url.endswith(HELD_BY_DOOR[way]) for url in urls), way


@pytest.mark.skipif(bool(FOUND.reason), reason=f"not all layers here: {FOUND.reason}")
def test_with_all_layers_every_attempt_is_recorded(machine: Machine, tmp_path: Path) -> None:
    read, escapes, layers = asyncio.run(attack(machine, FOUND, browser(tmp_path)))
    assert machine.reached(read) == set()
    assert set(layers) == set(SlotLayer)
    at = machine.places
    expected = {
        "raw_socket": ("tcp", f"tcp://{at['http']}"),
        "raw_socket_ipv6": ("tcp", f"tcp://{at.get('http6')}"),
        "loopback_database": ("tcp", f"tcp://{at['local']}"),
        "unix_database": ("unix socket", f"unix:{at['unix']}"),
        "udp": ("udp", f"udp://{at['stun']}"),
        "dns_query": ("udp", f"udp://{at['turn_udp']}"),
        "name_lookup": ("dns", "name-lookup.outside.test"),
        "metadata": ("tcp", "tcp://169.254.169.254:80"),
        "write_beside": ("file", f"file://{at['beside']}"),
    }
    recorded = {(escape.kind, escape.url) for escape in escapes}
    for way in expected.keys() - left_out(machine, FOUND):
        assert expected[way] in recorded, way
    assert {(escape.job_id, escape.directory) for escape in escapes} == {("job", HOST)}
    assert all(escape.layer for escape in escapes)


def test_a_program_that_waits_for_its_own_server_tries_nothing(tmp_path: Path) -> None:
    """A port of loopback that refuses first and answers later belongs to the slot."""
    code = (
        "import socket, threading\n"
        "held = socket.create_server(('127.0.0.1', 0)); address = held.getsockname()\n"
        "held.close()\n"
        "try: socket.create_connection(address)\n"
        "except ConnectionRefusedError: pass\n"
        "held = socket.create_server(address)\n"
        "socket.create_connection(address).close()\n"
    )

    async def run() -> list[Escape]:
        visit = Visit.of_nobody()
        async with (
            Sandbox() as sandbox,
            Slot(sandbox, browser(tmp_path), isolation=FOUND) as slot,
            slot.admit(visit),
        ):
            process = await slot.start([sys.executable, "-c", code])
            assert await process.wait() == 0, slot.log.read_text()
        return visit.escapes

    assert asyncio.run(run()) == []


def browser(folder: Path) -> Path:
    """A slot wraps a browser; these workers start none."""
    program = folder / "programs" / "chromium"
    program.parent.mkdir(exist_ok=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def test_each_layer_that_may_be_missing_has_its_ways() -> None:
    assert set(OPEN_WITHOUT) <= set(SlotLayer)
    assert not_sealed_without(()) == ()
