"""Writes reports to files, each whole or not at all. The only module here that opens a file."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from harness.assessment import Assessment
from harness.errors import EnvironmentProblem
from harness.report.github import to_github, workflow_commands
from harness.report.html import to_html
from harness.report.json_report import to_json
from harness.report.junit import to_junit
from harness.report.markdown import to_markdown
from harness.report.redact import redact
from harness.report.since import Since
from harness.report.slack import to_slack
from harness.whole_file import write_whole

SUMMARY = "GITHUB_STEP_SUMMARY"
"""Where GitHub's runner says which file becomes the summary of a step."""


class Renderer(Protocol):
    """Makes a text of an assessment and of what changed since a former one."""

    def __call__(self, assessment: Assessment, since: Since | None = None) -> str: ...


def _junit(assessment: Assessment, since: Since | None = None) -> str:
    """Tests have no memory: what changed is told by every other format."""
    del since
    return to_junit(assessment)


FORMATS: dict[str, Renderer] = {
    "html": to_html,
    "json": to_json,
    "md": to_markdown,
    "junit": _junit,
    "slack": to_slack,
}
"""Name of a format that is text in a file, and what renders it."""
PDF = "pdf"
"""Printed of the HTML, which takes a Chromium."""
_SUFFIXES = {"junit": "junit.xml", "slack": "slack.json"}
"""Where the name of a format is not the suffix of its file."""


def write_report(
    assessment: Assessment,
    directory: Path,
    formats: Sequence[str] = ("html", "json"),
    since: Since | None = None,
) -> dict[str, Path]:
    """Write ``report.SUFFIX`` into `directory`, which is made if need be; return their paths.

    Everything is rendered before anything is written; a file that cannot be written whole keeps
    its former content. Raises ValueError for an unknown format, BrowserError where a PDF is wanted
    and there is no Chromium, EnvironmentProblem where the disk is full or the folder cannot be
    written to.
    """
    unknown = [name for name in formats if name not in FORMATS and name != PDF]
    if unknown:
        known = ", ".join((*FORMATS, PDF))
        raise ValueError(f"{unknown[0]} is not a report format; known: {known}")
    shown = redact(assessment)
    contents = {name: render(shown, name, since) for name in formats}
    paths: dict[str, Path] = {}
    for name, content in contents.items():
        path = directory / f"report.{_SUFFIXES.get(name, name)}"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            write_whole(path, content, mode=_of_a_team())
        except OSError as error:
            raise EnvironmentProblem(_words(path, error)) from error
        paths[name] = path
    return paths


def render(assessment: Assessment, name: str, since: Since | None = None) -> bytes:
    """One of FORMATS, or the PDF, as the bytes of its file; BrowserError where none can print."""
    if name != PDF:
        return FORMATS[name](assessment, since).encode("utf-8", "replace")
    from harness.report.pdf import to_pdf

    return to_pdf(to_html(assessment, since), created=assessment.provenance.as_of)


def publish_github(
    assessment: Assessment, environ: Mapping[str, str], since: Since | None = None
) -> list[str]:
    """Append the summary to the file that the runner names; return the lines for stdout.

    Outside of a runner the summary is the first of these lines. Raises EnvironmentProblem where
    the file cannot be written.
    """
    shown = redact(assessment)
    summary, commands = to_github(shown, since), workflow_commands(shown)
    named = environ.get(SUMMARY)
    if not named:
        return [summary, *commands]
    try:
        # Other commands of the same step write to it too.
        with Path(named).open("a", encoding="utf-8", newline="\n") as file:
            file.write(f"{summary}\n")
    except OSError as error:
        raise EnvironmentProblem(
            f"{SUMMARY} = {named}: cannot be written ({error.strerror or error}); unset it to "
            "print the summary instead"
        ) from error
    return commands


def _of_a_team() -> int:
    """The permissions that a new file has by itself: a report is for more than its writer."""
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def _words(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        mend = "free some space or name a folder on another disk"
    elif isinstance(error, NotADirectoryError | FileExistsError):
        mend = "a part of this path is a file; name a folder"
    else:
        mend = "name a folder that this user may write to"
    return f"report: {path} cannot be written ({error.strerror or error}); {mend}"
