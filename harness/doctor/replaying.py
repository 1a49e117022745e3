"""Examines what a replay needs: a Chromium that starts, and a sandbox that seals it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from harness.doctor.check import Findings, Subject
from harness.doctor.plan import Plan
from harness.errors import BrowserError
from replay.browser import QUIET_ARGS, find_browser
from replay.sandbox.layers import SealLayer
from replay.seal.isolation import SlotLayer, find_isolation
from replay.seal.unsealed import not_sealed_without, ways_in_words

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
    _judge_slot(found)
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


def _judge_slot(found: Findings) -> None:
    """What a worker that is a program of its own is held by; not every machine allows all of it."""
    name = "worker slot"
    isolation = find_isolation()
    missing = [layer for layer in SlotLayer if layer not in isolation.layers]
    if not missing:
        found.ok(name, f"{len(SlotLayer)} layers around a worker's process: {', '.join(SlotLayer)}")
        return
    found.look(
        name,
        f"not sealed here: {ways_in_words(not_sealed_without(missing))}, because this user may "
        f"make no {', no '.join(missing)} ({isolation.reason}); the built-in worker needs none",
        "Allow it, where the administrator agrees; the second line is for Ubuntu.",
        shell=[
            "sudo sysctl -w user.max_user_namespaces=15000",
            "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ],
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
