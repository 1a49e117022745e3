"""Workers that are programs of their own, as tests need them."""

from __future__ import annotations

import shutil
from pathlib import Path

import playwright

WORKERS = Path(__file__).parents[1] / "workers"
COMPANY = "python:listing_worker.submission_runner:run_plan"
COMPANY_FOLDER = WORKERS / "company"

DRIVER = Path(playwright.__file__).parent / "driver"
"""The Python package brings Playwright for Node along, and a Node to run it."""


def node() -> str:
    """A Node: the machine's, else the one that Playwright brings."""
    return shutil.which("node") or str(DRIVER / "node")


def make_node_worker(folder: Path) -> Path:
    """The Node worker with its package installed, in `folder`; needs no registry."""
    made = folder / "node-worker"
    (made / "node_modules").mkdir(parents=True)
    (made / "node_modules" / "playwright-core").symlink_to(DRIVER / "package")
    shutil.copy(WORKERS / "node" / "worker.mjs", made)
    return made
