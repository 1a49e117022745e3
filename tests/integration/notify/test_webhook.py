"""The webhook against a real receiver that fails in every way a receiver can."""

from __future__ import annotations

import logging
import random
import ssl
import time
from email.utils import formatdate

import pytest
import trustme

from harness.errors import SettingsError
from harness.notify.channels.channel import DeliveryError
from harness.notify.channels.webhook import WebhookChannel
from harness.notify.message import check_message, to_slack
from harness.notify.notifier import ATTEMPTS, LONGEST_WAIT_S, deliver
from tests.support.receiver import (
    PATH,
    SECRETS,
    Answer,
    drop,
    raw,
    receiving,
    silent,
    status,
    unused_url,
)

MESSAGE = check_message("week.duckdb")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def waits() -> list[float]:
    """Pauses that were asked for; none is made."""
    return []


def told(url: str, waits: list[float], *, timeout_s: float = 5.0) -> DeliveryError | None:
    """Deliver through the webhook; the failure, or None."""

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return False

    return deliver(
        WebhookChannel(url, timeout_s=timeout_s), MESSAGE, wait=wait, rng=random.Random(7)
    )


def test_the_receiver_gets_slacks_form(waits: list[float]) -> None:
    with receiving() as receiver:
        assert told(receiver.url, waits) is None
    assert receiver.taken == [to_slack(MESSAGE)]
    assert receiver.paths == [PATH]
    assert waits == []


@pytest.mark.parametrize(
    "answers",
    [[status(500)], [status(503), status(502)], [status(408), status(425), status(500)],
     [drop], [drop, drop, drop], [status(500), drop, silent(0.5)], [raw(b"no http\r\n\r\n")]],
)  # fmt: skip
def test_a_receiver_that_fails_for_a_while_gets_the_message_in_the_end(
    answers: list[Answer], waits: list[float]
) -> None:
    with receiving(*answers) as receiver:
        assert told(receiver.url, waits, timeout_s=0.2) is None
    assert receiver.taken == [to_slack(MESSAGE)]
    assert len(receiver.got) == len(answers) + 1
    assert len(waits) == len(answers)
    assert all(0.5 * 2**n <= wait <= 2**n for n, wait in enumerate(waits))


@pytest.mark.parametrize(
    ("answer", "words"),
    [(status(500), "the receiver answered 500"), (drop, "the connection failed"),
     (silent(0.5), "no answer within 0.2 s")],
)  # fmt: skip
def test_a_receiver_that_goes_on_failing_is_given_up_and_named_by_its_fault(
    answer: Answer, words: str, waits: list[float]
) -> None:
    with receiving(*[answer] * ATTEMPTS) as receiver:
        failure = told(receiver.url, waits, timeout_s=0.2)
    assert failure is not None
    assert failure.words.startswith(words)
    assert failure.words.endswith(f", after {ATTEMPTS} attempts")
    assert len(receiver.got) == ATTEMPTS
    assert receiver.taken == []


@pytest.mark.parametrize("code", [301, 302, 307, 400, 401, 403, 404, 410])
def test_a_refusal_is_not_tried_again_and_a_redirection_not_followed(
    code: int, waits: list[float]
) -> None:
    with receiving() as elsewhere, receiving(status(code, Location=elsewhere.url)) as receiver:
        failure = told(receiver.url, waits)
    assert failure is not None
    assert failure.words.startswith(f"the receiver answered {code}")
    assert len(receiver.got) == 1
    assert elsewhere.got == []


def test_retry_after_is_kept_when_it_is_short(waits: list[float]) -> None:
    soon = formatdate(time.time() + 30, usegmt=True)
    answers = [status(429, Retry_After="7"), status(503, Retry_After=soon)]
    with receiving(*answers) as receiver:
        assert told(receiver.url, waits) is None
    assert waits[0] == 7.0
    assert 25.0 <= waits[1] <= 30.0


def test_retry_after_that_is_long_ends_this_look_and_is_handed_on(waits: list[float]) -> None:
    asked_s = LONGEST_WAIT_S + 60
    with receiving(status(429, Retry_After=str(int(asked_s)))) as receiver:
        failure = told(receiver.url, waits)
    assert failure is not None
    assert failure.retry_after_s == asked_s
    assert (len(receiver.got), waits) == (1, [])


def test_asked_to_stop_while_waiting_it_stops() -> None:
    with receiving(status(500)) as receiver:
        channel = WebhookChannel(receiver.url, timeout_s=5.0)
        failure = deliver(channel, MESSAGE, wait=lambda _: True, rng=random.Random(1))
    assert failure is not None
    assert len(receiver.got) == 1


def _tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def test_tls_is_verified(waits: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    authority, other = trustme.CA(), trustme.CA()
    with receiving(tls=_tls(authority)) as receiver:
        failure = told(receiver.url, waits)
        assert failure is not None
        assert "certificate is not one that this machine trusts" in failure.words
        assert (receiver.got, waits) == ([], [])
        with other.cert_pem.tempfile() as file:
            monkeypatch.setenv("SSL_CERT_FILE", file)
            assert told(receiver.url, waits) is not None
        with authority.cert_pem.tempfile() as file:
            monkeypatch.setenv("SSL_CERT_FILE", file)
            assert told(receiver.url, waits) is None
    assert len(receiver.taken) == 1


def test_the_proxy_of_the_environment_is_used(
    waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = unused_url()
    with receiving() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix(PATH))
        assert told(target, waits) is None
        assert proxy.paths == [target]
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert told(target, waits) is not None


@pytest.mark.parametrize(
    "answer",
    [status(500), status(404), status(302, Location=f"http://127.0.0.1:1{PATH}"), drop,
     silent(0.5), raw(b"HTTP/1.1 200 OK\r\nbroken header\r\n\r\n"), raw(b"\0\0\0\r\n\r\n")],
)  # fmt: skip
def test_the_address_is_in_no_error_and_in_no_log(
    answer: Answer, waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with receiving(*[answer] * ATTEMPTS) as receiver:
        failure = told(receiver.url, waits, timeout_s=0.2)
    shown = caplog.text
    error: BaseException | None = failure
    while error is not None:
        shown += repr(error) + str(error)
        error = error.__cause__ or error.__context__
    assert not [secret for secret in SECRETS if secret in shown]


def test_nobody_at_home_is_said_without_the_address(waits: list[float]) -> None:
    failure = told(unused_url(), waits)
    assert failure is not None
    assert failure.words == f"the receiver cannot be reached, after {ATTEMPTS} attempts"


@pytest.mark.parametrize(
    "url",
    [f"http://hooks.example{PATH}", f"ftp://hooks.example{PATH}", PATH, f"https://{PATH}",
     "https://[bad/hunter2", "hunter2", f"file://{PATH}"],
)  # fmt: skip
def test_what_is_no_address_of_a_webhook_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(SettingsError, match="SHADOW_NOTIFY_WEBHOOK is no address") as caught:
        WebhookChannel(url, timeout_s=1.0)
    assert not [secret for secret in SECRETS if secret in str(caught.value)]
