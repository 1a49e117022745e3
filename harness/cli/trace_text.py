"""Says what a trace holds, for people and for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from harness.journal.trace import Manifest


def print_written(out: Path, manifest: Manifest, *, as_json: bool) -> None:
    """Say what was written to `out`; on stdout JSON or one line, on stderr what to look at."""
    if as_json:
        click.echo(manifest.model_dump_json())
        return
    state = "RAW, with personal values" if manifest.redaction is None else "redacted"
    size = out.stat().st_size / 1e6
    click.echo(
        f"{out}: {manifest.events:,} events of {manifest.jobs:,} jobs, {state}, {size:.1f} MB"
    )
    if manifest.redaction and manifest.redaction.unknown_fields:
        click.echo(
            "dropped, because no rule names them: " + _counts(manifest.redaction.unknown_fields),
            err=True,
        )


def described(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Lines of a name, which may be empty, and a text."""
    from harness.journal.trace import utc

    redaction, span = manifest.redaction, manifest.span
    yield "trace", f"version {manifest.schema_version}, by shadow-harness {manifest.tool_version}"
    yield "journal", f"{manifest.journal} as of seq {manifest.as_of_seq}"
    yield "selection", json.dumps(manifest.selection) if manifest.selection else "everything"
    yield "events", f"{manifest.events:,} of {manifest.jobs:,} jobs"
    for name, first, last in (
        ("occurred", span.first_occurred_at, span.last_occurred_at),
        ("recorded", span.first_recorded_at, span.last_recorded_at),
    ):
        if first and last:
            yield name, f"{utc(first)} to {utc(last)}"
    newest = {mark.source: mark.complete_until for mark in manifest.watermarks}
    for source, until in newest.items():
        yield "complete", f"{source} until {utc(until)}"
    for kind, count in manifest.by_kind.items():
        yield "", f"{count:>10,} {kind}"
    if redaction is None:
        yield "redaction", "NONE: it holds personal values as they were recorded"
    else:
        yield "redaction", f"policy {redaction.policy}; values: {_counts(redaction.values)}"
        for action, paths in redaction.own_rules.items():
            yield "", f"{action} by shadow.toml: {', '.join(paths)}"
        if redaction.unknown_fields:
            yield "", f"dropped, unknown: {_counts(redaction.unknown_fields)}"
    yield "content", f"sha256 {manifest.content_hash}"


def _counts(counted: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counted.items())
