"""Reads proposed rules and appends one to the team's file, which is otherwise left as it stands."""

from __future__ import annotations

import json
import stat
import tomllib
from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import Any

from harness.assess.criteria import load_rules, shipped_rules_text
from harness.compare.rules import Rule, RuleSet, parse_rules, refuse_contradictions
from harness.errors import SettingsError
from harness.whole_file import write_whole

UNNAMED = {"name": "proposed", "author": "nobody yet", "reason": "on trial"}
"""What a rule that is only tried may leave out."""


def proposed_rules(given: str, **said: str | None) -> tuple[Rule, ...]:
    """The rules of a file, or of inline TOML: ``kind = "casefold", field = "values.name"``.

    said: name, author and reason; each wins over what is given. Raises SettingsError, one line a
    problem.
    """
    path = Path(given)
    if "=" in given:
        origin, text = "the proposed rule", given
    else:
        origin = str(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError, ValueError) as error:
            raise SettingsError(
                f"{given}: cannot be read ({error}). Give a rules file, or a rule such as "
                '\'kind = "casefold", field = "values.name"\'.'
            ) from None
    rules = _tables(text, origin)
    chosen = {key: value for key, value in said.items() if value is not None}
    if "name" in chosen and len(rules) > 1:
        raise SettingsError(f"{origin}: --name is for one rule. Name them in the file instead.")
    document = _document([{**rule, **chosen} for rule in rules])
    found = parse_rules(document, origin=origin, proposed=True).rule
    if not found:
        raise SettingsError(f"{origin}: there is no rule in it. Add a [[rule]].")
    return found


def with_proposed(rules: RuleSet, proposed: tuple[Rule, ...], *, origin: str) -> RuleSet:
    """The rules with the proposed ones, each in the place of its namesake or at the end.

    Raises SettingsError, one line a problem, where they contradict each other.
    """
    for rule in proposed:
        rules = rules.having(rule)
    refuse_contradictions(rules, origin=origin)
    return rules


def team_rules(path: Path | None) -> tuple[RuleSet, str, Path]:
    """Rules, text and path of the team's own file; the shipped text where it is not there yet.

    Raises SettingsError where the settings name no file: the shipped rules are not the team's.
    """
    if path is None:
        raise SettingsError(
            "compare.rules is not set, and the shipped rules are not yours to change. Name a file, "
            'such as rules = "our-rules.toml" under [compare] in shadow.toml; it is begun as a '
            "copy of the shipped rules."
        )
    # A link stays a link: what it points to is written.
    path = path.resolve()
    if not path.exists():
        text = shipped_rules_text()
        return parse_rules(text, origin=str(path)), text, path
    # Not as text, so that the ends of its lines stay what they are.
    return load_rules(path)[0], path.read_bytes().decode("utf-8"), path


def append_rule(path: Path, text: str, rule: Rule) -> None:
    """Write `text` and, below it, the rule: as a whole or not at all.

    Raises SettingsError and leaves the file alone where the result would not be the same rules and
    this one.
    """
    old = parse_rules(text, origin=str(path))
    new = f"{text.rstrip()}\n\n{rule_text(rule)}"
    if parse_rules(new, origin=str(path)).rule != (*old.rule, rule):
        raise SettingsError(f"{path}: the rule does not fit below its text. Add it by hand.")
    try:
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
        write_whole(path, new.encode(), mode=mode)
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be written ({error}). Make the file and its folder writable."
        ) from None


def rule_text(rule: Rule) -> str:
    """A rule as TOML: a ``[[rule]]`` with one line a setting; what is not set stays out."""
    data = rule.model_dump(exclude_none=True, exclude_defaults=True)
    first = ("name", "kind", "field", "author", "reason")
    keys = [*first, *(key for key in data if key not in first)]
    return "\n".join(["[[rule]]", *(f"{key} = {_toml(data[key])}" for key in keys), ""])


def _tables(text: str, origin: str) -> list[dict[str, Any]]:
    """The rules of a whole file, or the one rule whose settings stand bare, in lines or in one."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        try:
            (rule,) = tomllib.loads(f"rule = [{{ {text} }}]")["rule"]
        except (tomllib.TOMLDecodeError, ValueError):
            raise SettingsError(
                f"{origin}: not valid TOML ({error}). Mend it; a text stands in quotes."
            ) from None
        return [{**UNNAMED, **rule}]
    if "rule" not in data:
        return [{**UNNAMED, **data}] if data.keys() - {"version"} else []
    rules = data["rule"]
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise SettingsError(f"{origin}: rule is no list of rules. Write each below a [[rule]].")
    return rules


def _document(rules: list[dict[str, Any]]) -> str:
    lines = ["version = 1"]
    for rule in rules:
        lines += ["[[rule]]", *(f"{_key(key)} = {_toml(value)}" for key, value in rule.items())]
    return "\n".join(lines)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(key)} = {_toml(item)}" for key, item in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float):
        return str(value)
    # A JSON text is a TOML text, but for one control character that only TOML has escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if key.replace("_", "").isalnum() and key.isascii() else _toml(key)
