"""Proposed rules are read from a file or a line, and one goes below the team's own."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.assess.criteria import shipped_rules_text
from harness.assess.rules_file import (
    append_rule,
    proposed_rules,
    rule_text,
    team_rules,
    with_proposed,
)
from harness.compare.rules import parse_rules
from harness.errors import SettingsError
from tests.support.rules import make_rule, make_rules

LINE = 'kind = "casefold", field = "values.name"'
INLINE = f'name = "a", author = "A", reason = "r", {LINE}'
LINES = LINE.replace(", ", "\n")
SIGNED = 'name = "proposed"\nauthor = "nobody yet"\nreason = "on trial"\n'
FILE = """# Ours; ask Ada before you change it.
version = 1

[[rule]]
name = "city-case"   # since the import
kind = "casefold"
field = "values.city"
author = "Ada Quill"
reason = "capitals"
# the end
"""


@pytest.mark.parametrize("given_", [LINE, LINES, f"version = 1\n[[rule]]\n{SIGNED}{LINES}"])
def test_a_rule_may_be_given_in_one_line_in_several_or_as_a_file(
    tmp_path: Path, given_: str
) -> None:
    (rule,) = proposed_rules(given_)
    assert (rule.kind, rule.field, rule.name) == ("casefold", "values.name", "proposed")
    file = tmp_path / "new.toml"
    file.write_text(given_ if "\n" in given_ else given_.replace(", ", "\n"))
    assert proposed_rules(str(file)) == (rule,)
    (named,) = proposed_rules(str(file), name="n", author="Ada", reason="r")
    assert (named.name, named.author, named.reason) == ("n", "Ada", "r")


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ("absent.toml", "absent.toml: cannot be read"),
        ("kind = casefold", "the proposed rule: not valid TOML"),
        ("rule = 5", "the proposed rule: rule is no list of rules. Write each below a [[rule]]."),
        ("version = 1", "the proposed rule: there is no rule in it. Add a [[rule]]."),
        ('kind = "casefold", field = "values.nam"', "Did you mean values.name?"),
        ('kind = "casefold"', "the proposed rule: rule proposed: field is missing. Add it."),
    ],
)
def test_a_proposal_that_is_none_is_one_line(given_: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        proposed_rules(given_)
    (line,) = str(caught.value).splitlines()
    assert words in line


def test_one_name_is_not_for_two_rules(tmp_path: Path) -> None:
    file = tmp_path / "two.toml"
    file.write_text(FILE + rule_text(make_rule("unicode")))
    with pytest.raises(SettingsError, match="--name is for one rule"):
        proposed_rules(str(file), name="n")


def test_a_proposal_that_contradicts_the_rules_is_refused() -> None:
    known = make_rules(make_rule("map", field="outcome", name="one", map={"a": "submitted"}))
    new = make_rule("map", field="outcome", name="two", map={"a": "failed"})
    with pytest.raises(SettingsError, match=r"^with ours: rule two: map\.a = 'failed', while"):
        with_proposed(known, (new,), origin="with ours")
    instead = new.model_copy(update={"name": "one"})
    assert with_proposed(known, (instead,), origin="with ours").rule == (instead,)


def test_a_rule_goes_below_the_text_which_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_bytes(FILE.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    known, text, where = team_rules(path)
    new = make_rule("unicode", expires=date(2027, 1, 31))
    append_rule(where, text, new)
    written = path.read_bytes().decode()
    assert written.startswith(FILE.replace("\n", "\r\n").rstrip())
    assert parse_rules(written, origin="ours").rule == (*known.rule, new)
    assert path.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in tmp_path.iterdir()] == ["ours.toml"]


def test_a_file_that_is_not_there_begins_as_a_copy_of_the_shipped_rules(tmp_path: Path) -> None:
    known, text, where = team_rules(tmp_path / "ours.toml")
    assert text == shipped_rules_text()
    append_rule(where, text, make_rule("unicode"))
    assert where.read_text().startswith(text.rstrip())
    assert team_rules(where)[0].without("unicode") == known


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text(FILE)
    (tmp_path / "link.toml").symlink_to(tmp_path / "real.toml")
    _, text, where = team_rules(tmp_path / "link.toml")
    append_rule(where, text, make_rule("unicode"))
    assert (tmp_path / "link.toml").is_symlink()
    assert "unicode" in (tmp_path / "real.toml").read_text()


def test_without_a_file_of_ones_own_nothing_can_be_added() -> None:
    with pytest.raises(SettingsError, match=r"compare\.rules is not set"):
        team_rules(None)


@pytest.mark.parametrize("text", [FILE, f"version = 1\nrule = [{{ {INLINE} }}]\n"])
def test_a_file_is_left_alone_where_the_rule_does_not_fit(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(text)
    name = "city-case" if text == FILE else "b"
    with pytest.raises(SettingsError, match=r"ours\.toml"):
        append_rule(path, text, make_rule("unicode", name=name))
    assert path.read_text() == text


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    _, text, where = team_rules(tmp_path / "none" / "ours.toml")
    with pytest.raises(SettingsError, match=r"ours\.toml: cannot be written .* writable\.$"):
        append_rule(where, text, make_rule("unicode"))


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(name=words, old=words, new=words, reason=words)
def test_a_rule_as_text_is_the_same_rule(name: str, old: str, new: str, reason: str) -> None:
    if old == new:
        return
    rule = make_rule(
        "map", name=name, reason=reason, map={old: new}, directory=[old, "*.x"],
        since="2026-11-20T00:00:00Z", until="2026-11-21T00:00:00+02:00", expires="2027-01-31",
        expects_at_most="5%",
    )  # fmt: skip
    assert parse_rules("version = 1\n" + rule_text(rule), origin="text").rule == (rule,)


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("error_class", {"pattern": [{"match": r"a\d", "to": "x"}, {"match": "b", "to": "y"}]}),
        ("ceiling", {"limit": 2.5}), ("ceiling", {"limit": float("inf")}),
        ("tolerance", {"relative": 1e-7}), ("phone", {"region": "DE"}),
        ("exclude", {"control": "manual_required", "expects_at_most": 0}),
    ],
)  # fmt: skip
def test_every_setting_of_a_rule_goes_into_its_text(kind: str, keys: dict[str, object]) -> None:
    rule = make_rule(kind, **keys)
    assert parse_rules("version = 1\n" + rule_text(rule), origin="text").rule == (rule,)
