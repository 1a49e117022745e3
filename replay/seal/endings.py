"""How a program in a slot ended, in words, and the claim that stands for one that gave none."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import subprocess
import time
from pathlib import Path

from harness.errors import BrowserError
from harness.model import Claim, Outcome
from replay.seal.process import SlotProcess
from replay.seal.slot import Slot

EXIT_S = 5.0
"""How long a program that is done may take to exit."""
_TAIL = 4096


async def end_of(process: SlotProcess, slot: Slot, *, owed: str) -> str:
    """How the process ended, with its last words; owed: what it should have given before."""
    try:
        async with asyncio.timeout(EXIT_S):
            code = await process.wait()
    except TimeoutError:
        return f"it closed its output and gave {owed}"
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    words = last_words(slot)
    return f"exit code {code}{f': {words}' if words else f' and {owed}'}"


def last_words(slot: Slot) -> str:
    """The last line with a word in the slot's log."""
    try:
        text = slot.log.read_bytes()[-_TAIL:].decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.strip() for line in text.splitlines() if any(map(str.isalnum, line))]
    return lines[-1][:300] if lines else ""


def failed(text: str, began: float) -> Claim:
    """A claim of failure. began: by ``time.perf_counter``."""
    duration_ms = round(1000 * (time.perf_counter() - began), 1)
    return Claim(status=Outcome.FAILED, duration_ms=duration_ms, error_text=text)


def version_of(browser: Path) -> str:
    """The version that a Chromium tells; BrowserError if it does not run."""
    try:
        told = subprocess.run(
            [browser, "--version"], capture_output=True, text=True, timeout=30, check=True,
            stdin=subprocess.DEVNULL,
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise BrowserError(f"{browser} does not start: {error}.") from error
    found = re.search(r"\d+(\.\d+)+", told)
    return found[0] if found else told.strip()[:60]
