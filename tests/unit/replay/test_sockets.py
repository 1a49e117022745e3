"""Which Unix sockets of a machine are covered in a slot."""

from __future__ import annotations

import socket
from pathlib import Path

from replay.seal.sockets import listening_sockets

HEAD = "Num       RefCount Protocol Flags    Type St Inode Path\n"


def row(path: str, *, listening: bool = True) -> str:
    flags = "00010000" if listening else "00000000"
    return f"0000000000000000: 00000002 00000000 {flags} 0001 01 4711 {path}\n"


def make(path: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
    return path


def test_only_sockets_that_are_there_and_are_listened_at(tmp_path: Path) -> None:
    database, silent = make(tmp_path / "my db.sock"), make(tmp_path / "silent.sock")
    file = tmp_path / "file"
    file.touch()
    table = tmp_path / "table"
    rows = [
        row(str(database)),
        row(str(database)),
        row(str(silent), listening=False),
        row(str(file)),
        row(str(tmp_path / "gone.sock")),
        row("@abstract"),
        "0000000000000000: 00000002 00000000 00010000 0001 01 4712\n",
    ]
    table.write_text(HEAD + "".join(rows))
    assert listening_sockets(table) == [database]


def test_a_system_without_the_table_has_none(tmp_path: Path) -> None:
    assert listening_sockets(tmp_path / "none") == []


def test_of_what_is_hidden_anyway_only_services_are_covered(tmp_path: Path) -> None:
    """A library that looks for a desktop's bus is no attempt of the worker's."""
    table = tmp_path / "table"
    table.write_text(HEAD + row("/run/dbus/system_bus_socket"))
    assert listening_sockets(table) == []
