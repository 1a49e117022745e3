"""``shadow evidence``: what a differing submission did in the sandbox, to be looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import config_option, journal_option, json_option, settings_with
from harness.cli.told import say

if TYPE_CHECKING:
    from replay.evidence.store import Kept

EXIT_NONE = 1
_ID_DIGITS = 12
_VIEWER_FAILS_WITHIN_S = 3.0


@click.command()
@click.argument("pair", metavar="PAIR")
@config_option
@journal_option
@click.option("--run", "run_name", metavar="NAME", help="Only of this run. [default: the newest]")
@click.option("--open", "open_it", is_flag=True,
              help="Open the trace; without a screen, as --page.")  # fmt: skip
@click.option("--page", is_flag=True, help="Write one HTML page of it and print its path.")
@json_option
def evidence(
    pair: str,
    config: Path | None,
    journal: Path | None,
    run_name: str | None,
    open_it: bool,
    page: bool,
    as_json: bool,
) -> int:
    """Show what a replay kept of a submission that differs. Exit 1 if it kept nothing.

    PAIR is JOB/DIRECTORY, a job or how its id begins, or the id of a difference as shadow diff
    lists it. What was kept holds what was typed, so it is personal data: it lies beside the
    journal, for its owner only, and is in no trace and no report.

    \b
    Examples:
      shadow evidence 1b58d786
      shadow evidence 1b58d786/maple.example --open
      shadow evidence 3f0a1c22d4e5 --run monday --page
    """
    from replay.evidence.capture import TRACE
    from replay.evidence.page import write_page
    from replay.evidence.store import EvidenceStore

    settings = settings_with(config, journal)
    every = EvidenceStore(settings.journal).kept()
    found = _newest(one for one in every if _is_meant(one.facts, pair, run_name))
    if not found:
        job = pair.partition("/")[0] if "/" in pair else "JOB"
        say(
            f"evidence {pair}: none is kept"
            f"{f' of run {run_name}' if run_name else ''}. A replay keeps it of what differs: "
            f"shadow replay --jobs {job} --evidence 20"
        )
        return EXIT_NONE
    if (open_it or page) and len(found) > 1:
        names = ", ".join(f"{one.facts['job_id']}/{one.facts['directory']}" for one in found[:3])
        raise click.UsageError(
            f"evidence {pair}: {len(found)} submissions are meant ({names}"
            f"{' …' if len(found) > 3 else ''}). Give JOB/DIRECTORY."
        )
    if open_it and not page:
        if view_trace(found[0]):
            return 0
        if found[0].file(TRACE) is not None and has_screen():
            say(
                "The trace viewer does not start: it needs the Chromium of playwright install "
                "chromium."
            )
    if open_it or page:
        click.echo(write_page(found[0]))
    elif as_json:
        click.echo(json.dumps([_as_json(one) for one in found], ensure_ascii=False, indent=2))
    else:
        for one in found:
            click.echo("\n".join([evidence_words(one), *(f"  {path}" for path in one.files)]))
    return 0


def _is_meant(facts: Mapping[str, str], pair: str, run: str | None) -> bool:
    if run is not None and facts["run"] != run:
        return False
    job, slash, directory = pair.partition("/")
    if slash:
        return facts["job_id"].startswith(job) and facts["directory"] == directory
    return facts["job_id"].startswith(job) or (len(pair) == _ID_DIGITS and pair in _ids(facts))


def _ids(facts: Mapping[str, str]) -> set[str]:
    """Ids under which ``shadow diff`` lists differences of this submission, live or in its run."""
    from harness.compare.cells import compared_fields
    from harness.compare.comparison import difference_id
    from harness.compare.kinds import LATENCY
    from harness.compare.rules import RuleSet
    from harness.model import LIVE

    return {
        difference_id(mode, facts["job_id"], facts["directory"], field)
        for mode in (facts["run"], LIVE)
        for field in (*compared_fields(RuleSet(version=1)), LATENCY)
    }


def _newest(kept: Iterable[Kept]) -> list[Kept]:
    """The newest of each submission."""
    return list({(one.facts["job_id"], one.facts["directory"]): one for one in kept}.values())


def view_trace(kept: Kept) -> bool:
    """Open the trace viewer; False where there is no screen, no trace, or it does not start."""
    from replay.evidence.capture import TRACE

    trace = kept.file(TRACE)
    if trace is None or not has_screen():
        return False
    viewer = subprocess.Popen(
        [sys.executable, "-m", "playwright", "show-trace", str(trace)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        if viewer.wait(_VIEWER_FAILS_WITHIN_S) == 0:
            return True
    except subprocess.TimeoutExpired:
        return True
    return False


def has_screen() -> bool:
    """Whether a window would be seen."""
    return _has_screen(os.environ, sys.platform)


def _has_screen(environ: Mapping[str, str], platform: str) -> bool:
    return platform in ("darwin", "win32") or bool(
        environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    )


def evidence_words(kept: Kept) -> str:
    """Which submission, what the worker claimed and what the site stored."""
    facts = kept.facts
    flaky = ", flaky" if facts["flaky"] else ""
    return (
        f"{facts['job_id']}/{facts['directory']} in run {facts['run']}: "
        f"claimed {facts['claimed']['status']}, {facts['observed']['accepted']} stored, "
        f"recorded {facts['condition'].replace('_', ' ')}{flaky}"
    )


def _as_json(kept: Kept) -> dict[str, object]:
    return {
        "schema_version": 1,
        "folder": str(kept.folder),
        "files": [str(path) for path in kept.files],
        **kept.facts,
    }
