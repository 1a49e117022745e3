"""Rules that cannot be meant: one line each, with the file, the key and the mend."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.contradictions import overlap
from harness.compare.kinds import FIELDS, FIELDS_OF_KIND, KINDS
from harness.compare.rules import RuleSet, parse_rules, refuse_expired
from harness.errors import SettingsError
from tests.support.rules import make_rule, make_rules

HEAD = 'author = "Ada Quill"\nreason = "as agreed"\n'
MAP = 'kind = "map"\nfield = "outcome"\n'
ERROR = 'kind = "error_class"\nfield = "error"\n'
PAIR = 'kind = "exclude"\nfield = "pair"\n'
CASE = 'kind = "casefold"\nfield = "values.city"\n'
DATE = 'kind = "date"\nfield = "values.description"\n'
CLOSE = 'kind = "tolerance"\nfield = "values.description"\n'


def _parse(*rules: str) -> RuleSet:
    parts = [
        f'[[rule]]\nname = "r{number}"\n{HEAD}{rule}\n' for number, rule in enumerate(rules, 1)
    ]
    return parse_rules("version = 1\n" + "".join(parts), origin="team.toml")


def _refused(*rules: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        _parse(*rules)
    lines = str(caught.value).splitlines()
    assert all(line.startswith("team.toml: ") for line in lines)
    assert all(line.endswith((".", "?")) for line in lines)
    return lines


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (ERROR + "pattern = [{ match = '(', to = 'config' }]",
         "rule r1: pattern.0.match = '(' is no regular expression"),
        (ERROR + "pattern = [{ match = 'a*', to = 'config' }]",
         "pattern.0.match = 'a*' matches every text. Say what the text must hold."),
        (ERROR + "pattern = [{ match = '.', to = 'config' }]", "match = '.' matches every text."),
        (ERROR + "pattern = [{ match = 'a', to = 'unknown' }]", "to = 'unknown' is no class"),
        (ERROR + "pattern = [{ match = 'a', to = 'Time out' }]",
         "Write a class as one lower-case word, such as timeout."),
        (ERROR + "pattern = [{ match = 'a', to = 'b', too = 'c' }]",
         "pattern.0.too is not a setting. Did you mean to?"),
        (ERROR + "pattern = [{ match = 'a', to = 'x' }, { match = 'a', to = 'y' }]",
         "pattern.1.match = 'a' stands twice; the first says x. Remove one."),
        (ERROR + "pattern = []", "pattern = [] lists nothing. Add to it, or leave it out."),
        ('kind = "phone"\nfield = "values.phone"\nregion = "USA"', "region = 'USA' is no country"),
        (CLOSE, "a tolerance is either absolute or relative. Set exactly one of them."),
        (CLOSE + "absolute = 1\nrelative = 0.1", "Set exactly one of them."),
        (CLOSE + "relative = 1.0", "Write a share between 0 and 1, such as 0.05."),
        (DATE + 'formats = "%d %B"', "'%d %B' does not give a day, a month and a year."),
        (DATE + 'formats = ["%Y-%m-%d %Q"]', "'%Y-%m-%d %Q' is no format of a date."),
        (PAIR, "it would set every pair apart. Add directory, archetype, candidate_version, "
         "since, until, control or candidate."),
        (PAIR + 'directory = ["*", "maple-*"]', "it would set every pair apart."),
        ('kind = "exclude"\nfield = "outcome"\ndirectory = "a*"',
         "has no exclude. Set field = 'pair'."),
        ('kind = "casefold"\nfield = "pair"', "field = 'pair' has no casefold. Use one of: "),
        ('kind = "ignore"\nfield = "outcome"', "field = 'outcome' has no ignore. Use one of: "),
        ('kind = "tolerance"\nabsolute = 1\nfield = "values.zip"', "has no tolerance."),
        ('kind = "phone"\nfield = "values.*"', "has no phone. Set field = 'values.phone'."),
        (CASE + "since = 2026-11-20T00:00:00",
         "Write a time with its zone, such as 2026-11-20T00:00:00Z."),
        (CASE + "since = 2026-11-20T00:00:00Z\nuntil = 2026-11-20T00:00:00Z",
         "until = 2026-11-20T00:00:00Z is not after since = 2026-11-20T00:00:00Z"),
        (CASE + 'expires = "next year"', "Write a date such as 2027-01-31."),
        (CASE + "directory = []", "directory = [] lists nothing."),
        (CASE + "directory = 5", 'Write a glob such as "*.example", or a list of them.'),
        (CASE + "expects_at_most = -1", "expects_at_most = -1 is no limit. Write a number"),
        (CASE + 'expects_at_most = "200%"', "expects_at_most = '200%' is no limit."),
        (CASE + "expects_at_most = 0.5", "expects_at_most = 0.5 is no limit."),
        (CASE + 'archetype = "wizard"',
         """archetype = 'wizard' is not declared. Declare it, such as: [archetype] wizard = """),
        (CASE + "archetype = []", "archetype = [] lists nothing."),
        (CASE + "candidate_version = []", "candidate_version = [] lists nothing."),
        (MAP + "map = {}", "Map at least one word"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_meant_is_one_line(rule: str, words: str) -> None:
    (line,) = _refused(rule)
    assert words in line
    assert "rule r1: " in line


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (MAP + 'map = { a = "submitted" }', MAP + 'map = { a = "failed" }',
         "rule r2: map.a = 'failed', while rule r1 maps it to 'submitted' where both hold. "
         "Remove one, or set their directory, since or until apart from rule r1."),
        (MAP + 'map = { a = "b" }', MAP + 'map = { b = "a" }',
         "map.b = 'a', which undoes rule r1."),
        ('kind = "map"\nfield = "values.*"\nmap = { a = "b" }',
         'kind = "map"\nfield = "values.city"\nmap = { a = "c" }', "rule r2: map.a = 'c'"),
        (ERROR + "pattern = [{ match = 'a', to = 'x' }]",
         ERROR + "pattern = [{ match = 'a', to = 'y' }]",
         "pattern.0.to = 'y', while rule r1 says 'x' of 'a'"),
        ('kind = "ceiling"\nfield = "latency_s"\nlimit = 5',
         'kind = "ceiling"\nfield = "latency_s"\nlimit = 9\ndirectory = "maple-*"',
         "limit = 9, while rule r1 says 5"),
    ],
)  # fmt: skip
def test_two_rules_that_cannot_both_be_meant_are_one_line(
    first: str, second: str, words: str
) -> None:
    (line,) = _refused(first, second)
    assert words in line


APART = [
    ('directory = "maple-*"', 'directory = "birch-*"'),
    ("until = 2026-11-20T00:00:00Z", "since = 2026-11-20T00:00:00Z"),
]


@pytest.mark.parametrize(("first", "second"), APART)
def test_scopes_that_do_not_meet_may_map_a_word_differently(first: str, second: str) -> None:
    rules = _parse(
        MAP + f'map = {{ a = "submitted" }}\n{first}', MAP + f'map = {{ a = "failed" }}\n{second}'
    )
    assert len(rules.rule) == 2


def test_several_problems_are_several_lines() -> None:
    lines = _refused(ERROR + "pattern = [{ match = '(', to = 'x' }]", CLOSE, PAIR)
    assert [line.split(":")[1].strip() for line in lines] == ["rule r1", "rule r2", "rule r3"]


def test_an_expired_rule_is_named_with_its_author() -> None:
    rules = _parse(CASE + "expires = 2026-11-20", CASE)
    refuse_expired(rules, on=date(2026, 11, 20), origin="team.toml")
    with pytest.raises(SettingsError) as caught:
        refuse_expired(rules, on=date(2026, 11, 21), origin="team.toml")
    assert str(caught.value) == (
        "team.toml: rule r1: expires = 2026-11-20: it has expired. Ask Ada Quill whether it still "
        "holds, then set a later date or remove the rule."
    )


globs = st.text("ab*?", max_size=5)


@given(first=globs, second=globs, text=st.text("ab", max_size=4))
def test_globs_that_match_one_text_overlap(first: str, second: str, text: str) -> None:
    from fnmatch import fnmatchcase

    one, two = (
        make_rule("casefold", name=n, directory=[glob or "*"])
        for n, glob in (("one", first), ("two", second))
    )
    if fnmatchcase(text, first or "*") and fnmatchcase(text, second or "*"):
        assert overlap(one, two)
    assert overlap(one, two) == overlap(two, one)


@pytest.mark.parametrize(
    ("first", "second"), [("a*b", "a*c"), ("ab", "a"), ("?", "ab"), ("[x]a", "b")]
)
def test_globs_that_no_text_matches_both_do_not_overlap(first: str, second: str) -> None:
    rules = [make_rule("casefold", name=glob, directory=glob) for glob in (first, second)]
    assert not overlap(*rules)


def test_every_kind_has_its_fields() -> None:
    assert set(FIELDS_OF_KIND) == set(KINDS)
    assert {field for fields in FIELDS_OF_KIND.values() for field in fields} == {*FIELDS, "pair"}


def test_a_rule_takes_the_place_of_its_namesake_or_the_end() -> None:
    one, two = make_rule("casefold", name="one"), make_rule("casefold", name="two")
    other = make_rule("unicode", name="one")
    assert make_rules(one, two).having(other).rule == (other, two)
    assert make_rules(one).having(two).rule == (one, two)
