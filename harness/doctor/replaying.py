"""Examines what a replay needs: a Chromium that starts, and a sandbox that seals it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.doctor.check import Findings, Subject
from harness.doctor.plan import Plan
from harness.errors import BrowserError
from replay.browser import QUIET_ARGS, find_browser
from replay.sandbox.layers import SealLayer
from replay.seal.isolation import find_isolation

_START_S = 30.0
_INSTALL = "sudo apt-get install -y chromium-headless-shell"


def examine_replaying(plan: Plan) -> Findings:
    """Look for a browser and start it once on an empty page. Recording needs none of it."""
    found = Findings(Subject.REPLAY)
    try:
        path = find_browser(plan.settings.replay.browser)
    except BrowserError as error:
        found.look(
            "browser",
            f"{str(error).partition('. ')[0].rstrip('.')}; only a replay needs one",
            "Install one.",
            shell=[_INSTALL],
        )
    else:
        _judge_browser(path, found)
    layers = ", ".join(SealLayer)
    found.ok("seal", f"{len(SealLayer)} layers around each page: {layers}")
    _judge_namespace(found)
    return found


def _judge_browser(path: Path, found: Findings) -> None:
    with tempfile.TemporaryDirectory(prefix="shadow-doctor-") as profile:
        arguments = [str(path), *QUIET_ARGS, "--headless", f"--user-data-dir={profile}"]
        # The browser's own process sandbox cannot work for root; a replay leaves it out there too.
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")
        version = _run([str(path), "--version"])
        page = _run([*arguments, "--dump-dom", "about:blank"])
    if page is not None and "<html>" in page:
        found.ok("browser", f"{(version or 'Chromium').strip()} at {path} starts")
    else:
        found.look(
            "browser",
            f"{path} does not start; only a replay needs it",
            "Install one with all that it needs; SHADOW_BROWSER may name it.",
            shell=[_INSTALL, "export SHADOW_BROWSER=/usr/bin/chromium-headless-shell"],
        )


def _judge_namespace(found: Findings) -> None:
    """A worker's process of its own is held best by namespaces; not every machine allows them."""
    name = "slot"
    allowed = find_isolation()
    layers = ", ".join(allowed.layers)
    if allowed.reason is None:
        found.ok(name, f"{len(allowed.layers)} layers around a worker's process: {layers}")
    elif sys.platform != "linux":
        found.not_asked(name, f"{allowed.reason}; around a worker's process stand: {layers}")
    else:
        found.look(
            name,
            f"not all namespaces may be made ({allowed.reason}); only a worker that is a process "
            f"of its own needs them. Around it stand: {layers}",
            "Allow them, where the administrator agrees.",
            shell=["sudo sysctl -w user.max_user_namespaces=15000"],
        )


def _run(arguments: list[str]) -> str | None:
    """What a program printed; None if it failed, hung or is none."""
    try:
        ended = subprocess.run(
            arguments, capture_output=True, stdin=subprocess.DEVNULL, timeout=_START_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout.decode(errors="replace") if ended.returncode == 0 else None
