"""What this machine allows a slot to be: found out once a run, by making one and ending it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from replay.seal.folders import LAYERS

_ROOT = Path(__file__).parents[2]
_KEEPER = (
    f"import sys; sys.path.append({str(_ROOT)!r}); from replay.seal.keeper import main; main()"
)
"""Isolated from whatever the environment or a folder may hold, it is told where its modules are."""
_PROBE_S = 10.0


class SlotLayer(StrEnum):
    """What stands between a worker process and the outside."""

    ENVIRONMENT = "environment"
    """No credential of ours, and every proxy, endpoint and authority is of this run."""
    DOOR = "door"
    """One proxy that leads to the submission's site and nowhere else."""
    BROWSER = "browser"
    """Whatever Chromium the worker starts has the seal's switches."""
    NETWORK = "network namespace"
    """No network but a loopback on which nothing listens but the door."""
    FILES = "mount namespace"
    """Names, resolver and sockets of the machine are out of sight."""
    WRITES = "throw-away files"
    """What is written beside the slot's own folders reaches no file of the machine."""
    PROCESSES = "process namespace"
    """No process of the machine can be seen, and none of the slot outlives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """Which namespaces a slot has of its own."""

    network: bool = False
    files: bool = False
    processes: bool = False
    writes: bool = False
    """What is written outside the slot goes into a layer of its own."""
    user: bool = False
    """They are made by way of a user namespace, because we are not root."""
    reason: str | None = None
    """Why there is less than the most; None if nothing is missing."""

    @property
    def layers(self) -> tuple[SlotLayer, ...]:
        """The layers of a slot with these namespaces."""
        always = (SlotLayer.ENVIRONMENT, SlotLayer.DOOR, SlotLayer.BROWSER)
        spaces = {
            SlotLayer.NETWORK: self.network,
            SlotLayer.FILES: self.files,
            SlotLayer.WRITES: self.writes,
            SlotLayer.PROCESSES: self.processes,
        }
        return always + tuple(layer for layer, made in spaces.items() if made)

    @property
    def spaces(self) -> dict[str, bool]:
        """What a keeper is asked to make."""
        return {name: on for name, on in asdict(self).items() if name != "reason"}


NONE = Isolation(reason="not asked for")
"""A slot without namespaces."""


def find_isolation() -> Isolation:
    """Return the most that works here. Takes some 50 ms; starts and ends a process for each try."""
    if sys.platform != "linux":
        return Isolation(reason=f"{sys.platform} has no network namespaces")
    user = os.geteuid() != 0
    reason = None
    for missing in range(4):
        tried = Isolation(
            network=True,
            files=missing < 3,
            processes=missing < 2,
            writes=missing < 1,
            user=user,
            reason=reason,
        )
        refused = _refused(tried)
        if refused is None:
            return tried
        reason = reason or refused
    return Isolation(reason=reason)


def _refused(isolation: Isolation) -> str | None:
    """Why a keeper does not get these namespaces; None if it does."""
    with tempfile.TemporaryDirectory(prefix="shadow-slot-") as place:
        Path(place, LAYERS).mkdir()
        keeper, link = start_keeper(isolation.spaces, place=Path(place), mounts=())
        with link:
            link.settimeout(_PROBE_S)
            try:
                data, fds, _, _ = socket.recv_fds(link, 65536, 8)
            except TimeoutError:
                return "no answer"
        for fd in fds:
            os.close(fd)
        end_keeper(keeper)
    told = json.loads(data) if data else {"refused": f"exit code {keeper.returncode}"}
    reason: str | None = told.get("refused")
    return reason


def start_keeper(
    spaces: Mapping[str, bool],
    *,
    place: Path,
    mounts: tuple[Mapping[str, str], ...],
    hatches: int = 0,
) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a keeper and tell it what to make; returns it and the link to it.

    place: the slot's folder, which has one named `LAYERS` in it. hatches: so many listeners inside,
    beside the door's.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _KEEPER, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # Out of reach of a Ctrl-C: what it keeps ends when the replay says so, or ends itself.
            start_new_session=True,
            env={},
            cwd="/",
        )
    asked: dict[str, Any] = {
        "spaces": dict(spaces), "slot": str(place), "mounts": mounts, "hatches": hatches,
    }  # fmt: skip
    with suppress(OSError):
        ours.sendall(json.dumps(asked).encode() + b"\n")
    return keeper, ours


def end_keeper(keeper: subprocess.Popen[bytes], timeout_s: float = 10.0) -> None:
    """Wait for a keeper whose link is closed; kill it if it does not end."""
    try:
        keeper.wait(timeout_s)
    except subprocess.TimeoutExpired:
        keeper.kill()
        keeper.wait()
