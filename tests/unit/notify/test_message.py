"""What is read: sentences, notes, Slack's form of them and the record for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from harness.model import Severity
from harness.notify.ledger import Due, Policy, due, hold, observe_trouble, undelivered
from harness.notify.message import (
    MOST_SHOWN,
    Message,
    check_message,
    compose,
    to_record,
    to_slack,
)
from harness.notify.standing import Standing, standing_of
from tests.support.assessments import make_assessment
from tests.support.notices import LOOKED_AT, Listener, make_standing

GATE = "gate:shadow.zero_loss"
LOST = "finding:live:never_enqueued"
LATER = LOOKED_AT + timedelta(hours=1)


def composed(what: Due | None) -> Message:
    assert what is not None
    return compose(what, journal="week.duckdb", policy=Policy(quiet_s=600.0, per_hour=10))


def changed(before: Standing, *after: Standing) -> Message:
    """What is told of going from one standing through others, an hour after the first look."""
    listener = Listener()
    listener.look(before, LOOKED_AT)
    for standing in after[:-1]:
        listener.look(standing, LOOKED_AT + timedelta(seconds=5), works=False)
    return composed(listener.look(after[-1], LATER))


def test_a_change_is_one_sentence_that_names_the_gate_its_way_and_why() -> None:
    message = changed(
        make_standing({GATE: "pass", "decision": "GO"}),
        make_standing({GATE: "fail", "decision": "NO-GO"}, seq=140),
    )
    assert message.headline == "✕ NO-GO: week.duckdb, seq 140, 23 Nov 2026, 08:32:20 UTC"
    assert message.lines == (
        "Gate “Gate:Shadow.Zero_Loss” (shadow.zero_loss): pass → fail. It is fail.",
        "Decision: GO → NO-GO. It is NO-GO.",
    )
    notice = message.notices[0]
    assert (notice.what, notice.before, notice.after) == (GATE, "pass", "fail")
    assert (notice.severity, notice.seq, notice.changes) == (Severity.CRITICAL, 140, 1)
    assert message.notes == ("Now: 1 gate: 1 fail; 0 critical cases.",)


def test_a_fold_shows_the_way_and_how_many_changes_it_stands_for() -> None:
    message = changed(
        make_standing({GATE: "pass"}),
        make_standing({GATE: "undecided"}, seq=101),
        make_standing({GATE: "pass"}, seq=102),
    )
    assert "pass → undecided → pass (2 changes). It is pass." in message.text
    states = ["undecided" if number % 2 else "pass" for number in range(1, 21)]
    steps = [make_standing({GATE: state}, seq=100 + n) for n, state in enumerate(states)]
    message = changed(make_standing({GATE: "pass"}), *steps)
    assert " → … → " in message.text
    assert "(20 changes)" in message.text


def test_gates_that_come_or_go_and_those_that_are_not_required_say_so() -> None:
    assert "New: Gate “" in changed(make_standing(), make_standing({GATE: "open"})).text
    gone = changed(make_standing({GATE: "pass"}), make_standing()).text
    assert "(shadow.zero_loss, not required) is gone" not in gone
    assert "is gone; it was pass." in gone
    optional = make_standing({GATE: "fail"})
    state = replace(optional.states[GATE], required=False)
    optional = replace(optional, states={**optional.states, GATE: state})
    message = changed(make_standing({GATE: "pass"}), optional)
    assert "(shadow.zero_loss, not required): pass → fail." in message.text
    assert message.notices[0].severity is Severity.WARNING


def test_cases_are_counted_and_a_few_are_named() -> None:
    message = changed(
        make_standing(cases={LOST: ["job 1", "job 2"]}),
        make_standing(cases={LOST: ["job 2", "job 3", "job 4", "job 5", "job 6"]}, seq=120),
    )
    (line,) = message.lines
    assert "(never_enqueued, live): 4 new cases (job 3; job 4; job 5; …); " in line
    assert line.endswith("1 case (job 1) gone; 5 now.")
    (notice,) = message.notices
    assert (notice.before, notice.after, notice.changes) == ("2", "5", 5)
    gone = changed(make_standing(cases={LOST: ["job 1"]}), make_standing())
    assert gone.lines[0].endswith("1 case (job 1) gone; none now.")
    assert gone.notices[0].severity is Severity.INFO


def test_a_case_that_only_passed_through_is_counted_and_not_called_new() -> None:
    message = changed(
        make_standing(cases={LOST: ["job 1"]}),
        make_standing(cases={LOST: ["job 1", "job 2"]}, seq=101),
        make_standing(cases={LOST: ["job 1"]}, seq=102),
    )
    assert message.lines[0].endswith(": 2 changes to and fro; 1 now.")


def test_the_first_look_says_that_it_is_one_and_what_is_bad() -> None:
    listener = Listener()
    message = composed(listener.look(standing_of(make_assessment()), LOOKED_AT))
    assert message.kind == "first_look"
    assert message.lines[0].startswith("Decision: NO-GO. 2 required gates fail")
    assert any("(shadow.zero_loss): fail. 2 confirmed" in line for line in message.lines)
    assert not any("(shadow.success_rate)" in line for line in message.lines)
    assert any("(never_enqueued, live): 1 case (job " in line for line in message.lines)
    assert message.notes[0].startswith("This is a first look (nothing is remembered of an earlier")
    assert "Now: 8 gates: 2 fail, 2 open, 2 pass, 2 undecided; 4 critical cases." in message.notes
    assert any("Rehearsal at 200 times" in note for note in message.notes)
    assert {notice.changes for notice in message.notices} == {0}


def _blind(listener: Listener, *, minutes: int) -> Message:
    """What is told after the journal could not be read for so long."""
    for minute in (1, minutes):
        now = LOOKED_AT + timedelta(minutes=minute)
        listener.ledger = observe_trouble(listener.ledger, "week.duckdb: it is locked.", now)
    return composed(due(listener.ledger, now, listener.policy))


def test_a_journal_that_cannot_be_read_is_told_with_what_was_known_last() -> None:
    listener = Listener()
    listener.look(make_standing({GATE: "pass", "decision": "GO"}), LOOKED_AT)
    message = _blind(listener, minutes=12)
    assert message.lines == (
        "The journal cannot be read, so nothing is known: week.duckdb: it is locked.",
    )
    assert message.notes == ("Last known: 1 gate: 1 pass; 0 critical cases.",)
    assert message.notices[0].severity is Severity.CRITICAL
    message = _blind(Listener(), minutes=12)
    assert message.headline == "Not known: week.duckdb"
    assert (message.decision, message.as_of, message.notes) == (None, None, ())
    assert to_record(message)["as_of"] is None


def test_a_name_that_is_no_text_breaks_nothing() -> None:
    message = check_message("week\udcff.duckdb")
    json.dumps(to_record(message), ensure_ascii=False).encode()


def test_what_was_held_back_or_comes_late_is_summed_up_in_one_line() -> None:
    listener = Listener(policy=Policy(quiet_s=0.0, per_hour=10))
    listener.look(make_standing({GATE: "pass"}), LOOKED_AT)
    failing = LOOKED_AT + timedelta(minutes=5)
    listener.look(make_standing({GATE: "fail"}, seq=101), failing, works=False)
    what = Due(first=False, changes=listener.ledger.waiting, ledger=listener.ledger)
    held = hold(undelivered(listener.ledger, failing), what)
    message = composed(Due(first=False, changes=held.waiting, ledger=held))
    assert (
        "Held back by the limit of 10 messages an hour: 1 of these, 1 change in all, "
        "the first since 23 Nov 2026, 08:31:00 UTC." in message.notes
    )
    late = "Late: telling this failed at 2 looks, the first at 23 Nov 2026, 08:36:00 UTC."
    assert late in message.notes


def test_the_same_change_has_the_same_id_and_another_seq_another() -> None:
    def id_of(seq: int) -> str:
        after = make_standing({GATE: "fail"}, seq=seq)
        return changed(make_standing({GATE: "pass"}), after).notices[0].id

    assert id_of(140) == id_of(140) != id_of(141)


def _many() -> Message:
    names = [f"gate:shadow.g{number:02}" for number in range(40)]
    return changed(
        make_standing(dict.fromkeys(names, "pass")), make_standing(dict.fromkeys(names, "fail"))
    )


def test_a_long_message_is_cut_for_people_and_whole_for_programs() -> None:
    message = _many()
    assert len(message.lines) == MOST_SHOWN + 1
    assert message.lines[-1] == "and 20 more; shadow report tells all"
    assert len(to_record(message)["notices"]) == 40


def test_slack_gets_text_and_blocks_within_its_bounds_and_nothing_that_it_would_act_on() -> None:
    standing = make_standing({GATE: "fail"})
    loud = replace(standing.states[GATE], title="<!channel> & co" + "&" * 380, reason="&<>" * 133)
    message = changed(
        make_standing({GATE: "pass"}), replace(standing, states={**standing.states, GATE: loud})
    )
    for body in (to_slack(message), to_slack(_many()), to_slack(check_message("w" * 300))):
        json.dumps(body)
        assert set(body) == {"text", "blocks"}
        assert len(body["blocks"]) <= 50
        kinds = [block["type"] for block in body["blocks"]]
        assert kinds[0] == "header"
        assert len(body["blocks"][0]["text"]["text"]) <= 150
        for block in body["blocks"][1:]:
            text = block["text"] if block["type"] == "section" else block["elements"][0]
            assert 0 < len(text["text"]) <= 3000
            assert "<" not in text["text"]
    assert "&lt;!channel&gt; &amp; co" in to_slack(message)["text"]
    assert "<!channel> & co" in message.text


def test_the_record_holds_everything_as_plain_values() -> None:
    message = changed(make_standing({GATE: "pass"}), make_standing({GATE: "fail"}, seq=140))
    record = json.loads(json.dumps(to_record(message)))
    assert (record["schema_version"], record["kind"], record["seq"]) == (1, "changes", 140)
    assert record["as_of"] == "2026-11-23T08:32:20+00:00"
    assert record["text"] == message.text
    assert record["notices"][0]["severity"] == "critical"
