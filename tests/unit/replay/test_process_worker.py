"""What a program is told, what its answers claim, and how a function is called."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ReplayError
from harness.model import Order, Outcome, PlanStep
from replay.worker import python_host
from replay.worker.choose import make_worker
from replay.worker.process import (
    UnusableAnswerError,
    check_answer,
    claim_of,
    order_line,
    read_answer,
)

ORDER = {"job_id": "j", "directory": "d.example", "plan": [], "business": {"name": "Ahorn"}}


def test_an_order_is_one_line_that_holds_what_production_gives() -> None:
    step = PlanStep(action="fill", selector="#a", value="zwei\nZeilen")
    order = Order(job_id="j", directory="d.example", plan=(step,), business={"name": "Söhne"})
    line = order_line(order)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == {
        "job_id": "j",
        "directory": "d.example",
        "plan": [
            {
                "action": "fill", "selector": "#a", "value": "zwei\nZeilen",
                "url": None, "until": None, "seconds": None,
            }
        ],
        "business": {"name": "Söhne"},
    }  # fmt: skip


@pytest.mark.parametrize(
    "line", [b"", b"\n", b"starting {", b"{not json}", b'["status"]', b'"{}"', b"\xff\xfe{"]
)
def test_what_is_no_object_is_no_answer(line: bytes) -> None:
    assert read_answer(line) is None


def test_the_companys_result_becomes_a_claim() -> None:
    claim = claim_of(
        {
            "status": "failed",
            "duration_ms": 7100,
            "screenshot_url": "/tmp/a.png",
            "listing_url": None,
            "error_message": "No success indicators found on final page",
            "response_log": {"final_url": "https://d.example/submit", "steps_executed": 8},
        },
        elapsed_ms=1,
    )
    assert (claim.status, claim.duration_ms, claim.steps_done) == (Outcome.FAILED, 7100, 8)
    assert claim.final_url == "https://d.example/submit"
    assert claim.error_text == "No success indicators found on final page"


def test_an_answer_to_another_order_is_refused() -> None:
    order = Order(job_id="j", directory="d.example", plan=())
    check_answer({"job_id": "j", "directory": "d.example"}, order)
    check_answer({"status": "failed"}, order)
    with pytest.raises(UnusableAnswerError, match=r"directory = 'c\.example' is of another order"):
        check_answer({"directory": "c.example"}, order)


def test_its_error_without_a_page_becomes_a_claim() -> None:
    log = {"error": "boom", "error_type": "RuntimeError"}
    claim = claim_of({"status": "FAILED", "response_log": log}, elapsed_ms=12.34)
    assert (claim.error_text, claim.duration_ms, claim.steps_done) == ("boom", 12.3, 0)


@given(
    st.dictionaries(
        st.sampled_from(
            ["status", "duration_ms", "error_message", "response_log", "steps_done", "final_url"]
        ),
        st.one_of(
            st.none(), st.booleans(), st.floats(), st.text(), st.integers(),
            st.sampled_from(["submitted", "failed"]), st.lists(st.integers()),
            st.dictionaries(st.sampled_from(["final_url", "steps_executed"]), st.integers()),
        ),
    )
)  # fmt: skip
def test_whatever_comes_is_a_sound_claim_or_refused(result: dict[str, Any]) -> None:
    try:
        claim = claim_of(result, elapsed_ms=5.0)
    except UnusableAnswerError:
        assert str(result.get("status")).lower() not in ("submitted", "failed", "skipped")
        return
    assert claim.status in (Outcome.SUBMITTED, Outcome.FAILED)
    assert 0 <= claim.duration_ms < float("inf")
    assert claim.steps_done >= 0
    json.dumps({"text": claim.error_text, "url": claim.final_url})


def test_a_function_is_given_what_it_names() -> None:
    def by_name(plan: Any, job_id: str, dry_run: bool = False) -> Any:
        return job_id, plan, dry_run

    def by_place(directory: str, business: Any, /) -> Any:
        return directory, business

    def all_of_it(job_id: str, *_: Any, **rest: Any) -> Any:
        return job_id, sorted(rest)

    async def later(order: Any) -> Any:
        return order["job_id"]

    assert python_host.call(by_name, ORDER) == ("j", [], False)
    assert python_host.call(by_place, ORDER) == ("d.example", {"name": "Ahorn"})
    assert python_host.call(all_of_it, ORDER) == ("j", ["business", "directory", "plan"])
    assert python_host.call(later, ORDER) == "j"


def test_a_function_that_starts_a_loop_of_its_own_may() -> None:
    async def inner() -> str:
        return "done"

    assert python_host.call(lambda: asyncio.run(inner()), ORDER) == "done"


def test_a_function_that_wants_more_is_told_what_there_is() -> None:
    with pytest.raises(TypeError, match="wants 'customer'; it can be given job_id, directory"):
        python_host.call(lambda customer: customer, ORDER)


@pytest.fixture
def _real_sleeps() -> Iterator[None]:
    kept = time.sleep, asyncio.sleep
    yield
    time.sleep, asyncio.sleep = kept
    asyncio.tasks.sleep = kept[1]


@pytest.mark.usefixtures("_real_sleeps")
def test_fast_sleeps_are_a_fiftieth_and_leave_timeouts_alone() -> None:
    python_host.shorten_sleeps()

    async def naps() -> str:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.2)
        return await asyncio.sleep(5, "slept")

    began = time.perf_counter()
    time.sleep(2.5)
    assert asyncio.run(naps()) == "slept"
    took_s = time.perf_counter() - began
    assert 0.05 + 0.2 + 0.1 <= took_s < 2.5


def test_the_host_needs_no_new_python_and_nothing_of_ours(tmp_path: Path) -> None:
    """Run with an interpreter that sees no site packages, and beside our own modules."""
    (tmp_path / "w.py").write_text("import contract\ndef work(): ...\n", encoding="utf-8")
    script = (
        "import os, runpy, sys\n"
        "os.dup2(os.open(os.devnull, os.O_RDONLY), 3); os.dup2(2, 4)\n"
        f"sys.argv[1:] = ['--path', {str(tmp_path)!r}, 'w:work']\n"
        f"runpy.run_path({python_host.__file__!r}, run_name='__main__')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False
    )
    assert '{"refused": "ModuleNotFoundError: No module named \'contract\'"}' in ended.stderr


@pytest.mark.parametrize(
    ("spec", "options", "words"),
    [
        ("other", {}, "worker = other is no worker"),
        ("python:module", {}, "give python:module:function"),
        ("command:", {}, "give a program"),
        ("command:no-such-program-here", {}, "there is no program no-such-program-here"),
        ("command:'open", {}, "Mend the quotes"),
        ("playwright", {"fast_sleeps": True}, "fast_sleeps is for python: workers"),
        ("command:true", {"python": Path("python3")}, "worker_python is for python: workers"),
        ("python:a:b", {"python": Path("/no/python")}, "worker_python = /no/python"),
        ("python:a:b", {"folder": Path("/no/folder")}, "worker_path = /no/folder"),
    ],
)
def test_wrong_words_are_named(spec: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ReplayError, match=words):
        make_worker(spec, **options)


def test_a_command_is_found_beside_the_worker(tmp_path: Path) -> None:
    program = tmp_path / "work.sh"
    program.touch()
    worker = make_worker("command:./work.sh --fast 'a b'", folder=tmp_path)
    assert worker is not None
    assert worker.argv == (str(program), "--fast", "a b")
    assert make_worker("playwright") is None
