"""Finds a Chromium and starts it quietly; knows nothing of sandboxes, sites or journals."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from playwright.async_api import Browser, Playwright
from playwright.async_api import Error as PlaywrightError

from harness.errors import BrowserError

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""Looked for on PATH in this order; the headless shell costs the least CPU a page."""

INSTALL_HINT = (
    "Install Debian's package (apt install chromium-headless-shell) or Playwright's own "
    "(playwright install chromium-headless-shell), or point SHADOW_BROWSER at a Chromium."
)

_DOWNLOADS = (
    "chromium_headless_shell-*/*/*headless[-_]shell*",
    "chromium-*/*/chrome",
    "chromium-*/*/Chromium.app/Contents/MacOS/Chromium",
)

QUIET_ARGS = (
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--mute-audio",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
)
"""Nothing that a page did not ask for: no updates, reports, sync or safe-browsing lists."""


def find_browser(
    explicit: Path | str | None = None, *, environ: Mapping[str, str] = os.environ
) -> Path:
    """Return the Chromium to use.

    Order: `explicit`, ``SHADOW_BROWSER``, `PROGRAMS` on PATH, Playwright's own download.
    Raises BrowserError that says what to install, or which given path is wrong.
    """
    for name, given in (("browser", explicit), ("SHADOW_BROWSER", environ.get("SHADOW_BROWSER"))):
        if given:
            return _checked(name, str(given), environ)
    for program in PROGRAMS:
        found = shutil.which(program, path=environ.get("PATH"))
        if found:
            return Path(found)
    downloads = _downloads_folder(environ)
    for pattern in _DOWNLOADS:
        files = sorted(path for path in downloads.glob(pattern) if os.access(path, os.X_OK))
        if files:
            return files[-1]
    raise BrowserError(f"No Chromium on PATH or in {downloads}. {INSTALL_HINT}")


async def launch_browser(
    playwright: Playwright,
    path: Path,
    *,
    args: Sequence[str] = (),
    proxy: str | None = None,
) -> Browser:
    """Start the Chromium at `path` headless. proxy: where everything outside contexts must go.

    Chromium's own process sandbox stays on unless we are root, where it cannot work.
    Raises BrowserError with the browser's own reason.
    """
    try:
        return await playwright.chromium.launch(
            executable_path=path,
            args=[*QUIET_ARGS, *args],
            chromium_sandbox=os.geteuid() != 0,
            proxy={"server": proxy, "bypass": "<-loopback>"} if proxy else None,
            # Our own shutdown closes it; a second handler would race with that on Ctrl-C.
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
        )
    except PlaywrightError as error:
        raise BrowserError(f"{path} does not start: {_reason(error)} {INSTALL_HINT}") from error


def _checked(name: str, given: str, environ: Mapping[str, str]) -> Path:
    found = shutil.which(given, path=environ.get("PATH"))
    if found is None:
        raise BrowserError(f"{name} = {given}: no such program, or not executable. {INSTALL_HINT}")
    return Path(found)


def _downloads_folder(environ: Mapping[str, str]) -> Path:
    given = environ.get("PLAYWRIGHT_BROWSERS_PATH")
    if given and given != "0":
        return Path(given)
    home = Path(environ.get("HOME") or Path.home())
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "ms-playwright"
    return Path(environ.get("XDG_CACHE_HOME") or home / ".cache") / "ms-playwright"


def _reason(error: PlaywrightError) -> str:
    """The line that tells most: Chromium's own complaint where its log has one."""
    lines = [line.strip(" -") for line in error.message.splitlines() if line.strip()]
    complaints = [line for line in lines if "ERROR:" in line or "cannot" in line.lower()]
    text = (complaints or lines or ["no reason given"])[0]
    return text[:300].rstrip(".") + "."


if __name__ == "__main__":
    try:
        print(find_browser())
    except BrowserError as missing:
        print(missing, file=sys.stderr)
        sys.exit(missing.exit_code)
