"""A person may say which kind of site a directory has; what it answers stays the record's."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import SettingsError
from harness.model import Order
from harness.settings import load_settings
from replay.sandbox.archetypes.flaky import FlakySite
from replay.sandbox.archetypes.iframe import IframeSite
from replay.sandbox.conditions import Condition
from replay.sandbox.dressing import site_maker
from replay.select import synthesise_plan


def make_order(host: str) -> Order:
    return Order(job_id="job", directory=host, plan=synthesise_plan(host, {"name": "A"}))


def test_only_the_named_directories_are_dressed_and_keep_their_condition() -> None:
    make = site_maker({"Maple.example": "iframe"}, folder=None, seed=None)
    dressed = make(make_order("maple.example"), Condition.REFUSED)
    assert isinstance(dressed, IframeSite)
    assert dressed.condition is Condition.REFUSED
    assert not isinstance(make(make_order("birch.example"), Condition.REFUSED), IframeSite)


def test_the_seed_of_the_run_is_that_of_its_sites() -> None:
    def troubles(seed: int) -> list[str]:
        make = site_maker({f"{n}.example": "flaky" for n in range(20)}, folder=None, seed=seed)
        sites = [make(make_order(f"{n}.example"), Condition.ACCEPTED) for n in range(20)]
        return [site.trouble for site in sites if isinstance(site, FlakySite)]

    assert len(troubles(1)) == 20
    assert troubles(1) == troubles(1) != troubles(2)


def test_an_unknown_kind_is_one_line_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"maple\.example = wizzard is no kind .* wizard"):
        site_maker({"maple.example": "wizzard"}, folder=None, seed=None)
    with pytest.raises(SettingsError, match=r"login_wall stands for .* record's word"):
        site_maker({"maple.example": "login_wall"}, folder=None, seed=None)


def test_settings_name_kinds_in_a_file_and_in_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "shadow.toml"
    file.write_text('[replay.sites]\n"maple.example" = "wizard"\n')
    assert load_settings(file, {}).replay.sites == {"maple.example": "wizard"}
    environ = {"SHADOW_REPLAY_SITES": "a.example=flaky, b.example = iframe"}
    sites = load_settings(None, environ).replay.sites
    assert sites == {"a.example": "flaky", "b.example": "iframe"}
    with pytest.raises(SettingsError, match="host=kind"):
        load_settings(None, {"SHADOW_REPLAY_SITES": "a.example"})
