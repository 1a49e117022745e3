"""What the dashboard keeps between two runs: view, filters, theme, author. One file a journal.

A file that is damaged, of a newer version or not writable costs one word on the screen, never the
dashboard.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from harness.whole_file import write_whole

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"

VERSION = 1
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a run leaves for the next one."""

    screen: str | None = None
    """Mode of the screen in front."""
    theme: str | None = None
    author: str | None = None
    """Who was named last in a form."""
    hint_seen: bool = False
    screens: Mapping[str, Mapping[str, JsonValue]] = field(default_factory=dict)
    """By mode, what `ShadowScreen.save_state` gave."""


def state_home(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """The folder for state of this user: XDG_STATE_HOME, or what the platform has instead."""
    home = Path(environ.get("HOME") or Path.home())
    if named := environ.get("XDG_STATE_HOME"):
        return Path(named)
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if platform == "darwin":
        return home / "Library" / "Application Support"
    return home / ".local" / "state"


def state_path(journal: Path, environ: Mapping[str, str], name: str) -> Path:
    """Where something is kept of a journal, for this user. name: with {} for which journal."""
    digest = hashlib.sha256(str(journal.resolve()).encode("utf-8", "surrogateescape"))
    return state_home(environ) / "shadow-harness" / name.format(digest.hexdigest()[:16])


class StateFile:
    """The state of one journal's dashboard. Reading and writing never raise."""

    def __init__(self, journal: Path, environ: Mapping[str, str]) -> None:
        self.path = state_path(journal, environ, "watch-{}.json")
        self.trouble: str | None = None
        """Why the file was not read or not written, in words."""
        self._written: Remembered | None = None
        self._newer = False

    def read(self) -> Remembered:
        """What the last run left; nothing if there is no such file or it cannot be used."""
        try:
            if self.path.stat().st_size > _MOST_BYTES:
                raise ValueError("too large")
            found = json.loads(self.path.read_text(encoding="utf-8"))
            if not isinstance(found, dict):
                raise ValueError("no object")
        except FileNotFoundError:
            return Remembered()
        except OSError as error:
            self.trouble = f"{self.path}: cannot be read ({error.strerror or error}); ignored."
            return Remembered()
        except (ValueError, RecursionError):
            self.trouble = f"{self.path}: damaged; ignored."
            return Remembered()
        version = found.get("version")
        if isinstance(version, int) and version > VERSION:
            self._newer = True
            self.trouble = f"{self.path}: of a newer version; ignored and left as it is."
            return Remembered()
        self._written = _remembered(found)
        return self._written

    def write(self, wanted: Remembered) -> None:
        """Write it whole, if it has changed; a newer version's file is left as it is."""
        if wanted == self._written or self._newer:
            return
        text = json.dumps({"version": VERSION, **asdict(wanted)}, ensure_ascii=False, indent=1)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(self.path, text.encode())
        except OSError as error:
            self.trouble = f"{self.path}: cannot be written ({error.strerror or error})."
            return
        self._written = wanted


def _remembered(found: Mapping[str, Any]) -> Remembered:
    """Every part that is of the right kind."""

    def text(name: str) -> str | None:
        value = found.get(name)
        return value if isinstance(value, str) and value else None

    screens = found.get("screens")
    return Remembered(
        screen=text("screen"),
        theme=text("theme"),
        author=text("author"),
        hint_seen=found.get("hint_seen") is True,
        screens={k: v for k, v in screens.items() if isinstance(v, dict)}
        if isinstance(screens, dict)
        else {},
    )
