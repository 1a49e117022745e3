"""The ``shadow`` command: parse, call, print, exit code; no logic."""

from harness.cli.main import main

__all__ = ["main"]
