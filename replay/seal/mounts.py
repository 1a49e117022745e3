"""What is put over the machine's own files in a slot that has a view of its own."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from replay.browser import PROGRAMS

_HIDDEN = ("/run",)
"""Where a machine keeps the sockets of its services, such as a container engine's."""
_CHROMES = ("/opt/google/chrome/chrome",)
"""Where Playwright looks for a browser that it did not download, whatever PATH says."""


def slot_mounts(
    root: Path, browser: Path, wrapper: Path, *, path: str | None
) -> list[dict[str, str]]:
    """Write what is mounted into the slot's folder, and return what its keeper must mount.

    root: the slot's folder. browser: the sealed Chromium. wrapper: of it, not written yet. path:
    where our programs are looked for, as PATH has it.
    """
    machine = root / "machine"
    hosts = f"127.0.0.1 localhost {socket.gethostname()}\n::1 localhost\n"
    (machine / "hosts").write_text(hosts, encoding="utf-8")
    (machine / "resolv.conf").write_text(
        "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", encoding="utf-8"
    )
    mounts = [
        {"kind": "empty", "target": folder}
        for folder in _HIDDEN
        if Path(folder).is_dir() and not Path(folder, "current-system").exists()
    ]
    for name in ("hosts", "resolv.conf"):
        place = Path("/etc", name).resolve()
        if place.is_file() and not any(place.is_relative_to(folder) for folder in _HIDDEN):
            mounts.append(_over(machine / name, place))
    # A worker that names a browser by its path gets the wrapper too; the browser itself is
    # reached by another way then.
    (root / "real").mkdir()
    mounts.append(_over(browser.parent, root / "real"))
    found = (shutil.which(name, path=path) for name in PROGRAMS)
    places = {Path(one).resolve() for one in (*found, *_CHROMES, browser) if one}
    wrapper.touch()
    mounts += [_over(wrapper, place) for place in sorted(places) if place.is_file()]
    return mounts


def _over(source: Path, target: Path) -> dict[str, str]:
    return {"kind": "bind", "source": str(source), "target": str(target)}
