"""Asks Prefect's REST API: JSON in, JSON out, every failure one line. Knows no flow run.

Only the standard library: the harness must run beside any version of Prefect.
"""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException
from typing import IO, Any
from urllib.parse import urlsplit, urlunsplit

from harness.errors import SourceError

_BUSY = (429, 502, 503)
"""Prefect on SQLite answers 503 while somebody else writes; its own client asks again too."""
_PAUSES_S = (0.2, 1.0)
_MOST_BYTES = 64 * 2**20
_REACH = "Check that Prefect runs and that PREFECT_API_URL is right"
_ADDRESS = "Check PREFECT_API_URL: it usually ends with /api"
_MENDS = {
    401: "Set PREFECT_API_KEY to a key that may read flow runs and deployments",
    403: "Set PREFECT_API_KEY to a key that may read flow runs and deployments",
    404: _ADDRESS,
    405: _ADDRESS,
    422: "This version of Prefect does not understand the question",
}


class _StayHere(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the API key to wherever it points."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> None:
        return None


class PrefectApi:
    """One Prefect. No message that it raises holds the key or the credentials of the address."""

    def __init__(self, url: str, *, key: str | None = None, timeout_s: float = 10.0) -> None:
        """Raises SourceError if the address or the key cannot be used."""
        parts = urlsplit(url.strip())
        host = parts.netloc.rpartition("@")[2]
        self.place = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        if parts.scheme not in ("http", "https") or not host:
            raise SourceError(
                f"PREFECT_API_URL = {self.place!r} is not an address. Write it such as "
                "http://prefect.example:4200/api"
            )
        self._headers = {"Accept": "application/json", "User-Agent": "shadow-recorder"}
        if key and key.strip():
            # The HTTP library would name the whole header in its complaint.
            if not (key.strip().isascii() and key.strip().isprintable()):
                raise SourceError(
                    "PREFECT_API_KEY holds characters that no key has. Set it to the key alone."
                )
            self._headers["Authorization"] = f"Bearer {key.strip()}"
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(_StayHere)
        self.answered_at = datetime.fromtimestamp(0, UTC)
        """When Prefect gave its last answer, by its own clock if it says so, else by ours."""

    def get(self, path: str, *, missing_is_fine: bool = False) -> Any:
        """The answer to GET, or None for a path that is not there where that is fine."""
        return self._ask(path, missing_is_fine=missing_is_fine)

    def rows(self, path: str, question: Any = None) -> list[dict[str, Any]]:
        """A list of objects with an id; a question is asked by POST, which changes nothing here."""
        answer = self._ask(path, question)
        if not isinstance(answer, list) or any(not _is_row(row) for row in answer):
            raise self._failure(path, "the answer is no list that Prefect gives", _ADDRESS)
        return answer

    def post(self, path: str, body: Any, *, conflict_is_fine: bool = False) -> Any:
        """What a POST answers; None where it answers nothing, or that the thing is there already.

        A busy server is asked again, so what is made must carry its name or an idempotency key.
        """
        return self._ask(path, body, conflict_is_fine=conflict_is_fine)

    def count(self, path: str, question: Any) -> int:
        """A number of things."""
        answer = self._ask(path, question)
        if not isinstance(answer, int):
            raise self._failure(path, "the answer is no number", _ADDRESS)
        return answer

    def _ask(
        self,
        path: str,
        question: Any = None,
        *,
        missing_is_fine: bool = False,
        conflict_is_fine: bool = False,
    ) -> Any:
        body = None if question is None else json.dumps(question).encode()
        headers = self._headers | ({"Content-Type": "application/json"} if body else {})
        request = urllib.request.Request(self.place + path, data=body, headers=headers)
        try:
            return json.loads(self._answer(request))
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404 and missing_is_fine:
                    self.answered_at = _clock(error.headers)
                    return None
                if error.code == 409 and conflict_is_fine:
                    return None
            raise self._failure(path, f"HTTP {error.code} {error.reason}", _mend(error)) from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            mend = "Check its certificate" if isinstance(reason, ssl.SSLError) else _REACH
            raise self._failure(path, str(reason) or type(reason).__name__, mend) from error
        except (ValueError, RecursionError) as error:
            raise self._failure(path, "the answer is no JSON", _ADDRESS) from error

    def _answer(self, request: urllib.request.Request) -> bytes:
        for pause_s in _PAUSES_S:
            try:
                return self._answer_now(request)
            except urllib.error.HTTPError as error:
                if error.code not in _BUSY:
                    raise
                error.close()
                time.sleep(pause_s)
        return self._answer_now(request)

    def _answer_now(self, request: urllib.request.Request) -> bytes:
        with self._opener.open(request, timeout=self._timeout_s) as answer:
            self.answered_at = _clock(answer.headers)
            text: bytes = answer.read(_MOST_BYTES)
            return b"null" if answer.status == HTTPStatus.NO_CONTENT else text

    def _failure(self, path: str, words: str, mend: str) -> SourceError:
        said = " ".join(words.split()).rstrip(".")
        return SourceError(f"{self.place}{path}: {said}. {mend}.")


def _is_row(row: object) -> bool:
    return isinstance(row, dict) and isinstance(row.get("id"), str)


def _mend(error: urllib.error.HTTPError) -> str:
    if 300 <= error.code < 400:
        return "Give PREFECT_API_URL the address that it redirects to"
    if error.code >= 500:
        return "Look at the log of the Prefect server and at its database"
    return _MENDS.get(error.code, _REACH)


def _clock(headers: Message) -> datetime:
    try:
        return parsedate_to_datetime(headers["Date"]).astimezone(UTC)
    except (TypeError, ValueError):
        return datetime.now(UTC)
