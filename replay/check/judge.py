"""Says what was seen is worth. Pure: a case and what was seen of it give findings.

Each finding stands on what the site received, never on what the worker says of itself alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from statistics import median

from harness.model import Outcome
from replay.check.model import Case, Finding, Group, Leftovers, Mark, Result, Seen

QUICK_S = 3.0
"""A worker that takes no longer than this beyond the site's own time is quick."""
_SHORT = 160


def judge(case: Case, seen: Seen) -> tuple[Finding, ...]:
    """What this case shows of the worker, the gravest first."""
    found = [*_outcome(case, seen), *_doubles(case, seen), *_reason(case, seen)]
    found += [*_values(case, seen), *_escapes(case, seen)]
    gravity = (Mark.BAD, Mark.NOTE, Mark.GOOD)
    return tuple(sorted(found, key=lambda finding: gravity.index(finding.mark)))


def judge_run(results: Sequence[Result], left: Leftovers) -> tuple[Finding, ...]:
    """What the whole run shows: speed, and what was left behind."""
    return (*_speed(results), *_leftovers(left))


def _outcome(case: Case, seen: Seen) -> Iterator[Finding]:
    claimed = seen.claim.status is Outcome.SUBMITTED
    stored = len(seen.stored)

    def found(group: Group, mark: Mark, sentence: str) -> Finding:
        return Finding(
            group=group, mark=mark, case=case.name, sentence=sentence, evidence=_evidence(seen)
        )

    if seen.stuck:
        yield found(Group.WAITS, Mark.BAD, f"never came to an end: ended after {seen.wall_s:.0f} s")
    elif seen.crashed:
        yield found(case.group, Mark.BAD, "died of it")
    elif claimed and not stored:
        yield found(Group.FALSE_SUCCESS, Mark.BAD, "says submitted; the site stored nothing")
    elif not claimed and stored and case.knowable:
        yield found(Group.FALSE_FAILURE, Mark.BAD, "says failed; the site had stored the listing")
    elif not claimed and stored:
        sentence = "says failed; the page did not tell that the listing was stored"
        yield found(Group.FALSE_FAILURE, Mark.NOTE, sentence)
    elif claimed:
        yield found(case.group, Mark.GOOD, "says submitted, and it was")
    elif not case.reachable:
        yield found(case.group, Mark.GOOD, "says failed, and nothing was stored")
    elif case.required:
        yield found(case.group, Mark.BAD, "gave up where the listing could have been stored")
    else:
        yield found(case.group, Mark.NOTE, "cannot do this, and says failed honestly")


def _doubles(case: Case, seen: Seen) -> Iterator[Finding]:
    """Whether the same listing was sent, or even stored, more than once."""
    moments = ", ".join(f"{post.at_s:.1f} s" for post in seen.posts)
    sent = [tuple(sorted(post.values.items())) for post in seen.posts]
    if len(seen.stored) > 1:
        mark, sentence = Mark.BAD, f"made the site store the listing {len(seen.stored)} times"
    elif len(set(sent)) < len(sent):
        mark, sentence = Mark.NOTE, "sent the same values more than once"
    elif case.group is Group.DOUBLE_SUBMIT and seen.stored:
        mark, sentence = Mark.GOOD, "sent the listing once"
    else:
        return
    yield Finding(
        group=Group.DOUBLE_SUBMIT,
        mark=mark,
        case=case.name,
        sentence=sentence,
        evidence=f"posts at {moments}",
    )


def _reason(case: Case, seen: Seen) -> Iterator[Finding]:
    """Whether a failure names its reason; asked only where nothing worse is to be said."""
    claimed = seen.claim.status is Outcome.SUBMITTED
    if case.says is None or claimed or seen.stored or seen.stuck:
        return
    words = " at ".join(filter(None, (seen.claim.error_text, seen.claim.error_step)))
    named = re.search(case.says, words, re.IGNORECASE) is not None
    captcha = case.group is Group.CAPTCHA
    # Before a wall there is nothing to send; below a form, sending is how one hears of it.
    if captcha and seen.posts and not named:
        mark, sentence = Mark.BAD, "sent the form without the captcha and does not name it"
    elif named:
        mark, sentence = Mark.GOOD, "names the reason"
    else:
        mark = Mark.BAD if captcha else Mark.NOTE
        sentence = "does not name the captcha" if captcha else "does not name the reason"
    yield Finding(
        group=case.group,
        mark=mark,
        case=case.name,
        sentence=sentence,
        evidence=_quoted(words),
    )


def _values(case: Case, seen: Seen) -> Iterator[Finding]:
    if not case.exact:
        return
    posts = seen.stored or seen.posts
    arrived = posts[-1].values if posts else {}
    wrong = [name for name, value in case.exact.items() if arrived.get(name) != value]
    if wrong:
        name = wrong[0]
        evidence = f"{name}: {_difference(case.exact[name], arrived.get(name))}"
        sentence = f"altered {', '.join(wrong)}"
    else:
        longest = max(map(len, case.exact.values()))
        evidence = f"{len(case.exact)} fields, the longest of {longest} characters"
        sentence = "all values arrived as they were given"
    yield Finding(
        group=Group.VALUES,
        mark=Mark.BAD if wrong else Mark.GOOD,
        case=case.name,
        sentence=sentence,
        evidence=evidence,
    )


def _escapes(case: Case, seen: Seen) -> Iterator[Finding]:
    if seen.escapes:
        yield Finding(
            group=Group.CLEANLINESS,
            mark=Mark.BAD,
            case=case.name,
            sentence=f"tried to leave the sandbox {len(seen.escapes)} times",
            evidence=_short(", ".join(sorted(set(seen.escapes)))),
        )


def _speed(results: Sequence[Result]) -> Iterator[Finding]:
    done = [
        result
        for result in results
        if result.seen.claim.status is Outcome.SUBMITTED and result.seen.stored
    ]
    if done:
        extra = [result.seen.wall_s - result.case.site_s for result in done]
        cpu = median(result.seen.cpu_s for result in done)
        typical = median(extra)
        yield Finding(
            group=Group.SPEED,
            mark=Mark.GOOD if typical <= QUICK_S else Mark.NOTE,
            case=None,
            sentence=f"takes {typical:.1f} s longer than the site for a listing that is stored",
            evidence=f"median of {len(done)}; {cpu:.2f} s of CPU, browser and sandbox included",
        )
    failed = [result for result in results if result.seen.claim.status is not Outcome.SUBMITTED]
    if failed:
        slowest = max(failed, key=lambda result: result.seen.wall_s)
        took_s = slowest.seen.wall_s
        yield Finding(
            group=Group.SPEED,
            mark=Mark.GOOD if took_s <= QUICK_S + slowest.case.site_s else Mark.NOTE,
            case=slowest.case.name,
            sentence=f"takes up to {took_s:.1f} s to say failed",
            evidence=f"median of {len(failed)}: {median(r.seen.wall_s for r in failed):.1f} s",
        )


def _leftovers(left: Leftovers) -> Iterator[Finding]:
    for what, things in (("process", left.processes), ("file", left.files)):
        many = "processes" if what == "process" else "files"
        yield Finding(
            group=Group.CLEANLINESS,
            mark=Mark.BAD if things else Mark.GOOD,
            case=None,
            sentence=f"leaves {len(things)} {many} behind"
            if things
            else f"leaves no {what} behind",
            evidence=_short(", ".join(things)) if things else "looked when all was closed",
        )


def _evidence(seen: Seen) -> str:
    posts = ", ".join(f"{post.status or 'no answer'} at {post.at_s:.1f} s" for post in seen.posts)
    told = f"; {_quoted(seen.claim.error_text)}" if seen.claim.error_text else ""
    return f"posts: {posts or 'none'}; {seen.wall_s:.1f} s{told}"


def _quoted(text: str | None) -> str:
    return f"“{_short(' '.join(text.split()))}”" if text else "no words at all"


def _difference(wanted: str, got: str | None) -> str:
    if got is None:
        return "never arrived"
    if len(got) < len(wanted) and wanted.startswith(got):
        return f"cut off after {len(got)} of {len(wanted)} characters"
    pairs = enumerate(zip(wanted, got, strict=False))
    place = next((n for n, (a, b) in pairs if a != b), min(len(wanted), len(got)))
    span = slice(max(0, place - 5), place + 10)
    return f"from character {place}: {wanted[span]!r} became {got[span]!r}"


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
