"""The rows of the assessment shown last, kept between two looks at it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from harness.assessment import Assessment

if TYPE_CHECKING:
    from harness.tui.rows import Rows


class LatestRows:
    """The `Rows` of the assessment that was asked for last; worker threads may share it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._rows: Rows | None = None

    def of(self, assessment: Assessment) -> Rows:
        """The very same object while differences and clusters are the same objects."""
        # It brings the library of columns along, which a dashboard needs only for this screen.
        from harness.tui.rows import Rows

        with self._guard:
            kept = self._rows
            if (
                kept is None
                or kept.differences is not assessment.differences
                or kept.clusters is not assessment.clusters
            ):
                kept = self._rows = Rows(assessment.differences, assessment.clusters)
            return kept
