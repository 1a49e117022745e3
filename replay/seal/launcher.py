"""Wraps Chromium so that a worker that starts one gets it sealed, wherever it looks for it.

The wrapper is a small shell script: it leaves out the worker's own switches that would undo the
seal and appends the seal's. It stands where each version of Playwright that the worker may use
looks for its download, and under the usual names on PATH.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from replay.browser import PROGRAMS

_NAMES = (*PROGRAMS, "google-chrome-stable", "chrome", "chrome-headless-shell", "headless_shell")
_MANIFEST = "browsers.json"

_LOST = (
    "proxy-server", "proxy-bypass-list", "proxy-pac-url", "proxy-auto-detect", "no-proxy-server",
    "host-resolver-rules", "host-rules", "ignore-certificate-errors*",
    "force-webrtc-ip-handling-policy", "webrtc-ip-handling-policy", "enable-quic",
    "origin-to-force-quic-on", "dns-over-https-*", "log-net-log",
)  # fmt: skip
"""Switches that a worker may give and that would open the seal: a trailing ``*`` is any ending."""

# Chromium takes one dash for two, and no switches after a bare "--"; the last of two values wins.
_SCRIPT = """#!/bin/sh
profile=
left=$#
while [ "$left" -gt 0 ]; do
  word=$1
  shift
  left=$((left - 1))
  case $word in
    {lost}) continue ;;
    --user-data-dir=*|-user-data-dir=*) profile=yes ;;
  esac
  set -- "$@" "$word"
done
# Without a profile of its own Chromium trusts no authority that it is told of by a switch.
[ -n "$profile" ] || set -- "$@" --user-data-dir="${{TMPDIR:-/tmp}}/profile-$$"
exec {browser} "$@" {switches}
"""

_LAYOUTS = {
    "chromium": (
        "chrome-linux/chrome",
        "chrome-linux64/chrome",
        "chrome-linux-arm64/chrome",
        "chrome-mac/Chromium.app/Contents/MacOS/Chromium",
        "chrome-mac-x64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
        "chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
    ),
    "chromium-headless-shell": (
        "chrome-linux/headless_shell",
        "chrome-headless-shell-linux64/chrome-headless-shell",
        "chrome-headless-shell-linux-arm64/chrome-headless-shell",
        "chrome-mac/headless_shell",
        "chrome-headless-shell-mac-x64/chrome-headless-shell",
        "chrome-headless-shell-mac-arm64/chrome-headless-shell",
    ),
}
"""Where the versions of Playwright since 1.9 look inside a browser's folder."""


def write_wrapper(path: Path, browser: Path, switches: Sequence[str]) -> None:
    """Write the script that execs `browser` with a worker's switches and then these."""
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    lost = "|".join(
        f"{dash}{name}|{dash}{name}=*" if not name.endswith("*") else f"{dash}{name}"
        for name in _LOST
        for dash in ("--", "-")
    )
    script = _SCRIPT.format(
        lost=f"--|{lost}",
        browser=shlex.quote(str(browser)),
        switches=shlex.join([*switches, *root]),
    )
    path.write_text(script, encoding="utf-8")
    path.chmod(0o755)


def link_names(programs: Path, wrapper: Path) -> None:
    """Put the wrapper under the names by which Chromium is found on PATH."""
    for name in _NAMES:
        (programs / name).symlink_to(wrapper)


def lay_out_downloads(folder: Path, wrapper: Path, manifests: Iterable[Path]) -> None:
    """Make `folder` look as if Playwright had downloaded its Chromium into it.

    manifests: the ``browsers.json`` of each Playwright package that a worker may use; one that
    cannot be read is passed over.
    """
    for name, revision in sorted(_revisions(manifests)):
        download = folder / f"{name.replace('-', '_')}-{revision}"
        for layout in _LAYOUTS[name]:
            place = download / layout
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(wrapper)
        for marker in ("INSTALLATION_COMPLETE", "DEPENDENCIES_VALIDATED"):
            (download / marker).touch()


def find_manifests(folders: Iterable[Path]) -> list[Path]:
    """The ``browsers.json`` of every Playwright package for Node in sight of these folders.

    folders: a worker's own, and those of NODE_PATH. Looked at as Node does: their
    ``node_modules`` and those of the folders above.
    """
    found = []
    for folder in folders:
        places = [folder, *(parent / "node_modules" for parent in (folder, *folder.parents))]
        for place in places:
            for package in ("playwright-core", "playwright", "package"):
                manifest = place / package / _MANIFEST
                if manifest.is_file():
                    found.append(manifest)
    return found


def _revisions(manifests: Iterable[Path]) -> set[tuple[str, str]]:
    """Name and revision of each Chromium that is asked for."""
    found = set()
    for manifest in manifests:
        try:
            browsers = json.loads(manifest.read_text(encoding="utf-8"))["browsers"]
            for browser in browsers:
                name = str(browser["name"])
                if name in _LAYOUTS:
                    overrides = browser.get("revisionOverrides", {}).values()
                    found |= {(name, str(one)) for one in (browser["revision"], *overrides)}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return found
