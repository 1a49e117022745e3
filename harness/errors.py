"""Errors a user can mend: one root, one class per remedy. Imports nothing of ours.

The message names the thing, the value and the mend in one line. ``exit_code`` is what the
command line returns; anything that is not a ``ShadowError`` is a bug of ours and keeps its
traceback.
"""

from __future__ import annotations


class ShadowError(Exception):
    """Something the user can mend."""

    exit_code = 2


class SettingsError(ShadowError):
    """A setting is unknown, malformed or contradicts another."""


class SourceError(ShadowError):
    """The production database or queue cannot be read."""


class RewoundError(SourceError):
    """The source went back in time; a person must say that this is meant."""


class JournalError(ShadowError):
    """The journal file is missing, unreadable, of another version or damaged."""


class JournalBusyError(JournalError):
    """Another process kept the journal locked for longer than the stated bound."""


class DroppedError(ShadowError):
    """What was being read is not wanted any more."""


class BrowserError(ShadowError):
    """No usable Chromium was found or it would not start."""


class ReplayError(ShadowError):
    """A replay cannot start or go on."""


class EnvironmentProblem(ShadowError):  # noqa: N818  EnvironmentError is Python's own OSError
    """Something the machine must offer is missing (a port, disk space, a program)."""
