"""Writes reports to files, each whole or not at all. The only module here that opens a file."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.assessment import Assessment
from harness.errors import EnvironmentProblem
from harness.report.html import to_html
from harness.report.json_report import to_json
from harness.report.markdown import to_markdown

FORMATS: dict[str, Callable[[Assessment], str]] = {
    "html": to_html,
    "json": to_json,
    "md": to_markdown,
}
"""Name of a format, which is also the suffix of its file, and what renders it."""


def write_report(
    assessment: Assessment, directory: Path, formats: Sequence[str] = ("html", "json")
) -> dict[str, Path]:
    """Write ``report.FORMAT`` into `directory`, which is made if need be; return their paths.

    Everything is rendered before anything is written; a file that cannot be written whole keeps
    its former content. Raises ValueError for an unknown format and EnvironmentProblem where the
    disk is full or the folder cannot be written to.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise ValueError(f"{unknown[0]} is not a report format; known: {', '.join(FORMATS)}")
    texts = {name: FORMATS[name](assessment) for name in formats}
    paths: dict[str, Path] = {}
    for name, text in texts.items():
        path = directory / f"report.{name}"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            _write_whole(path, text)
        except OSError as error:
            raise EnvironmentProblem(_words(path, error)) from error
        paths[name] = path
    return paths


def _write_whole(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            # Without it a power cut may leave the new name on an empty file.
            os.fsync(file.fileno())
        # mkstemp makes files that only their owner can read; a report is for a team.
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _words(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        mend = "free some space or name a folder on another disk"
    elif isinstance(error, NotADirectoryError | FileExistsError):
        mend = "a part of this path is a file; name a folder"
    else:
        mend = "name a folder that this user may write to"
    return f"report: {path} cannot be written ({error.strerror or error}); {mend}"
