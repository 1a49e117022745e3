"""The wrapped Chromium: where it is found, which switches it gets and which it never gets."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.seal.environment import sealed_environment
from replay.seal.launcher import find_manifests, lay_out_downloads, link_names, write_wrapper
from replay.seal.names import read_question
from tests.support.foreign import DRIVER, make_node_worker

SEAL = ["--proxy-server=http://127.0.0.1:1", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE x"]


def given_to_the_browser(folder: Path, *words: str) -> list[str]:
    echo = folder / "browser of ours"
    echo.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    echo.chmod(0o755)
    write_wrapper(folder / "wrapper", echo, SEAL)
    told = subprocess.run(
        [folder / "wrapper", *words], capture_output=True, text=True, check=True
    ).stdout
    return told.splitlines()


def test_the_seals_switches_come_last_and_the_workers_own_stay(tmp_path: Path) -> None:
    words = ["--headless", "--user-data-dir=/tmp/a b", "--lang=de", "", "about:blank", "it's $HOME"]
    assert given_to_the_browser(tmp_path, *words)[: len(words) + 2] == [*words, *SEAL]


@pytest.mark.parametrize(
    "word",
    [
        "--proxy-server=http://127.0.0.1:9",
        "-proxy-server=direct://",
        "--no-proxy-server",
        "--proxy-bypass-list=*",
        "--proxy-pac-url=http://pac.example/",
        "--host-resolver-rules=MAP * 127.0.0.1",
        "--ignore-certificate-errors",
        "--ignore-certificate-errors-spki-list=AAAA",
        "--webrtc-ip-handling-policy=default",
        "--",
    ],
)
def test_switches_that_would_open_the_seal_are_left_out(tmp_path: Path, word: str) -> None:
    got = given_to_the_browser(tmp_path, "--user-data-dir=p", word, "--kept")
    assert got[:2] == ["--user-data-dir=p", "--kept"]
    assert got[2:4] == SEAL


def test_a_browser_without_a_profile_gets_one(tmp_path: Path) -> None:
    """Without one Chromium passes over the authority that the seal names."""
    assert any(word.startswith("--user-data-dir=") for word in given_to_the_browser(tmp_path))


def test_each_playwright_finds_its_download(tmp_path: Path) -> None:
    worker = make_node_worker(tmp_path)
    (manifest,) = find_manifests([worker])
    assert manifest.resolve() == DRIVER / "package" / "browsers.json"
    old = tmp_path / "old.json"
    old.write_text(
        json.dumps({"browsers": [{"name": "chromium", "revision": "1000"}, {"name": "webkit"}]}),
        encoding="utf-8",
    )
    broken = tmp_path / "broken.json"
    broken.write_text("[]", encoding="utf-8")
    wrapper = tmp_path / "wrapper"
    wrapper.touch()
    lay_out_downloads(tmp_path / "all", wrapper, [manifest, old, broken, tmp_path / "missing"])
    wanted = {b["name"]: b["revision"] for b in json.loads(manifest.read_bytes())["browsers"]}
    for place in (
        f"chromium-{wanted['chromium']}/chrome-linux64/chrome",
        f"chromium_headless_shell-{wanted['chromium-headless-shell']}"
        "/chrome-headless-shell-linux64/chrome-headless-shell",
        "chromium-1000/chrome-linux/chrome",
    ):
        assert (tmp_path / "all" / place).resolve() == wrapper
    link_names(tmp_path, wrapper)
    assert (tmp_path / "google-chrome").resolve() == wrapper


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_an_environment_is_made_of_nothing_of_ours(parent: dict[str, str]) -> None:
    here = Path("/slot")
    made = sealed_environment(
        parent | {"DATABASE_URL": "secret", "PATH": "/opt/bin", "TZ": "UTC"},
        door="http://127.0.0.1:1", authority=here / "ca", home=here / "home",
        temporary=here / "tmp", programs=here / "bin", browsers=here / "browsers",
        browser=here / "chromium",
    )  # fmt: skip
    names = set(sealed_environment({}, door="", authority=here, home=here, temporary=here,
                                   programs=here, browsers=here, browser=here))  # fmt: skip
    kept = {"LANG", "LC_ALL", "LC_CTYPE", "LANGUAGE", "TZ", "TERM"}
    assert made.keys() - names <= kept
    assert made["PATH"] == "/slot/bin:/opt/bin"
    assert made["TZ"] == "UTC"
    assert made["NO_PROXY"] == made["no_proxy"] == ""
    assert made["https_proxy"] == made["HTTPS_PROXY"] == "http://127.0.0.1:1"


def query(name: str) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1"


def test_a_question_for_a_name_is_read() -> None:
    asked = query("Evil.example")
    assert read_question(asked + b"more") == ("evil.example", len(asked))
    assert read_question(asked[:2] + b"\x81" + asked[3:])[0] is None, "an answer is no question"


@given(st.binary(max_size=80))
def test_no_datagram_breaks_the_name_server(data: bytes) -> None:
    read_question(data)


@given(st.integers(0, 40))
def test_a_cut_question_is_none(cut: int) -> None:
    asked = query("a.example")
    if cut < len(asked):
        assert read_question(asked[:cut])[0] is None
