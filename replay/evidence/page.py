"""One page that shows the evidence of a submission, self-contained: no script, nothing fetched."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from replay.evidence.capture import CONSOLE, FINAL, RECORDED, REQUESTS, TRACE
from replay.evidence.store import Kept
from replay.sandbox.selectors import SelectorNotUnderstoodError, parse_selector

PAGE = "page.html"
_MOST_SENT = 4_000


def write_page(kept: Kept) -> Path:
    """Write the page beside the evidence and return its path."""
    path = kept.folder / PAGE
    path.write_text(render_page(kept), encoding="utf-8")
    return path


def render_page(kept: Kept) -> str:
    """The page as HTML."""
    return _template().render(
        facts=kept.facts,
        final=_picture(kept.file(FINAL)),
        recorded=_picture(kept.file(RECORDED)),
        steps=_steps(kept.facts),
        requests=_requests(kept.file(REQUESTS)),
        console=_read(kept.file(CONSOLE)) or [],
        trace=kept.file(TRACE),
    )


def _steps(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    received = facts["observed"]["values"] if facts["observed"]["posts"] else {}
    steps = []
    for step in facts["plan"]:
        name = _name_of(step["selector"]) if step["action"] in ("fill", "select") else None
        got = received.get(name) if name else None
        typed = step["value"] or ""
        steps.append(
            {
                "action": step["action"],
                "where": step["url"] or step["selector"] or step["until"] or step["seconds"] or "",
                "typed": typed,
                "received": got or "",
                "differs": got is not None and got != typed,
            }
        )
    return steps


def _name_of(selector: str | None) -> str | None:
    """The name under which a form sends what is typed there."""
    try:
        element = parse_selector(selector or "").element
    except SelectorNotUnderstoodError:
        return None
    return element.get("name") or element.get("id")


def _requests(path: Path | None) -> list[dict[str, Any]]:
    entries = (_read(path) or {"log": {"entries": []}})["log"]["entries"]
    return [
        {
            "method": entry["request"]["method"],
            "url": entry["request"]["url"],
            # Playwright writes -1 for what was never answered.
            "status": entry["response"]["status"] if entry["response"]["status"] > 0 else "none",
            "ms": round(max(0.0, entry["time"])),
            "sent": (entry["request"].get("postData") or {}).get("text", "")[:_MOST_SENT],
        }
        for entry in entries
    ]


def _picture(path: Path | None) -> str | None:
    if path is None:
        return None
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _read(path: Path | None) -> Any:
    """JSON of a file; None where there is none, or a kill cut it off."""
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path is not None else None
    except ValueError:
        return None


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("replay", "evidence"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["words"] = lambda value: str(value).replace("_", " ")
    return environment.get_template("page.html.j2")
