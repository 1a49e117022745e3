"""The cases of the conformance kit, in the order in which they are run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from harness.model import Order
from replay.check import small_sites as sites
from replay.check.model import Case, Group
from replay.sandbox.archetypes import ARCHETYPES, Archetype, FormSite, Stage
from replay.sandbox.archetypes.plain import FIVE
from replay.sandbox.archetypes.script_rendered import RENDERED_AFTER_MS
from replay.sandbox.conditions import Condition
from replay.sandbox.exchange import Site
from replay.sandbox.exhibits import BUSINESS

_HARD = {
    "name": 'Ahorn & Söhne "Süd" <b>\'&amp;',
    "email": "büro+liste@ahorn.example",
    "phone": "+1 (555) 010-0199",
    "website": "https://ahorn.example/?a=1&b=%20#c",
    "description": "Zwei Zeilen:\nöffnet früh, schließt 日本 spät.\n\n🦉 100 % + 5 \\ {x}\n"
    + "Lang. " * 800,
}
_NUMBERS = count(1)
_FORM = Archetype(name="form", title="", fields=FIVE)


def _case(
    name: str,
    group: Group,
    title: str,
    teaches: str,
    *,
    kind: str | None = None,
    site: Callable[[Stage], Site] = FormSite,
    condition: Condition = Condition.ACCEPTED,
    business: Mapping[str, str] = BUSINESS,
    **expected: Any,
) -> Case:
    """kind: an archetype, else `site` with a plain form. expected: what else the case says."""
    archetype = ARCHETYPES[kind] if kind else _FORM
    make = archetype.make if kind else site
    # One host a case: what a browser keeps of one site cannot reach the next. Neither host nor job
    # may tell what is asked: a worker that quotes them would seem to name its reason.
    number = f"{next(_NUMBERS):02}"
    host, job_id = f"site-{number}.example", f"check-{number}"
    stage = Stage(form=archetype.form(), condition=condition, job_id=job_id, directory=host)
    plan = archetype.plan(host, business)
    return Case(
        name=name,
        group=group,
        title=title,
        teaches=teaches,
        order=Order(job_id=job_id, directory=host, plan=plan, business=business),
        make=lambda: make(stage),
        **expected,
    )


CASES: tuple[Case, ...] = (
    _case(
        "accepts",
        Group.FALSE_FAILURE,
        "Stores the listing and says thank you",
        "The plain case; whatever fails here fails everywhere.",
    ),
    _case(
        "values",
        Group.VALUES,
        "Stores whatever arrives",
        "Umlauts, quotes, line breaks and long texts are what customers type.",
        business=_HARD,
        exact={field.name: _HARD[field.value] for field in FIVE},
    ),
    _case(
        "scripted_answer",
        Group.WAITS,
        f"Stores the listing and says so {sites.SCRIPT_S:g} s later, by a script",
        "Who judges the page as soon as it is quiet judges the wrong page.",
        site=sites.ScriptedAnswer,
        site_s=sites.SCRIPT_S,
    ),
    _case(
        "never_idle_after_success",
        Group.WAITS,
        "Says thank you on a page that goes on asking for ever",
        "Chats and counters never let the network rest; waiting for that is waiting for nothing.",
        site=sites.BusyAnswer,
    ),
    _case(
        "late_field",
        Group.WAITS,
        f"A script shows the form {RENDERED_AFTER_MS} ms after the page has loaded",
        "Three forms in five are made by scripts.",
        kind="script_rendered",
        site_s=RENDERED_AFTER_MS / 1000,
    ),
    _case(
        "slow_first_byte",
        Group.WAITS,
        f"Takes {sites.SLOW_S:g} s until the form comes",
        "Slow is not down.",
        site=sites.SlowStart,
        site_s=sites.SLOW_S,
    ),
    _case(
        "first_503",
        Group.RETRIES,
        "Answers 503 once, then works",
        "One more try is safe before anything was sent.",
        site=sites.FirstUnavailable,
        required=False,
        says=r"503|unavailable",
    ),
    _case(
        "lost_answer",
        Group.DOUBLE_SUBMIT,
        "Stores the listing, but answers 502",
        "What was sent may have been stored; to send it again is to list it twice.",
        site=sites.LostAnswer,
        knowable=False,
    ),
    _case(
        "slow_answer",
        Group.DOUBLE_SUBMIT,
        f"Takes {sites.SLOW_S:g} s to answer the form; stores every post",
        "A second click or a retry lists the business twice.",
        site=sites.SlowAnswer,
        site_s=sites.SLOW_S,
    ),
    _case(
        "moved_selectors",
        Group.FALSE_SUCCESS,
        "Was rebuilt: no field has the name that the plan knows",
        "Plans age; an old plan must fail, loudly.",
        kind="moved_selectors",
        reachable=False,
        says=r"input|selector|locator",
    ),
    _case(
        "success_in_css",
        Group.FALSE_SUCCESS,
        "Refuses the listing; its style sheet has a rule for .success",
        "A word somewhere in the HTML is no confirmation.",
        condition=Condition.REFUSED_MISLEADING,
        reachable=False,
    ),
    _case(
        "already_submitted",
        Group.FALSE_SUCCESS,
        "Refuses a duplicate: it “has already been submitted”",
        "The refusal has the very word that a search for success looks for.",
        site=sites.AlreadySubmitted,
        reachable=False,
    ),
    _case(
        "email_verification",
        Group.FALSE_SUCCESS,
        "Lists nothing until a link in a mail is followed",
        "One directory in four wants this; the form is only the first half.",
        kind="email_verification",
        condition=Condition.VERIFICATION,
        reachable=False,
        says=r"verif|inbox|\bmail",
    ),
    _case(
        "login_wall",
        Group.FALSE_SUCCESS,
        "Leads to a login",
        "One directory in six; only a person can go on there.",
        kind="login_wall",
        condition=Condition.LOGIN,
        reachable=False,
        says=r"log ?in|sign ?in|password",
    ),
    _case(
        "forbidden",
        Group.FALSE_SUCCESS,
        "Answers 403 with a page that checks the browser",
        "One address in four answered so when they were last tried.",
        kind="forbidden",
        condition=Condition.FORBIDDEN,
        reachable=False,
        says=r"403|forbidden",
    ),
    _case(
        "not_found",
        Group.FALSE_SUCCESS,
        "Answers 404",
        "A guessed address is wrong more often than right.",
        kind="not_found",
        condition=Condition.NOT_FOUND,
        reachable=False,
        says=r"404|not found",
    ),
    _case(
        "queued_for_review",
        Group.FALSE_FAILURE,
        "Stores the listing and says that it is queued for review",
        "Success has more words than any list of them.",
        site=sites.Queued,
    ),
    _case(
        "redirect",
        Group.FALSE_FAILURE,
        "Answers the form with a redirect to its thanks",
        "What most frameworks do after a post.",
        site=sites.Redirected,
    ),
    _case(
        "alert",
        Group.FALSE_FAILURE,
        "Shows a dialog before the form and another before its thanks",
        "A dialog that nobody answers stops a page for ever.",
        site=sites.Alerting,
    ),
    _case(
        "download",
        Group.FALSE_FAILURE,
        "Says thank you and sends a receipt as a file",
        "A download looks like a navigation that failed.",
        site=sites.Receipt,
    ),
    _case(
        "iframe",
        Group.FALSE_FAILURE,
        "Has its form in a frame",
        "Embedded form services; a selector does not look into frames by itself.",
        kind="iframe",
        required=False,
    ),
    _case(
        "wizard",
        Group.FALSE_FAILURE,
        "Has two steps, each a page of its own",
        "The second page must be there before it is filled in.",
        kind="wizard",
    ),
    _case(
        "captcha_wall",
        Group.CAPTCHA,
        "Shows a captcha in place of the form",
        "No worker may claim to have passed it, nor try.",
        kind="captcha_wall",
        condition=Condition.CAPTCHA,
        reachable=False,
        says=r"captcha",
    ),
    _case(
        "captcha_in_form",
        Group.CAPTCHA,
        "Has a captcha below its fields and refuses what comes without it",
        "The usual place of a captcha; the reason belongs into the record.",
        site=sites.CaptchaInForm,
        reachable=False,
        says=r"captcha",
    ),
    _case(
        "page_crash",
        Group.FALSE_SUCCESS,
        "The page's process dies as soon as the page is there",
        "Pages run out of memory; the worker must notice and say so.",
        site=sites.Crashing,
        reachable=False,
    ),
)
