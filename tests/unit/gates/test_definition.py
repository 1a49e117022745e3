"""Gates files: the shipped one, and errors that name file, key, value and mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import SettingsError
from harness.gates.definition import parse_gates
from harness.gates.kinds import AttestationGate, MeanAtLeast, QuantileBelow
from harness.gates.presets import load_gates, preset_text

SHIPPED = preset_text("runbook")


def test_shipped_gates_carry_the_thresholds_of_the_runbook() -> None:
    gates = load_gates()
    assert [phase.id for phase in gates.phase] == ["dual-write", "shadow", "cutover", "cleanup"]
    assert gates.deciding() == ("dual-write", "shadow")
    assert gates.deciding("cutover") == ("cutover",)
    agreement = gates.gate("dual-write.agreement")
    latency = gates.gate("shadow.p95_latency")
    success = gates.gate("shadow.success_rate")
    complaints = gates.gate("shadow.complaints")
    assert isinstance(agreement, MeanAtLeast)
    assert (agreement.threshold, agreement.alpha, agreement.n_min) == (0.95, 0.05, 30)
    assert agreement.coverage_floor == 0.9
    assert isinstance(latency, QuantileBelow)
    assert (latency.quantile, latency.threshold_s) == (0.95, 300.0)
    assert isinstance(success, MeanAtLeast)
    assert success.threshold == 0.90
    assert isinstance(complaints, AttestationGate)
    assert gates.statistical == 3
    assert all(gate.required for phase in gates.phase for gate in phase.gate)


def test_version_changes_with_a_criterion_and_not_with_a_comment() -> None:
    version = load_gates().version
    assert len(version) == 12
    assert parse_gates("# a note\n" + SHIPPED, origin="x").version == version
    stricter = SHIPPED.replace("threshold = 0.95", "threshold = 0.96")
    assert parse_gates(stricter, origin="x").version != version


def test_a_file_of_the_team_replaces_the_shipped_one(tmp_path: Path) -> None:
    path = tmp_path / "gates.toml"
    path.write_text(SHIPPED.replace("threshold = 0.95", "threshold = 0.97"), encoding="utf-8")
    agreement = load_gates(path).gate("dual-write.agreement")
    assert isinstance(agreement, MeanAtLeast)
    assert agreement.threshold == 0.97


def test_an_unknown_gate_is_a_key_error() -> None:
    with pytest.raises(KeyError, match=r"shadow\.nothing"):
        load_gates().gate("shadow.nothing")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "threshold = 0.95",
            "treshold = 0.95\nthreshold = 0.95",
            "my.toml: phase dual-write: gate agreement: treshold = 0.95 is not a setting. "
            "Did you mean threshold?",
        ),
        (
            "threshold = 0.95",
            "threshold = 95",
            "my.toml: phase dual-write: gate agreement: threshold = 95 is not allowed. "
            "Input should be less than 1.",
        ),
        (
            "threshold = 0.95\n",
            "",
            "my.toml: phase dual-write: gate agreement: threshold is missing. Add it.",
        ),
        (
            'kind = "mean_at_least"\nmeasure = "agreement"',
            'kind = "mean_at_last"\nmeasure = "agreement"',
            'my.toml: phase dual-write: gate agreement: kind = "mean_at_last" is not a kind of '
            "gate. Did you mean mean_at_least?",
        ),
        (
            'kind = "mean_at_least"\nmeasure = "agreement"\n',
            'measure = "agreement"\n',
            "my.toml: phase dual-write: gate agreement: kind is missing. Add one of: "
            "mean_at_least, quantile_below, zero_count, all_processed, steady_for, unused_for, "
            "ramp, attestation.",
        ),
        (
            'measure = "agreement"',
            'measure = "happiness"',
            'my.toml: phase dual-write: gate agreement: measure = "happiness" is not allowed. '
            "Input should be 'agreement' or 'success'.",
        ),
        (
            'id = "success_rate"',
            'id = "p95_latency"',
            'my.toml: phase shadow: two gates have id = "p95_latency". Rename one.',
        ),
        (
            'id = "shadow"',
            'id = "dual-write"',
            'my.toml: two phases have id = "dual-write". Rename one.',
        ),
        ("version = 1", "version = 2", "my.toml: version = 2 is not allowed. Input should be 1."),
        ("version = 1", "version = ", "my.toml: not valid TOML"),
        ("version = 1", "version = 1\nphases = 2", "my.toml: phases = 2 is not a setting. Did you"),
        ("version = 1", "", "my.toml: version is missing. Add it."),
    ],
)
def test_a_mistake_names_file_key_value_and_mend(old: str, new: str, message: str) -> None:
    assert old in SHIPPED
    with pytest.raises(SettingsError) as caught:
        parse_gates(SHIPPED.replace(old, new, 1), origin="my.toml")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_all_mistakes_of_a_file_are_named_at_once() -> None:
    text = SHIPPED.replace("threshold = 0.95", "threshold = 95").replace("300.0", "-1.0")
    with pytest.raises(SettingsError) as caught:
        parse_gates(text, origin="my.toml")
    assert len(str(caught.value).splitlines()) == 2


def test_a_phase_that_requires_nothing_is_refused() -> None:
    text = SHIPPED.replace("[[phase.gate]]", "[[phase.gate]]\nrequired = false")
    with pytest.raises(SettingsError, match="no gate is required"):
        parse_gates(text, origin="my.toml")


def test_a_missing_or_unreadable_file_is_named_with_its_mend(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gates\.file = .*none\.toml: there is no such file"):
        load_gates(tmp_path / "none.toml")
    with pytest.raises(SettingsError, match=r"gates\.file = .* cannot be read"):
        load_gates(tmp_path)
