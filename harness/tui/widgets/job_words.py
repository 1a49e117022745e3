"""Words and signs of jobs and their submissions. Pure text."""

from __future__ import annotations

from harness.model import Verdict
from harness.tui.wording import NOTHING

STATUS_WORDS = {
    "all_ok": "✓ all",
    "partial": "◐ some",
    "none_ok": "✕ none",
    "open": "… open",
}
"""How many directories a side reached, by one rule for both."""
VERDICT_WORDS = {
    Verdict.AGREE: "✓ agree",
    Verdict.MISMATCH: "≠ mismatch",
    Verdict.MISSING_CANDIDATE: "✕ new missing",
    Verdict.MISSING_CONTROL: "✕ old missing",
    Verdict.IN_FLIGHT: "… in flight",
    Verdict.EXCLUDED: "– excluded",
}


def status_words(status: str | None) -> str:
    """``✓ all``; a dash where the job has no pair."""
    return NOTHING if status is None else STATUS_WORDS[status]
