"""Makes the folder of one rehearsal and the settings file that reads its journal rightly."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from harness.errors import EnvironmentProblem
from harness.settings import Settings, load_settings

CONFIG = "shadow.toml"


def make_folder(parent: Path) -> Path:
    """Make a new folder for one rehearsal below `parent`, named by the time."""
    name = datetime.now(UTC).strftime("rehearsal-%Y%m%d-%H%M%S")
    folder = parent / name
    try:
        for number in range(1, 100):
            if not folder.exists():
                break
            folder = parent / f"{name}-{number}"
        folder.mkdir(parents=True)
    except OSError as error:
        raise EnvironmentProblem(
            f"{folder}: {error.strerror}. Give --keep a folder that you may write to."
        ) from error
    return folder


def prepare_settings(folder: Path, *, speed: float) -> Settings:
    """Write the settings file of the rehearsal and read it back, as any other command would."""
    config = folder / CONFIG
    config.write_text(
        "# Reads the journal of this rehearsal rightly: its time ran faster than production's.\n"
        f'journal = "{folder.resolve() / "shadow.duckdb"}"\n\n'
        f"[compare]\ntime_scale = {speed!r}\n\n"
        '[gates]\npreset = "full-traffic" # every job goes through both systems\n',
        encoding="utf-8",
    )
    # The environment speaks of production; a rehearsal does not listen.
    return load_settings(config, {})
