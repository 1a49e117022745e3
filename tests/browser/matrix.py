"""The tables of docs/seal.md, made from what the tests hold the seal to.

    python -m tests.browser.matrix

writes them anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from replay.sandbox.layers import STOPS_ALONE, SealLayer
from tests.browser.hostile import FORBIDDEN, HINTS, RECORDED_AS, UNREPORTED

PAGE = Path(__file__).parents[2] / "docs" / "seal.md"
BEGIN, END = "<!-- tables: written by tests.browser.matrix -->\n", "<!-- end of tables -->\n"
_NAMED_BY = {
    "websocket": SealLayer.SOCKETS,
    "webrtc": SealLayer.WEBRTC,
    "webtransport": SealLayer.WEBRTC,
    "proxy": SealLayer.PROXY,
}


def tables() -> str:
    """Markdown: what each layer alone stops, and each way with what is written down of it."""
    return "".join(f"{line}\n" for line in (*_layers(), "", *_ways()))


def written(page: str) -> str:
    """The page with its tables as they are now."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + tables() + END + rest.partition(END)[2]


def layer_of(kind: str) -> SealLayer:
    """The layer that records attempts of this kind."""
    return _NAMED_BY.get(kind, SealLayer.ROUTES)


def _layers() -> Iterable[str]:
    yield "| layer | open where only it is missing |"
    yield "|---|---|"
    for layer, ways in STOPS_ALONE.items():
        yield f"| {layer} | {_names(ways) or 'nothing: other layers hold the same ways'} |"


def _ways() -> Iterable[str]:
    yield "| recorded as | by the layer | ways |"
    yield "|---|---|---|"
    for kind, ways in RECORDED_AS.items():
        yield f"| `{kind}` | {layer_of(kind)} | {_names(ways)} |"
    for way, reason in UNREPORTED.items():
        yield f"| not recorded | {reason} | {_names([way])} |"
    yield f"| nothing to record | only a full Chromium follows these hints | {_names(HINTS)} |"
    yield f"| nothing to record | no Chromium lets a page do it | {_names(FORBIDDEN)} |"


def _names(ways: Iterable[str]) -> str:
    return ", ".join(f"`{way}`" for way in sorted(ways))


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
