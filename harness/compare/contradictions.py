"""What is well formed in a set of rules and still cannot be meant. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from itertools import combinations

import phonenumbers

from harness.compare.kinds import (
    FIELDS,
    FIELDS_OF_KIND,
    PAIR,
    CeilingRule,
    DateRule,
    ErrorClassRule,
    ExcludeRule,
    MapRule,
    PhoneRule,
    Rule,
    ToleranceRule,
)

_LISTS = (
    "directory",
    "archetype",
    "candidate_version",
    "pattern",
    "formats",
    "control",
    "candidate",
)
_SAY_NOTHING = ("", "\x00")
"""What matches one of these matches nearly everything."""
_DIRECTIVES = re.compile(r"%(.)")


def contradictions(
    rules: Sequence[Rule], *, archetypes: Mapping[str, Sequence[str]] | None = None
) -> list[str]:
    """One line a problem, each with its mend: of one rule, of one name, of two rules together.

    archetypes: the kinds of site that are declared, with their hosts; None where that is not known.
    """
    problems = [
        f"rule {rule.name}: {text}" for rule in rules for text in (*_place(rule), *_content(rule))
    ]
    if archetypes is not None:
        problems += [
            f"archetype.{name} = [] lists no host. Add to it, or leave it out."
            for name, hosts in archetypes.items()
            if not hosts
        ]
        problems += [f"rule {rule.name}: {text}" for rule in rules for text in
                     _undeclared(rule, archetypes)]  # fmt: skip
    names = [rule.name for rule in rules]
    problems += [
        f"{names.count(name)} rules are named {name!r}. Rename all but one."
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    for first, second in combinations(rules, 2):
        if first.name != second.name and overlap(first, second):
            problems += [f"rule {second.name}: {text}" for text in _between(first, second)]
    return problems


def overlap(first: Rule, second: Rule) -> bool:
    """Whether a cell can lie in the scope of both."""
    return (
        _fields_meet(first.field, second.field)
        and (first.since is None or second.until is None or first.since < second.until)
        and (second.since is None or first.until is None or second.since < first.until)
        and _any_meet(first.directory, second.directory)
        and _any_meet(first.candidate_version, second.candidate_version)
        # A directory is of one kind of site.
        and bool({*(first.archetype or second.archetype or ("",))}
                 & {*(second.archetype or first.archetype or ("",))})
    )  # fmt: skip


def _place(rule: Rule) -> list[str]:
    """Where the rule is to work, and lists that say nothing."""
    problems = []
    fields = FIELDS_OF_KIND[rule.kind]
    if rule.field not in (*FIELDS, PAIR):
        close = difflib.get_close_matches(rule.field, FIELDS, n=1)
        mend = f"Did you mean {close[0]}?" if close else f"Use one of: {', '.join(FIELDS)}."
        problems.append(f"field = {rule.field!r} is not compared. {mend}")
    elif rule.field not in fields:
        mend = f"Set field = {fields[0]!r}." if len(fields) == 1 else (
            f"Use one of: {', '.join(fields)}."
        )  # fmt: skip
        problems.append(f"field = {rule.field!r} has no {rule.kind}. {mend}")
    problems += [
        f"{key} = [] lists nothing. Add to it, or leave it out."
        for key in _LISTS
        if getattr(rule, key, None) == ()
    ]
    if rule.since and rule.until and rule.since >= rule.until:
        problems.append(
            f"until = {_time(rule.until)} is not after since = {_time(rule.since)}, so no job is "
            "in between. Set a later until."
        )
    return problems


def _content(rule: Rule) -> list[str]:
    """What the rule says by itself."""
    match rule:
        case MapRule():
            return [
                f"map.{word} = {goal!r}, which the same map changes again. Map {word} to "
                f"{rule.map[goal]!r}."
                for word, goal in rule.map.items()
                if rule.map.get(goal, goal) != goal
            ]
        case ErrorClassRule():
            return _patterns(rule)
        case ToleranceRule() if (rule.absolute is None) == (rule.relative is None):
            return ["a tolerance is either absolute or relative. Set exactly one of them."]
        case PhoneRule() if rule.region not in phonenumbers.SUPPORTED_REGIONS:
            return [f"region = {rule.region!r} is no country. Write two capitals such as US."]
        case DateRule():
            return [
                f"formats: {text!r} {problem}."
                for text in rule.formats or ()
                if (problem := _format_problem(text))
            ]
        case ExcludeRule() if not (
            (rule.directory and all(glob.strip("*") for glob in rule.directory))
            or rule.since
            or rule.until
            or rule.archetype
            or rule.candidate_version
            or rule.control
            or rule.candidate
        ):
            return [
                "it would set every pair apart. Add directory, archetype, candidate_version, "
                "since, until, control or candidate."
            ]
        case _:
            return []


def _undeclared(rule: Rule, archetypes: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for name in rule.archetype or ():
        if name not in archetypes:
            close = difflib.get_close_matches(name, archetypes, n=1)
            mend = f"Did you mean {close[0]}?" if close else (
                f'Declare it, such as: [archetype] {name} = "*.example".'
            )  # fmt: skip
            yield f"archetype = {name!r} is not declared. {mend}"


def _patterns(rule: ErrorClassRule) -> list[str]:
    problems = []
    seen: dict[str, str] = {}
    for number, line in enumerate(rule.pattern or ()):
        where = f"pattern.{number}"
        try:
            compiled = re.compile(line.match)
        except re.error as error:
            problems.append(
                f"{where}.match = {line.match!r} is no regular expression ({error}). Mend it, or "
                "put a backslash before signs that stand for themselves."
            )
            continue
        if any(compiled.search(text) for text in _SAY_NOTHING):
            problems.append(
                f"{where}.match = {line.match!r} matches every text. Say what the text must hold."
            )
        if line.to == "unknown":
            problems.append(f"{where}.to = 'unknown' is no class. Leave the pattern out.")
        if line.match in seen:
            problems.append(
                f"{where}.match = {line.match!r} stands twice; the first says {seen[line.match]}. "
                "Remove one."
            )
        seen.setdefault(line.match, line.to)
    return problems


def _format_problem(text: str) -> str | None:
    used = set(_DIRECTIVES.findall(text))
    whole = {"x", "c"} & used or (
        {"Y", "y"} & used and ("j" in used or ("d" in used and {"m", "b", "B"} & used))
    )
    if not whole:
        return "does not give a day, a month and a year. Write a format such as %m/%d/%Y"
    try:
        shown = datetime(2026, 11, 20, 13, 5, 7).astimezone().strftime(text)
        datetime.strptime(shown, text)  # noqa: DTZ007  only whether it can be read
    except ValueError:
        return "is no format of a date. Write a format such as %m/%d/%Y"
    return None


def _between(first: Rule, second: Rule) -> list[str]:
    """Where two rules whose scopes overlap cannot both be meant."""
    mend = f"Remove one, or set their directory, since or until apart from rule {first.name}."
    match first, second:
        case MapRule(), MapRule():
            return [
                *(
                    f"map.{word} = {goal!r}, while rule {first.name} maps it to "
                    f"{first.map[word]!r} where both hold. {mend}"
                    for word, goal in second.map.items()
                    if first.map.get(word, goal) != goal
                ),
                *(
                    f"map.{word} = {goal!r}, which undoes rule {first.name}. {mend}"
                    for word, goal in second.map.items()
                    if goal != word and first.map.get(goal) == word
                ),
            ]
        case ErrorClassRule(), ErrorClassRule():
            known = {line.match: line.to for line in first.pattern or ()}
            return [
                f"pattern.{number}.to = {line.to!r}, while rule {first.name} says "
                f"{known[line.match]!r} of {line.match!r} where both hold. {mend}"
                for number, line in enumerate(second.pattern or ())
                if known.get(line.match, line.to) != line.to
            ]
        case CeilingRule(), CeilingRule() if first.limit != second.limit:
            return [
                f"limit = {second.limit:g}, while rule {first.name} says {first.limit:g} where "
                f"both hold. {mend}"
            ]
        case _:
            return []


def _fields_meet(first: str, second: str) -> bool:
    def within(field: str, pattern: str) -> bool:
        return pattern.endswith(".*") and field.startswith(pattern[:-1])

    return first == second or within(first, second) or within(second, first)


def _any_meet(first: Sequence[str] | None, second: Sequence[str] | None) -> bool:
    return any(_globs_meet(a, b) for a in first or ("*",) for b in second or ("*",))


@lru_cache(maxsize=4096)
def _globs_meet(first: str, second: str) -> bool:
    """Whether one text can match both globs; a set in brackets counts as any character."""
    a, b = (re.sub(r"\[.[^]]*\]", "?", glob) for glob in (first, second))

    @cache
    def meet(i: int, j: int) -> bool:
        if i == len(a) or j == len(b):
            return set(a[i:] + b[j:]) <= {"*"}
        if a[i] == "*":
            return meet(i + 1, j) or meet(i, j + 1)
        if b[j] == "*":
            return meet(i, j + 1) or meet(i + 1, j)
        return (a[i] == b[j] or "?" in (a[i], b[j])) and meet(i + 1, j + 1)

    return meet(0, 0)


def _time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
