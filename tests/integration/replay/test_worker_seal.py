"""Nothing gets out of a slot: worker code that tries it, with all layers and with one missing."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import re
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli.main import run
from harness.model import Order, PlanStep
from replay.sandbox.server import Sandbox
from replay.sandbox.visit import Escape, Visit
from replay.seal.isolation import NONE, Isolation, SlotLayer, find_isolation
from replay.seal.slot import Slot
from replay.seal.unsealed import OPEN_WITHOUT, not_sealed_without
from tests.browser.outside import Outside
from tests.integration.replay.ways import AT_THE_DOOR, IN_THE_SLOT, UNSEEN
from tests.support.replays import accepted, make_journal, payloads_of

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
SETTING = "/proc/sys/kernel/hostname"
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
            self._selector.register(listener, selectors.EVENT_READ, self._accept)

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
    absent |= set() if os.access(SETTING, os.W_OK) else {"kernel_setting"}
    absent |= set() if has_disk() else {"other_device"}
    return absent | (set() if shutil.which("curl") else {"by_curl", "by_curl_without_proxy"})


def has_disk() -> bool:
    """Whether this user could read a disk of the machine past all files."""
    for device in Path("/dev").iterdir():
        with contextlib.suppress(OSError):
            if device.is_block_device():
                os.close(os.open(device, os.O_RDONLY))
                return True
    return False


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
    for way in AT_THE_DOOR.keys() - left_out(machine, isolation):
        assert any(url.endswith(AT_THE_DOOR[way]) for url in urls), way


@pytest.mark.skipif(bool(FOUND.reason), reason=f"not all layers here: {FOUND.reason}")
def test_with_all_layers_every_attempt_is_recorded(machine: Machine, tmp_path: Path) -> None:
    read, escapes, layers = asyncio.run(attack(machine, FOUND, browser(tmp_path)))
    assert machine.reached(read) == set()
    assert set(layers) == set(SlotLayer)
    recorded = {(escape.kind, escape.url) for escape in escapes}
    for way in IN_THE_SLOT.keys() - left_out(machine, FOUND):
        kind, url = IN_THE_SLOT[way]
        assert (kind, url.format(**machine.places)) in recorded, way
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


PROGRAM = """
import json, socket, sys
from pathlib import Path

for line in sys.stdin:
    try:
        with socket.create_connection(({host!r}, {port}), timeout=3) as outside:
            outside.sendall(b"GET /raw HTTP/1.1")
    except OSError:
        pass
    try:
        Path({beside!r}).write_text(line)
        Path("log.txt").write_text(line)
    except OSError:
        pass
    print(json.dumps({{"status": "submitted"}}), flush=True)
"""


@pytest.mark.skipif(not FOUND.writes, reason=f"not all layers here: {FOUND.reason}")
def test_a_run_of_a_hostile_program_leaves_with_4(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, _, port = machine.places["http"].partition(":")
    folder = machine.beside.parent / "worker"
    folder.mkdir()
    code = PROGRAM.format(host=host, port=port, beside=str(machine.beside))
    (folder / "program.py").write_text(code)
    journal = make_journal(tmp_path, *accepted(2))
    monkeypatch.chdir(folder)
    worker = f"command:{sys.executable} program.py"
    at = ["--journal", str(journal.path), "--run", "r", "--worker", worker]
    assert run(["replay", *at, "--concurrency", "1"]) == 4
    assert machine.reached([]) == set()
    assert [path.name for path in folder.iterdir()] == ["program.py"]
    tried = [(one["kind"], one["url"]) for one in payloads_of(journal, "replay.escape")]
    # Each submission connects; the file is the same one for both.
    assert tried.count(("tcp", f"tcp://{machine.places['http']}")) == 2
    assert tried.count(("file", f"file://{machine.beside}")) == 1
    assert len(tried) == 3


def browser(folder: Path) -> Path:
    """A slot wraps a browser; these workers start none."""
    program = folder / "programs" / "chromium"
    program.parent.mkdir(exist_ok=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def test_every_way_is_told_of() -> None:
    ways = set(re.findall(r"^def (\w+)\(\) -> None:", WORKER.read_text(), flags=re.MULTILINE))
    assert {*AT_THE_DOOR, *IN_THE_SLOT, *UNSEEN} == ways
    assert {way for group in OPEN_WITHOUT.values() for way in group} <= ways
    assert not_sealed_without(()) == ()
