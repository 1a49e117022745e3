"""What the conformance kit says of what it saw; planted conduct, one kind each."""

from __future__ import annotations

import re
from typing import Any

import pytest

from harness.model import Claim, Outcome
from replay.check.cases import CASES
from replay.check.judge import judge, judge_run
from replay.check.model import Case, Group, Leftovers, Mark, Report, Request, Result, Seen
from replay.check.render import as_text, headline, listing
from replay.sandbox.exchange import Hit

BY_NAME = {case.name: case for case in CASES}
REACHABLE = BY_NAME["accepts"]
REFUSING = BY_NAME["success_in_css"]


def post(at_s: float = 0.5, *, stored: bool = False, **values: str) -> Request:
    return Request(
        at_s=at_s, method="POST", address="/submit", status=200, accepts=stored,
        values=values or {"name": "A"},
    )  # fmt: skip


def make_seen(
    *requests: Request, claims: bool = False, text: str | None = None, **more: Any
) -> Seen:
    status = Outcome.SUBMITTED if claims else Outcome.FAILED
    claim = Claim(status=status, duration_ms=1.0, error_text=text)
    return Seen(claim=claim, requests=requests, **({"wall_s": 1.0, "cpu_s": 0.2} | more))


def marks(case: Case, seen: Seen) -> set[tuple[Group, Mark]]:
    return {(finding.group, finding.mark) for finding in judge(case, seen)}


@pytest.mark.parametrize(
    ("case", "seen", "expected"),
    [
        (REACHABLE, make_seen(post(stored=True), claims=True), (Group.FALSE_FAILURE, Mark.GOOD)),
        (REACHABLE, make_seen(post(stored=True)), (Group.FALSE_FAILURE, Mark.BAD)),
        (REACHABLE, make_seen(post(), claims=True), (Group.FALSE_SUCCESS, Mark.BAD)),
        (REACHABLE, make_seen(claims=True), (Group.FALSE_SUCCESS, Mark.BAD)),
        (BY_NAME["late_field"], make_seen(), (Group.WAITS, Mark.BAD)),
        (BY_NAME["iframe"], make_seen(), (Group.FALSE_FAILURE, Mark.NOTE)),
        (BY_NAME["first_503"], make_seen(), (Group.RETRIES, Mark.NOTE)),
        (BY_NAME["lost_answer"], make_seen(post(stored=True)), (Group.FALSE_FAILURE, Mark.NOTE)),
        (REFUSING, make_seen(post()), (Group.FALSE_SUCCESS, Mark.GOOD)),
        (REFUSING, make_seen(post(), claims=True), (Group.FALSE_SUCCESS, Mark.BAD)),
        (REFUSING, make_seen(stuck=True), (Group.WAITS, Mark.BAD)),
        (REACHABLE, make_seen(crashed=True), (Group.FALSE_FAILURE, Mark.BAD)),
        (REACHABLE, make_seen(escapes=("https://x.test/",)), (Group.CLEANLINESS, Mark.BAD)),
    ],
)
def test_what_the_site_stored_decides_what_a_claim_is_worth(
    case: Case, seen: Seen, expected: tuple[Group, Mark]
) -> None:
    assert expected in marks(case, seen)


def test_twice_stored_is_bad_and_twice_sent_is_a_note_whatever_is_claimed() -> None:
    case = BY_NAME["slow_answer"]
    twice = [post(0.5, stored=True), post(4.0, stored=True)]
    for claims in (True, False):
        assert (Group.DOUBLE_SUBMIT, Mark.BAD) in marks(case, make_seen(*twice, claims=claims))
    sent = make_seen(post(0.5), post(4.0, stored=True), claims=True)
    assert (Group.DOUBLE_SUBMIT, Mark.NOTE) in marks(case, sent)
    steps = make_seen(post(name="A"), post(name="A", email="b", stored=True), claims=True)
    assert not {mark for group, mark in marks(BY_NAME["wizard"], steps)} - {Mark.GOOD}


@pytest.mark.parametrize(
    ("name", "seen", "mark"),
    [
        ("captcha_wall", make_seen(text="reCAPTCHA found"), Mark.GOOD),
        ("captcha_wall", make_seen(text="Timeout exceeded"), Mark.BAD),
        ("captcha_wall", make_seen(text=None), Mark.BAD),
        ("captcha_in_form", make_seen(post(), text="No success"), Mark.BAD),
        ("captcha_in_form", make_seen(post(), text="asks for a captcha"), Mark.GOOD),
    ],
)
def test_a_captcha_must_be_named(name: str, seen: Seen, mark: Mark) -> None:
    found = [finding for finding in judge(BY_NAME[name], seen) if "captcha" in finding.sentence]
    found += [f for f in judge(BY_NAME[name], seen) if f.sentence == "names the reason"]
    assert {finding.mark for finding in found} == {mark}
    assert {finding.group for finding in found} == {Group.CAPTCHA}


def test_a_captcha_that_is_claimed_to_be_passed_is_a_false_success() -> None:
    found = marks(BY_NAME["captcha_wall"], make_seen(claims=True))
    assert found == {(Group.FALSE_SUCCESS, Mark.BAD)}


def test_another_reason_that_is_not_named_is_a_note() -> None:
    for name in ("login_wall", "forbidden", "not_found", "email_verification"):
        assert (Group.FALSE_SUCCESS, Mark.NOTE) in marks(BY_NAME[name], make_seen(text="Timeout"))


def test_values_must_arrive_to_the_character() -> None:
    case = BY_NAME["values"]
    right = dict(case.exact)
    good = make_seen(post(stored=True, **right), claims=True)
    assert {mark for _, mark in marks(case, good)} == {Mark.GOOD}
    for name, value in (
        ("description", right["description"].replace("\n", " ")),
        ("description", right["description"][:255]),
        ("name", right["name"].replace("ö", "o")),
        ("phone", ""),
    ):
        seen = make_seen(post(stored=True, **(right | {name: value})), claims=True)
        bad = [finding for finding in judge(case, seen) if finding.mark is Mark.BAD]
        assert [finding.sentence for finding in bad] == [f"altered {name}"]
        assert bad[0].evidence.startswith(f"{name}: ")
    assert (Group.VALUES, Mark.BAD) in marks(case, make_seen())


def make_result(case: Case, seen: Seen) -> Result:
    return Result(case=case, seen=seen, findings=judge(case, seen))


def test_speed_is_beyond_the_site_s_own_time() -> None:
    case = BY_NAME["slow_answer"]
    stored = post(stored=True)
    for wall_s, mark in ((case.site_s + 1, Mark.GOOD), (case.site_s + 7.1, Mark.NOTE)):
        seen = make_seen(stored, claims=True, wall_s=wall_s)
        found = judge_run([make_result(case, seen)], Leftovers())
        assert [f.mark for f in found if f.group is Group.SPEED] == [mark]


def test_what_is_left_behind_is_named() -> None:
    found = judge_run([], Leftovers(processes=("chrome (7)",), files=("shot.png",)))
    assert [(f.mark, f.evidence) for f in found] == [
        (Mark.BAD, "chrome (7)"),
        (Mark.BAD, "shot.png"),
    ]
    assert {f.mark for f in judge_run([], Leftovers())} == {Mark.GOOD}


def test_a_report_counts_and_says_each_mark_in_words() -> None:
    results = (
        make_result(REACHABLE, make_seen(post(stored=True), claims=True)),
        make_result(REFUSING, make_seen(post(), claims=True)),
    )
    report = Report(
        worker="w", results=results, overall=judge_run(results, Leftovers()), elapsed_s=2.0
    )
    assert headline(report) == "w: 2 sites, 4 good, 1 bad, 0 notes, in 2 s"
    text = as_text(report, width=80)
    assert "✗ bad   success_in_css" in text
    assert "false success: 0 good, 1 bad, 0 notes" in text
    assert max(map(len, text.splitlines())) <= 80


def test_every_case_has_a_name_a_lesson_and_a_site_that_stores_only_where_it_is_reachable() -> None:
    assert len(BY_NAME) == len(CASES) >= 20
    assert {case.group for case in CASES} == set(Group) - {Group.CLEANLINESS, Group.SPEED}
    for case in CASES:
        assert case.title
        assert case.teaches.endswith(".")
        assert not case.title.endswith(".")
        path = (case.order.plan[0].url or "").split("example", 1)[1]
        site = case.make()
        send = Hit(
            method="POST", host=case.order.directory, path=path, query="", body=b"name=A",
            content_type="application/x-www-form-urlencoded",
        )  # fmt: skip
        reply = site.answer(send)
        stored = reply is not None and reply.accepts
        # A step of a wizard alone stores nothing, and who posts to a rebuilt form never saw it.
        if case.name not in ("wizard", "moved_selectors"):
            assert stored == case.reachable, case.name
    assert len(list(listing(CASES))) == len(CASES)


def test_neither_host_nor_job_tells_what_is_asked() -> None:
    for case in CASES:
        told = " ".join((case.order.directory, case.order.job_id, case.order.plan[0].url or ""))
        assert case.says is None or not re.search(case.says, told, re.IGNORECASE)
    hosts = [case.order.directory for case in CASES]
    assert len(set(hosts)) == len(hosts)


def test_each_visit_of_a_case_meets_a_fresh_site() -> None:
    case = BY_NAME["first_503"]
    get = Hit(method="GET", host="h", path="/submit", query="", content_type="", body=b"")
    for _ in range(2):
        site = case.make()
        statuses = [reply.status for reply in (site.answer(get), site.answer(get)) if reply]
        assert statuses == [503, 200]
