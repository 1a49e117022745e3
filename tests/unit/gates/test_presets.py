"""Shipped gates files, and files that say only what they change of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import SettingsError
from harness.gates.kinds import AttestationGate, MeanAtLeast, RampGate, SteadyFor
from harness.gates.presets import load_gates, preset_names, preset_text

CHANGE = """
version = 1
extends = "runbook"
[[change]]
gate = "shadow.success_rate"
threshold = 0.8
why = "The old system's best month had 78 %."
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "gates.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_preset_is_whole_and_decides_on_the_shadow_week() -> None:
    assert preset_names()[0] == "runbook"
    versions = {name: load_gates(preset=name).version for name in preset_names()}
    assert set(versions) == {"runbook", "strict", "full-traffic"}
    assert len(set(versions.values())) == 3
    for name in versions:
        gates = load_gates(preset=name)
        assert list(gates.digests) == list(load_gates().digests)
        assert gates.deciding() == ("dual-write", "shadow")


def test_strict_is_nowhere_laxer_than_the_runbook_and_says_why() -> None:
    usual, strict = load_gates(), load_gates(preset="strict")
    changed = [name for name, digest in strict.digests.items() if usual.digests[name] != digest]
    assert changed
    for name in changed:
        one, other = strict.gate(name), usual.gate(name)
        assert one.why != other.why
        if isinstance(one, SteadyFor) and isinstance(other, SteadyFor):
            assert one.at_most < other.at_most
        if isinstance(one, MeanAtLeast) and isinstance(other, MeanAtLeast):
            assert one.threshold > other.threshold


def test_a_preset_without_a_ramp_wants_all_traffic_at_once() -> None:
    ramp = load_gates(preset="full-traffic").gate("shadow.ramp")
    assert isinstance(ramp, RampGate)
    assert ramp.stages == (100.0,)
    drill = load_gates().gate("cutover.rollback")
    assert isinstance(drill, AttestationGate)
    assert drill.at_most_s == 300.0


def test_a_file_may_say_only_what_it_changes(tmp_path: Path) -> None:
    gates = load_gates(written(tmp_path, CHANGE))
    success = gates.gate("shadow.success_rate")
    assert isinstance(success, MeanAtLeast)
    assert (success.threshold, success.title) == (0.8, "Submissions that succeed")
    assert success.why == "The old system's best month had 78 %."
    others = [name for name in gates.digests if name != "shadow.success_rate"]
    assert [gates.digests[name] for name in others] == [
        load_gates().digests[name] for name in others
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("shadow.success_rate", "shadow.sucess_rate", "Did you mean shadow.success_rate?"),
        ('why = "The old system', '# why = "The old system', "why is missing. Add it."),
        ("threshold = 0.8", "treshold = 0.8", "treshold = 0.8 is not a setting. Did you mean"),
        ("threshold = 0.8", "threshold = 1.8", "threshold = 1.8 is not allowed."),
        ('"runbook"', '"runbok"', "there is no such preset. Did you mean runbook?"),
        ("[[change]]", "[[phase]]", "phase has no place beside extends"),
        ("version = 1", 'version = 1\ndecide = "shado"', 'decide = "shado" is no phase'),
        (
            "threshold = 0.8",
            "threshold = 0.8\nfail_below = 0.85",
            "fail_below = 0.85 is above threshold = 0.8",
        ),
    ],
)
def test_a_mistake_in_a_change_is_one_line_with_its_mend(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    assert old in CHANGE
    with pytest.raises(SettingsError) as caught:
        load_gates(written(tmp_path, CHANGE.replace(old, new)))
    (line,) = str(caught.value).splitlines()
    assert words in line


def test_stages_that_do_not_rise_are_refused(tmp_path: Path) -> None:
    text = preset_text("runbook").replace("[10, 50, 100]", "[10, 100, 50]")
    with pytest.raises(SettingsError, match="do not rise"):
        load_gates(written(tmp_path, text))


def test_a_phase_that_needs_an_unknown_one_is_refused(tmp_path: Path) -> None:
    text = preset_text("runbook").replace('needs = ["dual-write"]', 'needs = ["dual-wirte"]')
    with pytest.raises(SettingsError, match='needs = "dual-wirte" is no other phase'):
        load_gates(written(tmp_path, text))
