"""The tables of docs/seal.md, made from what the tests hold the seal to.

    python -m tests.browser.matrix

writes them anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from replay.sandbox.layers import STOPS_ALONE, SealLayer
from replay.seal.unsealed import OPEN_WITHOUT
from tests.browser.hostile import FORBIDDEN, HINTS, RECORDED_AS, UNREPORTED
from tests.integration.replay.ways import AT_THE_DOOR, IN_THE_SLOT, UNSEEN

PAGE = Path(__file__).parents[2] / "docs" / "seal.md"
_NAMED_BY = {
    "websocket": SealLayer.SOCKETS,
    "webrtc": SealLayer.WEBRTC,
    "webtransport": SealLayer.WEBRTC,
    "proxy": SealLayer.PROXY,
}


def written(page: str) -> str:
    """The page with its tables as they are now: what each layer stops, what is recorded."""
    for name, lines in (
        ("pages", (*_layers(), "", *_ways())),
        ("programs", (*_slot_layers(), "", *_slot_ways())),
    ):
        begin, end = f"<!-- {name}: written by tests.browser.matrix -->\n", f"<!-- /{name} -->\n"
        before, _, rest = page.partition(begin)
        page = "".join((before, begin, *(f"{line}\n" for line in lines), end))
        page += rest.partition(end)[2]
    return page


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


def _slot_layers() -> Iterable[str]:
    yield "| layer | *not sealed here* where it is missing |"
    yield "|---|---|"
    for layer, ways in OPEN_WITHOUT.items():
        yield f"| {layer} | {_names(ways)} |"


def _slot_ways() -> Iterable[str]:
    yield "| recorded as | ways |"
    yield "|---|---|"
    yield f"| `proxy`, `aws` | {_names(AT_THE_DOOR)} |"
    for kind in dict.fromkeys(kind for kind, _ in IN_THE_SLOT.values()):
        yield f"| `{kind}` | {_names(way for way, one in IN_THE_SLOT.items() if one[0] == kind)} |"
    for reason in dict.fromkeys(UNSEEN.values()):
        ways = (way for way, why in UNSEEN.items() if why == reason)
        yield f"| not recorded: {reason} | {_names(ways)} |"


def _names(ways: Iterable[str]) -> str:
    return ", ".join(f"`{way}`" for way in sorted(ways))


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
