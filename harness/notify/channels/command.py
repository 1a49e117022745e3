"""Runs a command with the record as JSON on its standard input. No shell is involved."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

from harness.notify.channels.channel import DeliveryError
from harness.notify.message import Message, to_record
from harness.notify.standing import printable

_TAIL = 4096


class CommandChannel:
    """A command; exit code 0 means that it has delivered."""

    name = "command"

    def __init__(
        self, argv: Sequence[str], *, timeout_s: float, secrets: Sequence[str] = ()
    ) -> None:
        """secrets: texts that are cut out of what the command says of itself."""
        self._argv = list(argv)
        self._timeout_s = timeout_s
        self._secrets = [secret for secret in secrets if secret]

    def send(self, message: Message) -> None:
        """Run the command once; it and all it started are killed when its time is over."""
        try:
            self._run(message)
        except OSError as error:
            raise DeliveryError(
                f"{self._argv[0]} cannot be run ({error.strerror})", again=False
            ) from None

    def _run(self, message: Message) -> None:
        # Files, not pipes: a command may read nothing, or say more than a pipe holds.
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
            given.write(json.dumps(to_record(message), ensure_ascii=False).encode() + b"\n")
            given.seek(0)
            process = subprocess.Popen(
                self._argv,
                stdin=given,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
            try:
                code = process.wait(self._timeout_s)
            except subprocess.TimeoutExpired:
                raise DeliveryError(
                    f"{self._argv[0]} was still running after {self._timeout_s:g} s", again=True
                ) from None
            finally:
                if process.poll() is None:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            if code != 0:
                how = f"ended with exit code {code}" if code > 0 else f"was killed by {-code}"
                raise DeliveryError(f"{self._argv[0]} {how}{self._last_words(said)}", again=True)

    def _last_words(self, said: IO[bytes]) -> str:
        size = said.seek(0, os.SEEK_END)
        said.seek(max(0, size - _TAIL))
        text = said.read().decode("utf-8", errors="replace")
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        lines = [line for line in map(printable, text.splitlines()) if line]
        return f": {lines[-1]}" if lines else ""
