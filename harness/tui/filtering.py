"""Which differences a typed filter keeps. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from harness.assessment import Cluster, Difference

NAMED = ("kind", "field", "mode", "directory", "job", "cluster")
"""Parts that a filter may name: ``kind:timeout``."""


def filter_differences(differences: Sequence[Difference], text: str) -> tuple[Difference, ...]:
    """Those that match every word of `text`, in the given order; an empty text keeps all.

    A word may stand anywhere in what the table shows; ``kind:timeout`` asks one part for exactly
    that, and ``-word`` leaves out what it matches. Case does not matter.
    """
    words = text.casefold().split()
    return tuple(one for one in differences if all(_matches(one, word) for word in words))


def cluster_filter(cluster: Cluster) -> str:
    """The filter that keeps exactly the differences of `cluster`."""
    return f"cluster:{cluster.id}"


def _matches(difference: Difference, word: str) -> bool:
    if word.startswith("-") and len(word) > 1:
        return not _matches(difference, word[1:])
    name, colon, wanted = word.partition(":")
    if colon and name in NAMED:
        return wanted in ("", _part(difference, name))
    return word in _text(difference)


def _part(difference: Difference, name: str) -> str:
    part = difference.job_id if name == "job" else str(getattr(difference, name))
    return part.casefold().replace(" ", "_")


def _text(difference: Difference) -> str:
    parts = (
        difference.kind, difference.kind.replace("_", " "), difference.directory,
        difference.field, difference.job_id, difference.mode, difference.control_raw,
        difference.candidate_raw, difference.control_value, difference.candidate_value,
        difference.explanation,
    )  # fmt: skip
    return "\n".join(part for part in parts if part).casefold()
