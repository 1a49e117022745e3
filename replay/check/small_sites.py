"""Sites of the conformance kit that are no archetype: each has one trick. Pure."""

from __future__ import annotations

from dataclasses import replace

from replay.sandbox.archetypes.base import FormSite
from replay.sandbox.exchange import Hit, Reply
from replay.sandbox.forms import HEAD
from replay.sandbox.pages import ACCEPTED, POLL, POLL_SCRIPT, REFUSED

SCRIPT_S = 1.5
SLOW_S = 3.0
CRASH = "crash"
"""Query of the request at which the runner kills the page's process."""

_STARTED = f"""{HEAD}<main><h1>One moment</h1><p id="state">We are working on it.</p></main>
<script>setTimeout(async () => {{
  const answer = await fetch('?state=1');
  document.getElementById('state').innerHTML = await answer.text();
}}, {int(SCRIPT_S * 1000)})</script>"""
_DONE = '<b class="confirmation">Thank you, your listing was received.</b>'
_QUEUED = f"""{HEAD}<main><h1>Listing queued for review</h1>
<p class="confirmation">Our editors look at it within two days.</p></main>"""
_DUPLICATE = f"""{HEAD}<main><h1>Please check your entry</h1>
<p class="problem">This business has already been submitted to our directory.</p></main>"""
_RECEIPT = f"""{HEAD}<meta http-equiv="refresh" content="0;url=?receipt=1">
<main><h1>Thank you</h1><p class="confirmation">Your receipt is being downloaded.</p></main>"""
_LOST = f"{HEAD}<main><h1>Bad gateway</h1></main>"
_UNAVAILABLE = f"{HEAD}<main><h1>Service unavailable</h1></main>"
_CRASHING = f"""{HEAD}<main><h1>Add a business</h1><form method="post"></form></main>
<script>fetch('?{CRASH}=1')</script>"""
_CAPTCHA_FIELD = (
    '<div class="g-recaptcha" data-sitekey="sandbox">Please show that you are human.</div>'
)
_CHALLENGE = f"""{HEAD}<main><h1>Please check your entry</h1>
<p class="problem">Please solve the captcha.</p></main>"""


class ScriptedAnswer(FormSite):
    """Says that it has stored the listing only when a script of its answer has asked."""

    def show(self, hit: Hit) -> Reply | None:
        if "state" in hit.asked:
            return Reply(body=_DONE)
        return super().show(hit)

    def receive(self, hit: Hit) -> Reply:
        return Reply(body=_STARTED, accepts=True)


class BusyAnswer(FormSite):
    """The page after the form never rests."""

    def show(self, hit: Hit) -> Reply | None:
        return None if POLL in hit.asked else super().show(hit)

    def receive(self, hit: Hit) -> Reply:
        return Reply(body=ACCEPTED + POLL_SCRIPT, accepts=True)


class Queued(FormSite):
    """Stores it, and says so in words that no list of words has."""

    def receive(self, hit: Hit) -> Reply:
        return Reply(body=_QUEUED, accepts=True)


class AlreadySubmitted(FormSite):
    """Refuses a duplicate, with a word of success in the sentence."""

    def receive(self, hit: Hit) -> Reply:
        return Reply(body=_DUPLICATE)


class SlowAnswer(FormSite):
    """Takes long to answer the form; each post is stored once more."""

    def receive(self, hit: Hit) -> Reply:
        return replace(self.judge(hit.values), delay_s=SLOW_S)


class SlowStart(FormSite):
    """Takes long until the form comes."""

    def show(self, hit: Hit) -> Reply | None:
        shown = super().show(hit)
        return None if shown is None else replace(shown, delay_s=SLOW_S)


class LostAnswer(FormSite):
    """Stores it, but the answer is an error of the gateway before it."""

    def receive(self, hit: Hit) -> Reply:
        return Reply(body=_LOST, status=502, accepts=True)


class Redirected(FormSite):
    """Answers the form with a redirect, as most sites do."""

    def show(self, hit: Hit) -> Reply | None:
        return Reply(body=ACCEPTED) if "done" in hit.asked else super().show(hit)

    def receive(self, hit: Hit) -> Reply:
        return Reply(body="", status=303, headers={"Location": "?done=1"}, accepts=True)


class Alerting(FormSite):
    """Shows a dialog in front of the form and another in front of the answer."""

    def show(self, hit: Hit) -> Reply | None:
        shown = super().show(hit)
        return shown and replace(shown, body=shown.body + "<script>alert('Welcome')</script>")

    def receive(self, hit: Hit) -> Reply:
        return Reply(body=ACCEPTED + "<script>alert('Done')</script>", accepts=True)


class Receipt(FormSite):
    """Stores it and sends a file."""

    def show(self, hit: Hit) -> Reply | None:
        if "receipt" in hit.asked:
            headers = {
                "Content-Disposition": 'attachment; filename="receipt.csv"',
                "Content-Type": "text/csv",
            }
            return Reply(body="number,date\n1,2026-01-01\n", headers=headers)
        return super().show(hit)

    def receive(self, hit: Hit) -> Reply:
        return Reply(body=_RECEIPT, accepts=True)


class FirstUnavailable(FormSite):
    """Answers 503 once, to the first request."""

    _first = True

    def show(self, hit: Hit) -> Reply | None:
        if self._first:
            self._first = False
            return Reply(body=_UNAVAILABLE, status=503, headers={"Retry-After": "1"})
        return super().show(hit)


class Crashing(FormSite):
    """Asks for its own end as soon as it is there."""

    def show(self, hit: Hit) -> Reply | None:
        return None if CRASH in hit.asked else Reply(body=_CRASHING)

    def receive(self, hit: Hit) -> Reply:
        return Reply(body=REFUSED)


class CaptchaInForm(FormSite):
    """Wants a captcha that stands below the fields."""

    def show(self, hit: Hit) -> Reply | None:
        return Reply(body=self.form.page(fields=(*self.form.fields, _CAPTCHA_FIELD)))

    def receive(self, hit: Hit) -> Reply:
        return Reply(body=_CHALLENGE)
