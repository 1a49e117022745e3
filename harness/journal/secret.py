"""Keeps the secret that redacted traces of one journal are made with.

It lies beside the journal and not inside it, because journals are copied around: whoever has the
secret can tell by trying whether a fake stands for a value that he knows. Losing it loses nothing
but that later traces join with earlier ones.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from harness.errors import EnvironmentProblem

_BYTES = 32


def secret_path(journal: Path) -> Path:
    """Where the secret of a journal lies."""
    return journal.with_name(journal.name + ".secret")


def journal_secret(path: Path) -> bytes:
    """Read the secret at `path`; the first call makes one that only its owner can read.

    Raises EnvironmentProblem if it cannot be made, is damaged or is readable by others.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return read_secret(path)
    except OSError as error:
        raise EnvironmentProblem(
            f"{path}: the secret of redacted traces cannot be made ({error.strerror}). "
            "Give a --secret-file in a folder you may write to."
        ) from error
    secret = secrets.token_bytes(_BYTES)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret.hex() + "\n")
    return secret


def fresh_secret() -> bytes:
    """A secret that nobody keeps."""
    return secrets.token_bytes(_BYTES)


def read_secret(path: Path) -> bytes:
    """Read a secret that was made before."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii").strip()
        secret = bytes.fromhex(text)
    except OSError as error:
        raise EnvironmentProblem(
            f"{path}: the secret cannot be read ({error.strerror}). Give another --secret-file."
        ) from error
    except ValueError:
        secret = b""
    if len(secret) < _BYTES:
        raise EnvironmentProblem(
            f"{path}: this is no secret of {_BYTES} bytes in hexadecimal digits. "
            "Remove it; a new one is made, and later traces will not join with earlier ones."
        )
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise EnvironmentProblem(f"{path}: others can read this secret. Run: chmod 600 {path}")
    return secret
