"""``shadow rules`` as a person or a script calls it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.assess.criteria import shipped_rules_text
from harness.cli.main import run
from harness.journal.store import Journal
from tests.support.events import HOST, make_control, make_history, make_plan
from tests.support.journals import make_journal, sound_job

SOUND = "11111111-1111-4111-8111-111111111111"
ODD = "22222222-1111-4111-8111-111111111111"
BIRCH = "birch-index.test"
NAME_CASE = 'name = "name-case", kind = "casefold", field = "values.name"'
ANY_VALUE = 'name = "any-value", kind = "ignore", field = "values.*"'
SIGNED = ("--author", "Ada Quill", "--reason", "imported in capitals")
RAW = ("Maple Joinery", "MAPLE JOINERY", "555-0142", "555-0199", "12207")


@pytest.fixture
def week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """A sound job, and one of which the candidate typed a name in capitals and another phone."""
    monkeypatch.chdir(tmp_path)
    typed = {"name": "MAPLE JOINERY", "phone": "202-555-0199", "zip": "12207"}
    events = [
        make_plan(typed, job_id=ODD) if event.kind == "job_results" else event
        for event in sound_job(ODD, second=100, run=None)
    ]
    return make_journal(tmp_path, [*sound_job(SOUND), *events], name="shadow.duckdb")


@pytest.fixture
def team(week: Journal) -> Path:
    """A rules file of the team's own, named by shadow.toml."""
    Path("shadow.toml").write_text('[compare]\nrules = "ours.toml"\n')
    path = Path("ours.toml")
    path.write_text(f"# Ask Ada first.\n{shipped_rules_text()}# the end\n")
    return path


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(list(words))
    out, err = capsys.readouterr()
    return code, out, err


def rows(out: str) -> list[dict[str, str]]:
    header, *lines = [line.split("\t") for line in out.splitlines()]
    return [dict(zip(header, line, strict=True)) for line in lines]


@pytest.mark.usefixtures("week")
def test_rules_and_rules_list_are_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    plain, listed = call(capsys, "rules"), call(capsys, "rules", "list")
    assert plain == listed
    assert plain[0] == 0
    assert {row["name"]: row["hidden"] for row in rows(plain[1])}["phone-format"] == "2"
    pairs, _, agreement = plain[2].splitlines()
    assert pairs.startswith("live: 2 pairs = 1 agree + 1 mismatch + 0 missing candidate")
    assert agreement == "agreement by job 50.0 %, without rules 0.0 %"
    told = json.loads(call(capsys, "rules", "--json")[1])
    assert [counts["mode"] for counts in told["agreement"].pop("pairs")] == ["live", "demo"]
    assert told["agreement"] == {
        "by_job": 0.5, "without_rules": 0.0, "with_excluded": 0.5, "excluded": {},
    }  # fmt: skip


@pytest.mark.usefixtures("week")
def test_options_before_a_subcommand_are_not_lost_in_silence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _, err = call(capsys, "rules", "--json", "list")
    assert code == 2
    assert err.startswith("shadow: Put options after list. See: shadow rules --help")


def test_a_rule_that_hides_too_much_is_told_and_is_a_finding(
    team: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limited = f"{NAME_CASE}, expects_at_most = 0"
    assert call(capsys, "rules", "add", limited, *SIGNED)[0] == 0
    line = "rule name-case hides 1 pair; it is declared to hide at most 0"
    assert line in call(capsys, "rules")[2].splitlines()
    _, out, _ = call(capsys, "findings", "--kind", "rule_hides_too_much")
    assert [(row["severity"], row["detail"]) for row in rows(out)] == [("warning", line)]


def test_excluded_pairs_are_counted_beside_the_agreement(
    team: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = 'name = "apart", kind = "exclude", field = "pair", since = 2026-11-20T09:01:00Z'
    assert call(capsys, "rules", "add", rule, *SIGNED)[0] == 1
    assert call(capsys, "rules", "add", rule, *SIGNED, "--accept-faults")[0] == 0
    code, out, err = call(capsys, "diff")
    assert (code, out) == (0, "")
    _, live, _, agreement = err.splitlines()
    assert live.endswith("+ 0 in flight + 1 excluded (1 apart)")
    assert agreement == (
        "agreement by job 100.0 %, without rules 0.0 %, with the excluded pairs 50.0 %"
    )
    told = json.loads(call(capsys, "diff", "--json")[1])["agreement"]
    assert (told["with_excluded"], told["excluded"]) == (0.5, {"apart": 1})


@pytest.mark.usefixtures("week")
def test_a_pair_is_explained_step_by_step_with_masked_values(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, out, _ = call(capsys, "diff")
    by_field = {row["field"]: row["id"] for row in rows(out)}
    code, out, err = call(capsys, "rules", "explain", by_field["values.phone"])
    assert (code, err) == (0, "")
    steps = [row for row in rows(out) if row["field"] == "values.phone"]
    assert [(s["rule"], s["effect"], s["agrees"]) for s in steps] == [
        ("recorded", "as recorded", "no"), ("trim-space", "no change", "no"),
        ("phone-format", "both changed", "no"),
    ]  # fmt: skip
    assert steps[-1]["control"] == "+•••••••0142"
    for words in ((steps[0]["pair"],), (ODD, HOST), (ODD[:4], HOST, "--mode", "live")):
        assert call(capsys, "rules", "explain", *words)[1] == out
    told = json.loads(call(capsys, "rules", "explain", ODD, HOST, "--json")[1])
    assert len(told["steps"]) == len(rows(out))
    assert not any(raw in out + json.dumps(told, ensure_ascii=False) for raw in RAW)


@pytest.mark.usefixtures("week")
@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["0" * 12], "there is no such pair as of seq 29. Take an id from: shadow diff"),
        ([ODD, "elsewhere.test"], f"{ODD} elsewhere.test: there is no such pair"),
        ([ODD, HOST, "--mode", "dmo"], f"{ODD} {HOST} dmo: there is no such pair"),
        (["", HOST], "2 jobs begin so. Give more of the id"),
    ],
)
def test_a_pair_that_is_not_there_is_one_line(
    words: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(capsys, "rules", "explain", *words)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert line in err


@pytest.mark.usefixtures("week")
def test_a_rule_on_trial_shows_what_it_would_hide(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "rules", "test", NAME_CASE)
    assert [(row["fault"], row["field"]) for row in rows(out)] == [("no", "values.name")]
    assert (code, err.splitlines()) == (0, [
        f"     1  Candidate sent another name; at {HOST}, job {ODD[:8]} (wrong_value, live)",
        "1 difference in 1 pair would be hidden, 0 real faults among them, as of seq 29",
    ])  # fmt: skip
    assert not any(raw in out for raw in RAW)


def test_a_text_is_masked_by_what_its_job_shows_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    events = [
        make_plan({"name": "MAPLE JOINERY"}, job_id=ODD) if event.kind == "job_results" else event
        for event in sound_job(ODD, hosts=(HOST,), run=None)
    ]
    events += [
        make_control("failed", job_id=ODD, host=BIRCH, message="no Maple Joinery here", second=9),
        make_history("submitted", number=99, job_id=ODD, host=BIRCH, second=9),
    ]
    make_journal(tmp_path, events, name="shadow.duckdb")
    rule = 'kind = "exclude", field = "pair", directory = "birch-*"'
    _, out, _ = call(capsys, "rules", "test", rule)
    assert [row["kind"] for row in rows(out)] == ["control_failed"]
    assert "[masked]" in out
    assert "Maple Joinery" not in out


@pytest.mark.usefixtures("week")
def test_a_rule_on_trial_that_hides_a_fault_exits_with_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = call(capsys, "rules", "test", ANY_VALUE)
    assert code == 1
    assert [(row["fault"], row["field"]) for row in rows(out)] == [
        ("yes", "values.phone"), ("no", "values.name"),
    ]  # fmt: skip
    assert "1 real fault among them" in err
    code, out, err = call(capsys, "rules", "test", ANY_VALUE, "--json")
    told: dict[str, Any] = json.loads(out)
    assert (code, err) == (1, "")
    counts = {key: told[key] for key in ("hidden", "hidden_pairs", "faults", "set_apart")}
    assert counts == {"hidden": 2, "hidden_pairs": 1, "faults": 1, "set_apart": 0}
    assert [c["kind"] for c in told["clusters"]] == ["wrong_value", "wrong_value"]
    assert not any(raw in out for raw in RAW)


@pytest.mark.usefixtures("week")
@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("kind = casefold", "the proposed rule: not valid TOML"),
        ('kind = "casefold", field = "values.zp"', "Did you mean values.zip?"),
        (f"{NAME_CASE}, expires = 2020-01-01", "the proposed rule: rule name-case: expires ="),
        ('name = "n", kind = "map", field = "outcome", map = { approved = "failed" }',
         "with the shipped rules: rule n: map.approved = 'failed', while rule status-words"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_one_line_and_never_tried(
    rule: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(capsys, "rules", "test", rule)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert line in err


def test_an_added_rule_holds_and_the_file_keeps_its_text(
    team: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = team.read_text()
    code, _, err = call(capsys, "rules", "add", NAME_CASE, *SIGNED)
    assert code == 0
    assert err.endswith("ours.toml: rule name-case was added\n")
    assert team.read_text() == (
        f'{before}\n[[rule]]\nname = "name-case"\nkind = "casefold"\nfield = "values.name"\n'
        'author = "Ada Quill"\nreason = "imported in capitals"\n'
    )
    assert {r["name"]: r["hidden"] for r in rows(call(capsys, "rules")[1])}["name-case"] == "1"
    assert [r["field"] for r in rows(call(capsys, "diff")[1])] == ["values.phone"]


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        ([ANY_VALUE, *SIGNED], 1, "nothing was written: the rule would hide real faults."),
        ([NAME_CASE, "--reason", "r"], 2, "--author is missing. A rule that stays needs its"),
        ([NAME_CASE, "--author", "Ada"], 2, "--reason is missing."),
        ([NAME_CASE, *SIGNED, "--name", "text-case"], 2, "a rule is already named 'text-case'"),
        (["kind = 1", *SIGNED], 2, "kind = 1"),
        (["ours.toml", *SIGNED], 2, "ours.toml: it holds 9 rules. Add them one by one."),
        ([NAME_CASE, *SIGNED, "--journal", "none.duckdb"], 2, "none.duckdb: there is no journal"),
    ],
)
def test_a_rule_that_is_refused_leaves_the_file_alone(
    team: Path, words: list[str], code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = team.read_text()
    ended, _, err = call(capsys, "rules", "add", *words)
    assert (ended, team.read_text()) == (code, before)
    assert line in err


@pytest.mark.usefixtures("week")
def test_the_shipped_rules_are_not_added_to(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "rules", "add", NAME_CASE, *SIGNED)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "compare.rules is not set" in err


def test_an_expired_rule_stops_every_comparison_with_one_line(
    team: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    team.write_text(team.read_text().replace('name = "email-case"', 'name = "email-case"\n'
                                             "expires = 2026-11-19"))  # fmt: skip
    for words in (("diff",), ("rules",), ("report", "--stdout"), ("rules", "test", NAME_CASE)):
        code, out, err = call(capsys, *words)
        assert (code, out, len(err.splitlines())) == (2, "", 1)
        assert "ours.toml: rule email-case: expires = 2026-11-19: it has expired." in err


def test_a_rule_expires_as_of_the_moment_that_is_asked_about(
    team: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    team.write_text(team.read_text().replace('name = "email-case"', 'name = "email-case"\n'
                                             "expires = 2026-11-20"))  # fmt: skip
    assert call(capsys, "diff", "--as-of", "2026-11-20T23:00")[0] == 1
    assert call(capsys, "diff", "--as-of", "2026-11-21T00:00")[0] == 2
    assert call(capsys, "diff", "--as-of", "29")[0] == 1
