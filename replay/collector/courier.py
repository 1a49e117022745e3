"""Fetches a unit from the collector of its run and brings back what came of it; blocking HTTP."""

from __future__ import annotations

import json
import time
from http import HTTPStatus

import urllib3

from replay.collector.pool import header_of
from replay.collector.wire import Go, Opening, Report, Unit, UnreadableError, decode, encode

_TIMEOUT_S = 20.0
_PAUSE_S = 1.0


class CollectorError(Exception):
    """The collector cannot be reached, or wants nothing of this machine; one line, no data."""


class GoneUnitError(CollectorError):
    """The unit is not handed out any more: its run has ended, or another machine has it."""


class Courier:
    """Speaks to one collector.

    patience_s: so long it is called again when it does not answer; it may be busy, or the network
    gone for a moment.
    """

    def __init__(self, url: str, token: str, *, patience_s: float = 60.0) -> None:
        self.patience_s = patience_s
        self._url = url.rstrip("/")
        # No proxy of the environment: nobody but the collector may read orders.
        self._pool = urllib3.PoolManager(
            timeout=_TIMEOUT_S,
            retries=False,
            headers={"Authorization": header_of(token), "Content-Type": "application/json"},
        )

    def open(self, opening: Opening) -> Unit:
        """Fetch a unit. Raises CollectorError; GoneUnitError if nobody needs it any more."""
        try:
            return decode(Unit, self._post("/open", encode(opening)))
        except UnreadableError as error:
            raise CollectorError(f"{self._url}/open answered what is no unit: {error}") from None

    def report(self, report: Report) -> Go:
        """Bring a report and return what to do. Raises CollectorError."""
        answer = self._post("/report", encode(report))
        try:
            return Go(json.loads(answer)["go"])
        except (ValueError, KeyError, TypeError):
            raise CollectorError(f"{self._url}/report answered what is no answer") from None

    def _post(self, path: str, body: bytes) -> bytes:
        deadline = time.monotonic() + self.patience_s
        while True:
            try:
                answer = self._pool.request("POST", self._url + path, body=body, redirect=False)
            except urllib3.exceptions.HTTPError as error:
                if time.monotonic() >= deadline:
                    raise CollectorError(
                        f"{self._url} does not answer ({type(error).__name__}). Check that the run "
                        "goes on and that this machine reaches that address."
                    ) from None
                time.sleep(_PAUSE_S)
                continue
            if answer.status == HTTPStatus.OK:
                return answer.data
            if answer.status == HTTPStatus.GONE:
                raise GoneUnitError(f"{self._url}: nobody needs this unit any more")
            raise CollectorError(f"{self._url}{path}: {_words_of(answer)}")


def _words_of(answer: urllib3.BaseHTTPResponse) -> str:
    try:
        return str(json.loads(answer.data)["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status}, which no collector says"
