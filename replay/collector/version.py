"""Which code this is. Machines of one run must have the same: else they would not agree."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from harness import __version__

PROTOCOL = 1
"""Of the messages in `wire`; raise it when an older machine would misread a newer one."""


@functools.cache
def code_version() -> str:
    """Version, protocol, and a digest of the code that carries out a submission."""
    package = Path(__file__).parents[1]
    digest = hashlib.blake2b(digest_size=4)
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package).as_posix()}\n".encode() + path.read_bytes())
    return f"{__version__}/{PROTOCOL}/{digest.hexdigest()}"
