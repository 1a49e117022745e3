"""A look at the journal as bytes and back, so that unpacking can make nothing else."""

from __future__ import annotations

import hashlib
import io
import pickle
import zlib
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any

import harness.assessment
from harness.assessment import Assessment
from harness.tui.looked import Span

MOST_BYTES = 200_000_000
"""Neither packed nor unpacked is a look larger than this kept."""
_MODULES = ("datetime", "harness.assessment.", "harness.model", "harness.tui.looked", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An assessment, and how far the journal reached when it was made."""

    assessment: Assessment
    span: Span


def pack(seen: Seen) -> bytes | None:
    """The bytes of a look; None where it is too large to keep."""
    plain = pickle.dumps(seen, protocol=5)
    if len(plain) > MOST_BYTES:
        return None
    # Texts repeat, so that even the quickest way makes a fifth of it.
    return zlib.compress(plain, 1)


def unpack(packed: bytes) -> Seen | None:
    """The look of these bytes; None where they hold none, whatever else they hold."""
    try:
        reader = zlib.decompressobj()
        seen = _Unpacked(io.BytesIO(reader.decompress(packed, MOST_BYTES))).load()
    except Exception:
        # Damaged in whatever way: the journal itself has it.
        return None
    return seen if isinstance(seen, Seen) else None


@cache
def layout() -> str:
    """What a look is made of: unpacking goes by the order of fields and asks no names."""
    kinds = [Seen, Span, *vars(harness.assessment).values()]
    told = sorted(
        (kind.__name__, [one.name for one in fields(kind)])
        for kind in kinds
        if isinstance(kind, type) and is_dataclass(kind)
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()


class _Unpacked(pickle.Unpickler):
    """Makes values of an assessment, and nothing that could do anything."""

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name) if module.startswith(_MODULES) else None
        # Where it is defined counts: a name may lead through a module to anything it imports.
        if isinstance(found, type) and found.__module__.startswith(_MODULES):
            return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of an assessment")
