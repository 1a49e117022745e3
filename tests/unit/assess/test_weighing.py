"""What a rule is worth: its figures are those of the assessments with and without it."""

from __future__ import annotations

import pytest

from harness.assess.rules_file import proposed_rules
from harness.assess.weighing import weigh_proposed, weigh_rule
from harness.errors import SettingsError
from harness.journal.store import Journal
from tests.support.events import make_plan
from tests.support.journals import assessed, criteria, make_journal, sound_job

SOUND = "11111111-1111-4111-8111-111111111111"
ODD = "22222222-1111-4111-8111-111111111111"
NAME_CASE = 'name = "name-case", kind = "casefold", field = "values.name"'
ANY_VALUE = 'name = "any-value", kind = "ignore", field = "values.*"'


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    """A sound job, and one of which the candidate typed a name in capitals and another phone."""
    typed = {"name": "MAPLE JOINERY", "phone": "202-555-0199", "zip": "12207"}
    events = [
        make_plan(typed, job_id=ODD) if event.kind == "job_results" else event
        for event in sound_job(ODD, second=100, run=None)
    ]
    return make_journal(tmp_path_factory.mktemp("week"), [*sound_job(SOUND, run=None), *events])


def test_a_rule_in_force_is_worth_what_the_assessment_says(week: Journal) -> None:
    everything = assessed(week)
    rules = criteria().rules
    for effect in everything.rules:
        with week.reader() as reader:
            found = weigh_rule(reader, criteria(), effect.name)
        without = assessed(week, rules=rules.without(effect.name))
        assert found.with_them == everything.agreement.by_job.value, effect.name
        assert found.without == without.agreement.by_job.value, effect.name
        assert found.seq == everything.provenance.seq
        hidden = {one.id for one in without.differences} - {
            one.id for one in everything.differences
        }
        assert {one.id for one in found.trial.hidden} == hidden, effect.name
        assert len(hidden) == effect.hidden, effect.name
    assert any(effect.hidden for effect in everything.rules), "the week shows nothing"


@pytest.mark.parametrize(("rule", "faults"), [(NAME_CASE, 0), (ANY_VALUE, 1)])
def test_a_proposed_rule_is_worth_what_it_changes(week: Journal, rule: str, faults: int) -> None:
    proposed = proposed_rules(rule)
    with week.reader() as reader:
        found = weigh_proposed(reader, criteria(), proposed)
    now = assessed(week)
    then = assessed(week, rules=criteria().rules.having(proposed[0]))
    assert (found.without, found.with_them) == (
        now.agreement.by_job.value, then.agreement.by_job.value,
    )  # fmt: skip
    assert len(found.trial.faults) == faults
    assert {one.id for one in found.trial.hidden} == (
        {one.id for one in now.differences} - {one.id for one in then.differences}
    )


def test_what_cannot_be_weighed_is_said_by_name(week: Journal) -> None:
    expired = f"{NAME_CASE}, expires = 2001-01-31"
    with week.reader() as reader:
        with pytest.raises(SettingsError, match="no-such-rule"):
            weigh_rule(reader, criteria(), "no-such-rule")
        with pytest.raises(SettingsError, match="2001"):
            weigh_proposed(reader, criteria(), proposed_rules(expired))
