"""A walk through all screens that takes a picture of each in every theme, in one start."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

from harness.assessment import Assessment
from harness.tui.app import ShadowApp
from tests.support.assessments import AS_OF, make_assessment, make_replay, make_rules
from tests.tui.fake_ports import make_ports
from tests.tui.pictures import compact
from tests.tui.support import FakeData, key_of, make_app, press, settle
from tests.tui.test_actions import FakeOperations


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a picture is taken."""

    name: str
    keys: tuple[str, ...]
    """From the stop before."""
    back: tuple[str, ...] = ()
    """To what the next stop begins at."""


SCREENS = (
    Stop("overview", (key_of("overview"),)),
    Stop("gate", ("down", "down", "enter"), back=("escape",)),
    Stop("differences", (key_of("differences"), "slash", "-kind:captcha", "enter", "s", "s")),
    Stop("causes", ("x", "c", "home", "enter", "down"), back=("c",)),
    Stop("difference", ("down", "enter"), back=("escape",)),
    Stop("jobs", (key_of("jobs"), "down")),
    Stop("job", ("enter",), back=("escape",)),
    Stop("gates", (key_of("gates"), "down", "down")),
    Stop("findings", (key_of("findings"),)),
    Stop("replays", (key_of("replays"),)),
    Stop("rules", (key_of("rules"),)),
    Stop("health", (key_of("health"), "v")),
)
CARDS = (
    Stop("help", (key_of("overview"), "question_mark"), back=("escape",)),
    Stop("jump", ("g",), back=("escape",)),
    Stop("label", ("m", "t"), back=("escape",)),
    Stop(
        "views",
        ("slash", "kind:timeout", "enter", "v", "slow sites", "enter", "v"),
        back=("escape",),
    ),
    Stop("weighed", (key_of("rules"), "enter"), back=("escape",)),
    Stop("try-a-rule", ("t",), back=("escape",)),
    Stop("new-replay", (key_of("replays"), "n"), back=("escape",)),
)


def make_week() -> Assessment:
    """One rule hides more than it may; a replay goes on, and one has finished."""
    first, *rest = make_rules()
    wide = replace(
        first, hidden_pairs=31, expects_at_most=20, added_at=AS_OF - timedelta(days=2)
    )  # fmt: skip
    going = make_replay("monday", started_at=AS_OF, finished_at=None, done=100,
                        rate_per_min=12.0, remaining_s=1800.0)  # fmt: skip
    return make_assessment(rules=(wide, *rest), replays=(going, make_replay()))


def tour(
    size: tuple[int, int], stops: tuple[Stop, ...], themes: tuple[str, ...]
) -> dict[tuple[str, str], str]:
    """The picture of each stop in each theme."""
    data = FakeData(make_week())
    app = make_app(data, operations=FakeOperations(data), ports=make_ports())
    return asyncio.run(_walk(app, size, stops, themes))


async def _walk(
    app: ShadowApp, size: tuple[int, int], stops: tuple[Stop, ...], themes: tuple[str, ...]
) -> dict[tuple[str, str], str]:
    taken: dict[tuple[str, str], str] = {}
    async with app.run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        for stop in stops:
            await press(pilot, *stop.keys)
            app.clear_notifications()
            for theme in themes:
                app.theme = f"shadow-{theme}"
                await settle(pilot)
                taken[stop.name, theme] = compact(app.export_screenshot(), size)
            await press(pilot, *stop.back)
    assert app.faults == {}
    return taken
