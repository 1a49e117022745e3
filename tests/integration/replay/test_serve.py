"""The sandbox as a person's browser meets it, over real connections."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3
from playwright.sync_api import sync_playwright

from harness.cli.main import run
from harness.errors import EnvironmentProblem
from replay.browser import find_browser
from replay.sandbox.archetypes import ARCHETYPES, Archetype
from replay.sandbox.archetypes.saved import load_archetypes
from replay.sandbox.conditions import Condition
from replay.sandbox.exhibits import Exhibition, exhibits_of
from replay.sandbox.serve import ServeOptions, serve
from tests.support.events import JOB, make_control
from tests.support.replays import make_journal

ROOT = Path(__file__).parents[3]


@contextmanager
def served(options: ServeOptions, *kinds: Archetype) -> Iterator[tuple[str, Exhibition]]:
    exhibition = Exhibition(exhibits_of(kinds or ARCHETYPES.values(), seed=0))
    stop, opened, urls = threading.Event(), threading.Event(), list[str]()

    def on_open(url: str) -> None:
        urls.append(url)
        opened.set()

    thread = threading.Thread(
        target=serve, args=(exhibition, options), kwargs={"stop": stop, "on_open": on_open}
    )
    thread.start()
    try:
        assert opened.wait(10)
        yield urls[0].replace("localhost", "127.0.0.1"), exhibition
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(timeout=5, retries=False) as pool:
        yield pool


def test_a_site_is_filled_in_and_what_was_sent_is_shown(http: urllib3.PoolManager) -> None:
    with served(ServeOptions(plain=True)) as (url, _):
        assert "wizard--accepted" in http.request("GET", url).data.decode()
        answer = http.request("GET", f"{url}_visit/minimal--accepted", redirect=False)
        form = answer.headers["Location"]
        assert form == "/at/minimal--accepted/submit"
        assert "<form" in http.request("GET", url + form[1:]).data.decode()
        sent = http.request(
            "POST", url + form[1:], fields={"name": "Ä & Ö", "url": "x"}, encode_multipart=False
        )
        assert "Thank you" in sent.data.decode()
        shown = http.request("GET", f"{url}_received").data.decode()
        assert "name = Ä &amp; Ö" in shown
        assert ">stored<" in shown


def test_each_site_has_a_host_and_other_names_see_nothing(http: urllib3.PoolManager) -> None:
    with served(ServeOptions()) as (url, _):
        port = url.rstrip("/").rpartition(":")[2]
        answer = http.request("GET", f"{url}_visit/iframe--accepted", redirect=False)
        assert answer.headers["Location"] == f"http://iframe--accepted.localhost:{port}/submit"
        host = {"Host": f"iframe--accepted.localhost:{port}"}
        assert b"<iframe" in http.request("GET", f"{url}submit", headers=host).data
        for name, status in (("evil.example", 403), ("nobody.localhost", 403)):
            assert http.request("GET", url, headers={"Host": name}).status == status
        assert http.request("GET", f"{url}_visit/nobody").status == 404


def test_a_person_clicks_through_a_site_in_a_browser() -> None:
    """By the names below localhost, which the browser leads to this machine by itself."""
    with served(ServeOptions()) as (url, exhibition), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser())
        page = browser.new_page()
        page.goto(url.replace("127.0.0.1", "localhost"))
        page.click("a[href='/_visit/wizard--accepted']")
        assert "//wizard--accepted.localhost:" in page.url
        page.fill("[name=name]", "Maple")
        page.click("#next")
        page.fill("[name=description]", "Two\nlines")
        page.click("button[type=submit]")
        page.wait_for_selector("text=Thank you")
        browser.close()
        last, _ = exhibition.received
        assert last.accepted
        assert (last.values["name"], last.values["description"]) == ("Maple", "Two\nlines")


def test_a_site_that_never_answers_does_not_hold_up_the_end(http: urllib3.PoolManager) -> None:
    with served(ServeOptions(plain=True)) as (url, _):
        with pytest.raises(urllib3.exceptions.TimeoutError):
            http.request("GET", f"{url}at/never-answers--slow/submit", timeout=0.3)
        ended = time.monotonic()
    assert time.monotonic() - ended < 5


def test_once_ends_after_the_answer_to_the_first_form(http: urllib3.PoolManager) -> None:
    with served(ServeOptions(plain=True, once=True)) as (url, exhibition):
        form = f"{url}at/minimal--accepted/submit"
        fields = {"name": "A", "url": "x"}
        sent = http.request("POST", form, fields=fields, encode_multipart=False)
        assert "Thank you" in sent.data.decode()
        assert len(exhibition.received) == 1
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                http.request("GET", url)
            except urllib3.exceptions.HTTPError:
                return
        raise AssertionError("it goes on serving")


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentProblem, match=f"--port {port}: .* Give another"):
            serve(Exhibition(()), ServeOptions(port=port), stop=threading.Event())


def test_ctrl_c_ends_the_command_cleanly() -> None:
    command = [sys.executable, "-m", "harness.cli", "sandbox", "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "http://localhost:" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out.splitlines()[-1], err) == (0, "received: 0", "Stopping …\n")


def test_a_recorded_job_is_served_as_the_record_shows_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [make_control(host="maple.example"), make_control("pending", host="birch.example")]
    path = str(make_journal(tmp_path, *rows).path)
    serve_job = [
        "sandbox",
        "serve",
        "--port",
        "0",
        "--for",
        "0.1s",
        "--journal",
        path,
        "--job",
        JOB,
    ]
    assert run([*serve_job, "--directory", "maple.example"]) == 0
    assert capsys.readouterr().out.startswith("1 sites: http://localhost:")
    assert run([*serve_job, "--directory", "birch.example"]) == 2
    assert "environment unknown" in capsys.readouterr().err
    assert run([*serve_job, "--directory", "maple.exmple"]) == 2
    assert "did you mean maple.example?" in capsys.readouterr().err
    assert run(["sandbox", "serve", "--archetype", "wizzard"]) == 2
    assert "did you mean wizard?" in capsys.readouterr().err


def test_an_address_is_fetched_once_and_served_again_as_a_kind_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], http: urllib3.PoolManager
) -> None:
    kinds = str(tmp_path / "kinds")
    with served(ServeOptions(plain=True)) as (url, _):
        address = f"{url}at/hosted-form--accepted/forms/d/e/sandbox/viewform"
        captured = ["sandbox", "capture", address, "--name", "tally", "--out", kinds]
        assert run(captured) == 0
        told = capsys.readouterr().out
        assert "tally: 4 fields: entry.1045781291, " in told
        assert run([*captured[:2], f"{url}at/forbidden--forbidden/x", *captured[3:5]]) == 2
        assert "the site answered 403" in capsys.readouterr().err
    assert run(["sandbox", "serve", "--archetypes", kinds, "--archetype", "tally", "--port", "0",
                "--for", "0.1s"]) == 0  # fmt: skip
    assert f"{len(Condition)} sites: " in capsys.readouterr().out
    kind = load_archetypes(Path(kinds), ARCHETYPES)["tally"]
    with served(ServeOptions(plain=True), kind) as (url, _):
        page = http.request("GET", f"{url}at/tally--accepted{kind.path}").data.decode()
        assert 'name="entry.1045781291"' in page
