"""``shadow watch`` in a real terminal, beside a rehearsal that is still being recorded.

What stands in the pane is compared with what ``shadow report`` says of the same seq, and when the
dashboard has gone the terminal is as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.pane import TMUX, Modes, Pane, opened_pane, panel, rows
from tests.support.processes import SHADOW, Shadow, run_shadow, wait_for
from tests.tui.figures import at_path
from tests.tui.reading import agrees
from tests.tui.support import key_of

pytestmark = [
    pytest.mark.serial,
    pytest.mark.skipif(TMUX is None, reason="tmux is not installed: no real terminal to look at"),
]

WIDTH, HEIGHT = 200, 70
SPEED = 60
"""So slow that the rehearsal still runs at the third look, even on a busy machine."""
CLEAN = Modes(cursor=True, alternate=False, mouse=False)

# A value with its unit; a time; a word.
V = r"(–|not recorded|[\d,.]+ (?:ms|s)|\d+m \d\ds|\d+h \d\dm|\d+d \d\dh)"
P = r"(not recorded|[\d.]+ %)"
N = r"([\d,.]+)"
T = r"(\d\d \w{3} \d\d:\d\d:\d\d)"

OVERVIEW = (
    ("Agreement", rf"{P} of {N} jobs?", ("agreement.by_job.value", "agreement.by_job.n")),
    ("Agreement", rf"by submission {P}, without rules {P}",
     ("agreement.by_submission.value", "agreement.without_rules.value")),
    ("Agreement", rf"live: {N} pairs? = {N} agree \+ {N} mismatch \+ {N} missing candidate",
     ("pairs.0.pairs", "pairs.0.verdicts.agree", "pairs.0.verdicts.mismatch",
      "pairs.0.verdicts.missing_candidate")),
    ("Agreement", rf"compared {N} of {N} jobs?, {N} of {N} submissions?",
     ("coverage.jobs_compared", "coverage.jobs", "coverage.submissions_compared",
      "coverage.submissions")),
    ("Operations", rf"jobs/h {N} created; ended: old {N}, new {N}",
     tuple(f"operations.traffic.{one}_per_h" for one in ("admitted", "control", "candidate"))),
    ("Operations", rf"backlog old {N}, new {N}, lost at new {N}",
     tuple(f"operations.traffic.{one}"
           for one in ("control_backlog", "candidate_backlog", "candidate_lost"))),
    ("Operations", rf"queue {N} waiting, {N} in flight",
     ("operations.queue.depth", "operations.queue.in_flight")),
    ("Operations", rf"DLQ (?:▲ )?{N} dead letters?", ("operations.queue.dlq_depth",)),
    ("Operations", rf"workers {N} running, {N} idle, (?:▲ )?{N} stale",
     tuple(f"operations.workers.{one}" for one in ("running", "idle", "stale"))),
    ("Operations", rf"record (?:▲ )?to {T}, {V} behind",
     ("recording.complete_until", "recording.lag_s")),
    ("Operations", rf"locks {N} retries", ("recording.recorder.lock_retries",)),
    ("Operations", rf"{N} events", ("recording.events",)),
    ("Latency", rf"{N} old jobs?, {N} new jobs?", ("latency.0.control_n", "latency.0.candidate_n")),
    *(
        ("Latency", rf"{name} {V} {V} \S+ {V} {V} \S+ {V} {V} \S+",
         tuple(f"latency.{place}.{side}.{at}.value_s"
               for at in range(3) for side in ("control", "candidate")))
        for place, name in enumerate(("End to end", "Queue wait", "Processing", "Directory"))
    ),
)  # fmt: skip
"""Frame, what stands in it, and the names in the JSON report of the figures there, in order."""
HEALTH = (
    ("Sources", rf"complete to {T}, {V} behind", ("recording.complete_until", "recording.lag_s")),
    ("Sources", rf"production to {T}, {V} behind",
     ("recording.marks.0.complete_until", "recording.marks.0.lag_s")),
    ("Sources", rf"queues {N} {T}",
     ("recording.samplers.0.samples", "recording.samplers.0.last_at")),
    ("Recorder", r"session (\w+), (\w+)",
     ("recording.recorder.session", "recording.recorder.mode")),
    ("Recorder", rf"last sweep {T} \({V} ago\), took {V}",
     ("recording.recorder.last_sweep_at", "recording.recorder.sweep_age_s",
      "recording.recorder.sweep_cost_ms")),
    ("Recorder", rf"ticks every {V}, mean {V}, {N} polls",
     tuple(f"recording.recorder.{one}" for one in ("tick_s", "tick_cost_ms", "polls"))),
    ("Recorder", rf"sweeps at least {V} apart", ("recording.recorder.sweep_min_interval_s",)),
    ("Recorder", rf"lock retries {N}", ("recording.recorder.lock_retries",)),
    ("Recorder", r"server (\d+)", ("recording.recorder.server_version",)),
    ("Journal", rf"events {N} in {N} batches", ("recording.events", "recording.batches")),
    ("Journal", rf"seq {N}, schema version {N}",
     ("provenance.seq", "provenance.journal_schema_version")),
    ("Journal", r"chain (\w+…)", ("provenance.journal_hash",)),
    ("Journal", rf"drift {N} changes", ("recording.drifts",)),
    ("Journal", rf"clock jumps {N}", ("recording.clock_jumps",)),
    *(
        ("Journal", rf"{N} {kind}(?: |$)", (f"recording.by_kind.{kind}",))
        for kind in ("jobs", "directory_submissions", "queue_history", "customers")
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a rehearsal that runs."""
    folder = tmp_path_factory.mktemp("terminal")
    demo = Shadow(
        ["demo", "--jobs", "24", "--speed", f"{SPEED}", "--no-browser", "--keep", "kept"],
        cwd=folder,
    )
    try:
        wait_for(
            lambda: bool(list(folder.glob("kept/rehearsal-*/shadow.toml"))),
            what="the journal's settings", timeout_s=90,
        )  # fmt: skip
        (found,) = (folder / "kept").glob("rehearsal-*")
        wait_for((found / "shadow.duckdb").exists, what="the journal", timeout_s=90)
        yield found
    finally:
        demo.kill_all()


@pytest.fixture
def pane(rehearsal: Path, tmp_path: Path) -> Iterator[Pane]:
    """A shell in a terminal, in the rehearsal's folder."""
    environ = {"XDG_STATE_HOME": str(tmp_path), "PS1": "ready> "}
    with opened_pane(cwd=rehearsal, width=WIDTH, height=HEIGHT, environ=environ) as opened:
        yield opened


def seq_of(text: str) -> int | None:
    """The seq that the time bar claims the screen to be of."""
    found = re.search(r"^ ● LIVE seq ([\d,]+)", text, re.MULTILINE)
    return int(found[1].replace(",", "")) if found else None


def report_as_of(folder: Path, seq: int) -> dict[str, Any]:
    ended = run_shadow(
        "report", "--config", "shadow.toml", "--format", "json", "--as-of", f"{seq}",
        "--out", "-", cwd=folder, timeout_s=120,
    )  # fmt: skip
    assert ended.code in (0, 1, 3), ended.err
    report: dict[str, Any] = json.loads(ended.out)
    assert report["provenance"]["seq"] == seq
    return report


def looked(pane: Pane, screen: str, *, after: int) -> tuple[str, int]:
    """The text of a screen of a later seq than `after`, and that seq."""
    pane.press(key_of(screen))
    title = f"[{key_of(screen)} {screen.capitalize()}"
    text = pane.wait_for(
        lambda text: title in text and (seq_of(text) or 0) > after,
        what=f"the {screen} of a later seq than {after}",
    )
    seq = seq_of(text)
    assert seq is not None
    return text, seq


def check(text: str, report: dict[str, Any], entries: tuple[Any, ...]) -> int:
    """Every entry's figures; returns how many there were."""
    counted = 0
    for title, pattern, paths in entries:
        words = panel(text, title)
        if at_path(report, paths[0]) is None:
            continue
        found = re.search(pattern, words)
        assert found is not None, (pattern, words)
        for shown, path in zip(found.groups(), paths, strict=True):
            assert agrees(shown, at_path(report, path)), (path, shown, at_path(report, path))
            counted += 1
    return counted


def check_gates(lines: list[str], report: dict[str, Any]) -> int:
    """Every gate stands there with its value, and with its evidence where that has room."""
    begun = {phase["phase"] for phase in report["phases"] if phase["begun"] or phase["decides"]}
    gates = [gate for gate in report["gates"] if gate["phase"] in begun]
    assert gates
    titles = [one["title"] for one in (*report["phases"], *report["gates"])]
    starts = [n for n, line in enumerate(lines) if any(title in line for title in titles)]
    ends = dict(zip(starts, [*starts[1:], len(lines)], strict=True))
    for gate in gates:
        start = next(n for n in starts if gate["title"] in lines[n])
        # Columns go on side by side on the lines below, so the words of one keep their order.
        words = " ".join(lines[start : ends[start]]).partition(gate["title"])[2].split()
        assert in_order(gate["value_text"].split(), words), (gate, words)
        if len(words) > len(gate["value_text"].split()):
            assert in_order(gate["evidence_text"].split(), words), (gate, words)
    return 2 * len(gates)


def in_order(wanted: list[str], words: list[str]) -> bool:
    """Whether all stand there, one after the other."""
    rest = iter(words)
    return all(word in rest for word in wanted)


def check_masthead(text: str, report: dict[str, Any]) -> None:
    """Decision, reason and counts at the keys."""
    # The moment stands on the same line as a reason that goes on below it.
    head = " ".join(re.sub(r"● LIVE \d.*? ago", "", text).split())
    assert f"{report['decision']} {report['reason']}" in head
    for name in ("differences", "findings", "replays", "rules"):
        shown = rf"{key_of(name)} {name.capitalize()} {len(report[name]):,}\b"
        assert re.search(shown, head) or not report[name], (shown, head[:600])


def test_three_moments_of_a_running_record_show_what_the_report_says_of_the_same_seq(
    rehearsal: Path, pane: Pane
) -> None:
    pane.run([str(SHADOW), "watch", "--config", "shadow.toml", "--fresh", "--theme", "dark"])
    parts = ("jobs/h", "End to end", "pairs =", "by submission")
    pane.wait_for(lambda text: all(part in text for part in parts), what="the overview")

    text, first = looked(pane, "overview", after=0)
    report = report_as_of(rehearsal, first)
    check_masthead(text, report)
    counted = check(text, report, OVERVIEW) + check_gates(rows(text, "Gates"), report)
    assert counted >= 50

    text, second = looked(pane, "gates", after=first)
    report = report_as_of(rehearsal, second)
    check_masthead(text, report)
    check_gates(rows(text, "Gates by phase"), report)
    shown = report["gates"][0]
    words = panel(text, shown["title"])
    for label, value in (
        ("says", "reason"), ("value", "value_text"), ("required", "threshold_text"),
        ("evidence", "evidence_text"), ("owner", "owner"), ("when red", "when_red"),
    ):  # fmt: skip
        assert f"{label} {shown[value]}" in words, (label, shown[value], words)

    text, third = looked(pane, "health", after=second)
    report = report_as_of(rehearsal, third)
    check_masthead(text, report)
    assert check(text, report, HEALTH) >= 20
    assert first < second < third


@pytest.mark.parametrize("key", ["q", "C-c"])
def test_leaving_gives_the_terminal_back_as_it_was(pane: Pane, key: str, tmp_path: Path) -> None:
    def settings(name: str) -> str:
        file = tmp_path / name
        pane.run(["sh", "-c", f"stty -a > {file}.new; mv {file}.new {file}"])
        wait_for(file.exists, what="stty")
        return file.read_text()

    before = settings("before")
    assert pane.modes() == CLEAN
    pane.run([str(SHADOW), "watch", "--config", "shadow.toml", "--fresh"])
    pane.wait_for(lambda text: "LIVE seq" in text, what="the dashboard")
    assert pane.modes() == Modes(cursor=False, alternate=True, mouse=True)
    pane.press(key)
    wait_for(lambda: pane.modes() == CLEAN, what="a clean terminal")
    pane.wait_for(lambda text: text.rstrip().endswith("ready>"), what="the prompt")
    assert settings("after") == before
    assert "LIVE seq" not in pane.text()
