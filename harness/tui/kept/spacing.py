"""Which moments of a record are worth keeping, so that each has one near before it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

PARTS = 128
"""Into so many parts, at least, the kept moments divide the record."""
WORTH_S = 0.5
"""A moment that is assessed in less time is better read again than kept."""


def widest_gap(seqs: Collection[int], last_seq: int) -> int | None:
    """The middle of the widest gap between kept moments; None where each is narrow enough.

    seqs: those kept, in any order. last_seq: where the record ends. A gap also lies before the
    first and behind the last of them.
    """
    edges = sorted({0, last_seq, *(seq for seq in seqs if 0 < seq < last_seq)})
    width, start = max(
        ((end - start, start) for start, end in pairwise(edges)),
        default=(0, 0),
    )
    return start + width // 2 if width > max(1, last_seq // PARTS) else None


def least_missed(seqs: Sequence[int], spared: Collection[int]) -> int | None:
    """The kept moment without which the gaps stay narrowest; None where all are spared.

    seqs: ascending; the last of them is always spared.
    """
    gaps = [
        (after - before, seq)
        for before, seq, after in zip((0, *seqs), seqs, seqs[1:], strict=False)
        if seq not in spared
    ]
    return min(gaps)[1] if gaps else None
