"""What a site shows in each condition: before the form is sent, and after. Pure text."""

from __future__ import annotations

from replay.sandbox.conditions import Condition
from replay.sandbox.exchange import Hit, Reply
from replay.sandbox.forms import HEAD, Form

WORDS_OF_SUCCESS = ("success", "thank you", "submitted", "received")
"""What the candidate's judge looks for; a plain refusal must not contain any of them."""

POLL = "poll"
"""Query of the request that a page which never rests makes, and that is never answered."""
# One request that stays open, as chats have it: how busy the machine is makes no difference.
POLL_SCRIPT = "<script>fetch('?poll=1').catch(() => {})</script>"

ACCEPTED = f"""{HEAD}<main><h1>Thank you</h1>
<p class="confirmation">Your listing was received and will be reviewed.</p></main>"""
# No style, no script, no address and no value of the listing: each could carry such a word.
REFUSED = f"""{HEAD}<main><h1>Please check your entry</h1>
<p class="problem">This listing cannot be added.</p></main>"""
REFUSED_MISLEADING = f"""{HEAD}<style>.success{{color:green}} .problem{{color:red}}</style>
<main><h1>Please check your entry</h1><p class="problem">This listing cannot be added.</p></main>"""
CAPTCHA = f"""{HEAD}<main><h1>One more step</h1>
<div class="g-recaptcha" data-sitekey="sandbox">Please show that you are human.</div></main>"""
NOT_FOUND = f"{HEAD}<main><h1>Not found</h1></main>"
FORBIDDEN = f"""{HEAD}<main><h1>Just a moment</h1>
<p>We are checking your browser before you go on. Error 403.</p></main>"""
LOGIN = f"""{HEAD}<main><h1>Log in to go on</h1>
<form method="post" novalidate><p><label for="u">User name</label><input id="u" name="username"></p>
<p><label for="p">Password</label><input id="p" name="password" type="password"></p>
<button>Log in</button></form></main>"""
DUPLICATE = f"""{HEAD}<main><h1>Please check your entry</h1>
<p class="problem">This business is already listed.</p></main>"""
VERIFICATION = f"""{HEAD}<main><h1>Check your inbox</h1>
<p>We sent you a link. Your listing is added when you follow it.</p></main>"""


def reply_before(condition: Condition, form: Form, hit: Hit) -> Reply | None:
    """What stands in the way of the form, for any method; None if the form can be reached.

    A site that never answers is not among it: see `answers`.
    """
    if condition is Condition.FORBIDDEN:
        return Reply(body=FORBIDDEN, status=403)
    if hit.path not in form.paths or condition is Condition.NOT_FOUND:
        return Reply(body=NOT_FOUND, status=404)
    match condition:
        case Condition.CAPTCHA:
            return Reply(body=CAPTCHA)
        case Condition.LOGIN if "login" not in hit.asked:
            # The body is for those who do not follow, such as a picture of the recorded page.
            return Reply(body=LOGIN, status=302, headers={"Location": "?login=1"})
        case Condition.LOGIN:
            return Reply(body=LOGIN)
    return None


def answers(condition: Condition, hit: Hit) -> bool:
    """Whether a site in this condition ever answers this request."""
    if condition is Condition.NEVER_IDLE:
        return POLL not in hit.asked
    return condition is not Condition.SLOW


def reply_after(condition: Condition) -> Reply:
    """What a form that was sent is answered with."""
    match condition:
        case Condition.ACCEPTED:
            return Reply(body=ACCEPTED, accepts=True)
        case Condition.NEVER_IDLE:
            return Reply(body=ACCEPTED + POLL_SCRIPT, accepts=True)
        case Condition.REFUSED_MISLEADING:
            return Reply(body=REFUSED_MISLEADING)
        case Condition.DUPLICATE:
            return Reply(body=DUPLICATE)
        case Condition.VERIFICATION:
            return Reply(body=VERIFICATION)
        case _:
            return Reply(body=REFUSED)


def script_of(condition: Condition) -> str:
    """What a page with a form carries besides it."""
    return POLL_SCRIPT if condition is Condition.NEVER_IDLE else ""
