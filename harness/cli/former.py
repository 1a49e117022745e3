"""A former report, read from a file, and what has changed since it was made."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import SettingsError

if TYPE_CHECKING:
    from harness.assessment import Assessment
    from harness.report.since import Since

_MEND = "Give a file that shadow report --format json wrote."


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """A former report and where it came from."""

    path: Path
    report: dict[str, Any]


def read_former(path: Path) -> Former:
    """Read a report's JSON; SettingsError, on one line, if the file holds none."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"--since {path}: there is no such file. {_MEND}") from None
    except OSError as error:
        raise SettingsError(
            f"--since {path}: cannot be read ({error.strerror or error}). {_MEND}"
        ) from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise SettingsError(f"--since {path}: is no JSON ({error}). {_MEND}") from None
    if not isinstance(report, dict):
        raise SettingsError(f"--since {path}: is no report. {_MEND}")
    # They may be most of a hundred megabytes, and are compared by cluster.
    report["differences"] = []
    return Former(path=path, report=report)


def _without_rows(assessment: Assessment) -> Assessment:
    agreement = replace(assessment.agreement, series=())
    return replace(assessment, differences=(), agreement=agreement)


def changed_since(former: Former, assessment: Assessment, journal: Path) -> Since:
    """What changed; SettingsError, on one line, where the two reports cannot be compared.

    The journal must still hold what the former report was made of.
    """
    from harness.journal.store import Journal
    from harness.report.changes import compare_reports
    from harness.report.json_report import to_dict
    from harness.report.since import ReportError

    try:
        since = compare_reports(former.report, to_dict(_without_rows(assessment)))
    except ReportError as error:
        raise SettingsError(f"--since {former.path}: {error}") from error
    with Journal.open(journal).reader(since.before.seq) as reader:
        found = reader.journal_hash()
    if found != former.report["provenance"].get("journal_hash"):
        raise SettingsError(
            f"--since {former.path}: the journal at seq {since.before.seq:,} is not what this "
            "report was made of: it has another hash. Run shadow journal verify."
        )
    return since
