"""The recorder's word for a supervisor: a small file beside the journal, and whether it is well.

The file is readable while the journal is locked, and is replaced as a whole, never half written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.record.progress import RecorderProgress

SILENT_AFTER_S = 15.0
"""The file is written every second or so; one this old was left behind by a recorder that died."""
LEAST_LAG_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether a recorder does its work."""

    well: bool
    words: str
    """One line."""
    status: Mapping[str, Any]
    """What the file says; empty without one."""


class StatusFile:
    """Writes the file of one recorder, at most once a second unless something changed for ill."""

    def __init__(self, journal: Path, *, session: str, sweep_every_s: float) -> None:
        self._path = status_path(journal)
        self._fixed = {"pid": os.getpid(), "session": session, "sweep_every_s": sweep_every_s}
        self._written_at: datetime | None = None
        self._troubles: tuple[object, ...] = ()

    def write(self, progress: RecorderProgress, now: datetime, *, state: str) -> None:
        """Say where recording stands. state: recording or stopped."""
        troubles = (progress.failing, progress.rewound, state)
        recent = self._written_at is not None and (now - self._written_at).total_seconds() < 1.0
        if recent and troubles == self._troubles:
            return
        self._written_at, self._troubles = now, troubles
        said = self._fixed | {
            "state": state,
            "updated_at": now.isoformat(),
            "complete_until": _text(progress.complete_until),
            "tier": progress.tier,
            "rows": progress.rows,
            "last_seq": progress.last_seq,
            "failing": list(progress.failing),
            "rewound": progress.rewound,
            "provisional": progress.provisional,
            "warning": progress.warning,
            "lock_retries": progress.lock_retries,
        }
        building = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            building.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
            building.replace(self._path)
        except OSError:
            # A full disk stops the journal, which says so; the old file goes stale and says it too.
            building.unlink(missing_ok=True)


def status_path(journal: Path) -> Path:
    """Where the recorder of `journal` writes its status."""
    return journal.with_name(journal.name + ".status.json")


def read_health(journal: Path, now: datetime) -> Health:
    """Judge the recorder of `journal` by its status file."""
    path = status_path(journal)
    try:
        status: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Health(
            well=False,
            words=f"{journal}: no recorder has run here. Start one: shadow record",
            status={},
        )
    except (OSError, ValueError) as error:
        return Health(well=False, words=f"{path}: cannot be read ({error}).", status={})
    trouble = _trouble(status, now)
    complete = status.get("complete_until")
    words = f"recording, complete until {complete or 'the first copy ends'}"
    return Health(well=trouble is None, words=f"{journal}: {trouble or words}", status=status)


def _trouble(status: Mapping[str, Any], now: datetime) -> str | None:
    updated = datetime.fromisoformat(status["updated_at"])
    if status["state"] == "stopped":
        return f"the recorder stopped in good order at {status['updated_at']}"
    silent_s = (now - updated).total_seconds()
    if silent_s > SILENT_AFTER_S:
        return f"the recorder (process {status['pid']}) has been silent for {silent_s:.0f} s"
    if status["rewound"]:
        return str(status["rewound"])
    if status["failing"]:
        return "; ".join(status["failing"])
    if status["complete_until"]:
        complete = datetime.fromisoformat(status["complete_until"])
        lag_s = (now - complete).total_seconds()
        if lag_s > max(LEAST_LAG_S, 3 * status["sweep_every_s"]):
            return f"the record is {lag_s:.0f} s behind production"
    return None


def _text(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
