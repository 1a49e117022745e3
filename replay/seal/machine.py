"""What a slot sees of the machine where it has a view of its own: which mounts make it so.

Prepares files in the slot's folder and returns mounts for its keeper; mounts nothing itself.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from replay.browser import PROGRAMS

Mount = dict[str, str]

_HIDDEN = ("/run",)
"""Where a machine keeps the sockets of its services, such as a container engine's."""
_CHANNELS = (
    "/opt/google/chrome/chrome",
    "/opt/google/chrome-beta/chrome",
    "/opt/microsoft/msedge/msedge",
)
"""Where Playwright looks for a browser that it did not download, whatever PATH says."""


def plan_mounts(root: Path, *, browser: Path, wrapper: Path, path: str | None) -> list[Mount]:
    """Mounts, in order, of a slot whose folder is `root`.

    browser: comes to be at ``root/real/<its name>``; its own place and every other place of a
    Chromium, by PATH or channel, is the wrapper's. path: our PATH.
    """
    for name in ("machine", "real"):
        (root / name).mkdir()
    wrapper.touch()
    found = (shutil.which(name, path=path) for name in PROGRAMS)
    places = {Path(one).resolve() for one in (*found, *_CHANNELS, browser) if one}
    return [
        *_hidden(root),
        *_names(root / "machine"),
        _over(browser.parent, root / "real"),
        *(_over(wrapper, place) for place in sorted(places) if place.is_file()),
        *_channels(root / "added", wrapper),
    ]


def _hidden(root: Path) -> Iterator[Mount]:
    for folder in map(Path, _HIDDEN):
        # NixOS has its programs below it, and some have their temporary files there.
        needed = root.is_relative_to(folder) or (folder / "current-system").exists()
        if folder.is_dir() and not needed:
            yield {"kind": "empty", "target": str(folder)}


def _names(folder: Path) -> Iterator[Mount]:
    """Names and the resolver of the slot: itself, and a server that knows none."""
    texts = {
        "hosts": f"127.0.0.1 localhost {socket.gethostname()}\n::1 localhost\n",
        "resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
        place = Path("/etc", name).resolve()
        # A file that is hidden with its folder needs nothing over it.
        if place.is_file() and not any(place.is_relative_to(hidden) for hidden in _HIDDEN):
            yield _over(folder / name, place)


def _channels(stage: Path, wrapper: Path) -> Iterator[Mount]:
    """Put the wrapper where browsers of a channel would be, on machines that have none there.

    Nothing can be created in a folder of the machine. So a copy of the nearest one that is there,
    made of links to what it holds and the wrapper, is laid over it.
    """
    stage.mkdir()
    added: dict[Path, list[Path]] = {}
    for place in map(Path, _CHANNELS):
        if not place.exists():
            near = next(folder for folder in place.parents if folder.is_dir())
            added.setdefault(near, []).append(place)
    for number, (near, places) in enumerate(added.items()):
        if near == Path("/"):
            continue
        copy = stage / str(number)
        copy.mkdir()
        for entry in near.iterdir():
            twin = copy / entry.name
            if entry.is_symlink():
                twin.symlink_to(entry.readlink())
                continue
            twin.mkdir() if entry.is_dir() else twin.touch()
            yield _over(entry, twin)
        for place in places:
            twin = copy / place.relative_to(near)
            twin.parent.mkdir(parents=True, exist_ok=True)
            twin.symlink_to(wrapper)
        yield _over(copy, near)


def _over(source: Path, target: Path) -> Mount:
    return {"kind": "bind", "source": str(source), "target": str(target)}
