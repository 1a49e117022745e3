"""What becomes of an answer that is none, and of a key that must stay secret."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from harness import prefect_api
from harness.errors import SettingsError, SourceError
from harness.prefect_api import PrefectApi
from harness.record.samples.flow_runs import FlowRun, moment, run_state, waiting_s
from harness.record.samples.prefect import PrefectSource
from tests.support.events import at

KEY = "pnu_invented0123456789"
Answer = tuple[int, str, dict[str, str]]


@contextmanager
def answering(answer: Callable[[str, dict[str, str]], Answer]) -> Iterator[str]:
    """An HTTP server on loopback that gives whatever `answer` says of a path and its headers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, text, headers = answer(self.path, dict(self.headers))
            self.send_response_only(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def always(code: int, text: str = "", **headers: str) -> Callable[[str, dict[str, str]], Answer]:
    return lambda path, _: (code, text, headers)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefect_api, "_PAUSES_S", (0.0, 0.0))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (always(401), "PREFECT_API_KEY"),
        (always(403), "PREFECT_API_KEY"),
        (always(404), "ends with /api"),
        (always(500), "log of the Prefect server"),
        (always(503), "log of the Prefect server"),
        (always(302, Location="http://elsewhere.example/api"), "redirects"),
        (always(200, "<html>the user interface</html>"), "no JSON"),
        (always(200, '"\\ud800'), "no JSON"),
        (always(200, "\xff"), "no JSON"),
        (always(200, '{"detail": "another service"}'), "no number"),
    ],
)
def test_every_failure_is_one_line_that_names_the_place_and_the_mend(
    answer: Callable[[str, dict[str, str]], Answer], words: str
) -> None:
    with answering(answer) as url, pytest.raises(SourceError) as caught:
        PrefectSource(
            api_url=url, deployment="process_job/production", late_after_s=60, api_key=KEY
        ).sample()
    message = str(caught.value)
    assert message.startswith(url)
    assert words in message
    assert "\n" not in message
    assert KEY not in message


@pytest.mark.parametrize("answer", ["[1]", '[{"name": "no id"}]', '{"id": "x"}', "null"])
def test_a_list_that_is_none_of_prefects_is_refused(answer: str) -> None:
    with answering(always(200, answer)) as url, pytest.raises(SourceError, match="no list"):
        PrefectApi(url).rows("/flow_runs/filter", {})


def test_a_server_that_is_not_there_is_one_line() -> None:
    with pytest.raises(SourceError, match="Check that Prefect runs") as caught:
        PrefectApi("http://127.0.0.1:1/api").get("/health")
    assert "\n" not in str(caught.value)


def test_the_key_goes_with_every_question_and_with_no_redirect() -> None:
    seen: list[tuple[str, str | None]] = []

    def elsewhere(path: str, headers: dict[str, str]) -> Answer:
        seen.append(("elsewhere", headers.get("Authorization")))
        return 200, "true", {}

    with answering(elsewhere) as other:

        def here(path: str, headers: dict[str, str]) -> Answer:
            seen.append((path, headers.get("Authorization")))
            return (200, "7", {}) if "count" in path else (307, "", {"Location": f"{other}/health"})

        with answering(here) as url:
            api = PrefectApi(url, key=f" {KEY}\n")
            assert api.count("/deployments/count", {}) == 7
            with pytest.raises(SourceError, match="redirects"):
                api.get("/health")
    assert seen == [
        ("/api/deployments/count", f"Bearer {KEY}"), ("/api/health", f"Bearer {KEY}"),
    ]  # fmt: skip


@pytest.mark.parametrize("key", [f"{KEY}\nX-Other: 1", f"{KEY}é", f"{KEY}\x00"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(SourceError, match="PREFECT_API_KEY") as caught:
        PrefectApi("http://prefect.example/api", key=key)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["prefect.example:4200", "/api", "ftp://prefect.example", "http://"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SourceError, match="PREFECT_API_URL"):
        PrefectApi(url)


def test_credentials_of_an_address_are_not_shown() -> None:
    assert PrefectApi("http://ana:secret@prefect.example/api/").place == (
        "http://prefect.example/api"
    )


def test_a_deployment_needs_the_name_of_its_flow() -> None:
    for name in ("production", "/production", "process_job/"):
        with pytest.raises(SettingsError, match="flow/deployment"):
            PrefectSource(api_url="http://prefect.example/api", deployment=name, late_after_s=60)


def test_a_server_that_is_busy_is_asked_again() -> None:
    codes = iter([503, 429, 200])
    with answering(lambda path, _: (next(codes), "true", {})) as url:
        assert PrefectApi(url).get("/health") is True


def test_time_is_that_of_the_server() -> None:
    day = {"Date": "Fri, 20 Nov 2026 09:00:00 GMT"}
    with answering(lambda path, _: (200, "true", day)) as url:
        api = PrefectApi(url)
        api.get("/health")
    assert api.answered_at == at(0)


def row(**columns: Any) -> dict[str, Any]:
    state = {"id": "s", "type": "SCHEDULED", "name": "Scheduled", "timestamp": at(0).isoformat()}
    times = {"expected_start_time": at(0).isoformat(), "start_time": None, "end_time": None}
    return {"id": "r", "state": state, "parameters": {"job_id": "j"}} | times | columns


def test_a_run_of_an_older_version_is_read_all_the_same() -> None:
    bare = row(state_id="s", state_type="FAILED", state_name="TimedOut", parameters=None)
    run = FlowRun.from_row(bare | {"state": None})
    assert (run.state_type, run.state_id, run.job_id) == ("FAILED", "s", None)
    assert run_state(run, run.state, late_after_s=60.0).payload["state_name"] == "TimedOut"


def test_only_a_run_that_has_never_begun_is_waiting() -> None:
    later = at(300)
    assert waiting_s(FlowRun.from_row(row()), later) == 300.0
    assert waiting_s(FlowRun.from_row(row(start_time=at(5).isoformat())), later) == 0.0
    assert waiting_s(FlowRun.from_row(row(expected_start_time=None)), later) == 0.0


def test_a_run_that_was_cancelled_before_it_began_was_not_late() -> None:
    cancelled = row(
        state={"id": "s", "type": "CANCELLED"},
        start_time=at(900).isoformat(), end_time=at(900).isoformat(),
    )  # fmt: skip
    assert FlowRun.from_row(cancelled).late_s is None
    begun = cancelled | {"start_time": at(70).isoformat()}
    assert FlowRun.from_row(begun).late_s == 70.0


def test_a_message_is_short_and_fits_into_a_journal() -> None:
    state = {"id": "s", "type": "FAILED", "message": "x" * 9_000 + "\ud800"}
    payload = run_state(FlowRun.from_row(row()), state, late_after_s=None).payload
    assert len(payload["message"]) == 500
    half = run_state(FlowRun.from_row(row()), {"message": "\ud800"}, late_after_s=None).payload
    json.dumps(half, ensure_ascii=False).encode()


def test_odd_times_are_none() -> None:
    assert moment("yesterday") is None
    assert moment(None) is None
    assert moment("2026-11-20T09:00:00") == at(0)
    assert moment("2026-11-20T10:00:00+01:00") == at(0)
    assert moment("2026-11-20T09:00:00Z") == at(0)
