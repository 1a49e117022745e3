"""Posts a message to an incoming webhook of Slack's form.

Whoever knows the address can write into the channel, so it is a secret: it stands in no message,
no error and no log. Errors of the HTTP library name it, so none of them leaves this module, and
its log is kept from every handler while it works.
"""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import (
    HTTPError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ProxySchemeUnknown,
    SSLError,
)
from urllib3.exceptions import TimeoutError as HTTPTimeoutError
from urllib3.util import Url, parse_url

from harness.errors import SettingsError
from harness.journal.store import utc_now
from harness.notify.backoff import retry_after_s
from harness.notify.channels.channel import DeliveryError
from harness.notify.message import Message, to_slack
from harness.settings import WEBHOOK_VARIABLE

_HERE = ("localhost", "127.0.0.1", "[::1]")
_AGAIN = {408, 425, 429}
"""Refusals that may be over in a moment, like those of 500 and above."""


class WebhookChannel:
    """An address that takes a message by POST."""

    name = "webhook"

    def __init__(
        self, url: str, *, timeout_s: float, clock: Callable[[], datetime] = utc_now
    ) -> None:
        """Raises SettingsError, without naming it, where `url` is no address of a webhook."""
        self._url = url.strip()
        self._timeout_s = timeout_s
        self._clock = clock
        self._address = _checked(self._url)

    def send(self, message: Message) -> None:
        """POST the message once. TLS is verified, and a redirection is not followed."""
        body = json.dumps(to_slack(message)).encode()
        with _unlogged():
            failure = self._post(body)
        if failure:
            raise failure

    def _post(self, body: bytes) -> DeliveryError | None:
        # Returned, not raised: the library's error, which names the address, is then gone.
        timeout = urllib3.Timeout(connect=self._timeout_s, read=self._timeout_s)
        try:
            with _pool(self._address) as pool:
                response = pool.request(
                    "POST", self._url, body=body, timeout=timeout, retries=False, redirect=False,
                    preload_content=False, headers={"Content-Type": "application/json"},
                )  # fmt: skip
                status, header = response.status, response.headers.get("Retry-After")
                response.close()
        except (HTTPError, ProxySchemeUnknown, OSError) as error:
            return DeliveryError(self._words(error), again=not isinstance(error, SSLError))
        if 200 <= status < 300:
            return None
        again = status in _AGAIN or status >= 500
        words = f"the receiver answered {status}"
        if 300 <= status < 400:
            words += ", a redirection, which is not followed"
        elif status in (403, 404, 410):
            words += f": the address in {WEBHOOK_VARIABLE} is wrong or was revoked"
        asked_s = retry_after_s(header, self._clock()) if again else None
        return DeliveryError(words, again=again, retry_after_s=asked_s)

    def _words(self, error: Exception) -> str:
        match error:
            case SSLError():
                return "TLS failed: the receiver's certificate is not one that this machine trusts"
            case ProxyError() | ProxySchemeUnknown():
                return "the proxy that the environment names cannot be used"
            case NameResolutionError():
                return "the receiver's name cannot be resolved"
            case NewConnectionError():
                return "the receiver cannot be reached"
            case HTTPTimeoutError():
                return f"no answer within {self._timeout_s:g} s"
            case _:
                return f"the connection failed ({type(error).__name__})"


def _checked(url: str) -> Url:
    try:
        address = parse_url(url)
    except LocationParseError:
        address = Url()
    plain = address.scheme == "http" and address.host in _HERE
    if not address.host or not (plain or address.scheme == "https"):
        raise SettingsError(
            f"{WEBHOOK_VARIABLE} is no address of a webhook. It begins with https://; http:// is "
            "for this machine alone. The value is a secret and is not shown."
        )
    return address


def _pool(address: Url) -> urllib3.PoolManager:
    """Connections that verify TLS, through the proxy that the environment names, if any."""
    context = ssl.create_default_context()
    proxy = None if proxy_bypass(address.host or "") else getproxies().get(address.scheme or "")
    if not proxy:
        return urllib3.PoolManager(ssl_context=context)
    return urllib3.ProxyManager(
        proxy if "://" in proxy else f"http://{proxy}",
        ssl_context=context,
        proxy_headers=_proxy_headers(proxy),
    )


def _proxy_headers(proxy: str) -> dict[str, str]:
    auth = parse_url(proxy).auth
    return dict(urllib3.make_headers(proxy_basic_auth=auth)) if auth else {}


@contextmanager
def _unlogged() -> Iterator[None]:
    # At WARNING already it logs the address of an answer whose headers are malformed.
    logger = logging.getLogger("urllib3")
    former, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.propagate = former
