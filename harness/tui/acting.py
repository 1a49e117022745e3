"""What a person does from the dashboard: label, undo, replay, copy, export, report, attest, waive.

Writing goes through `Operations`, the functions that the commands call; what is said is written
now, so it is refused while the past is on screen.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.message import Message
from textual.timer import Timer
from textual.worker import get_current_worker

from harness.assessment import Assessment, Cluster, Difference, Evidence, Finding, Triage
from harness.errors import ShadowError
from harness.model import TriageLabel
from harness.tui.actions.forms import (
    ALONE,
    TAKE_BACK,
    attest_form,
    label_form,
    report_form,
    undo_form,
    waive_form,
)
from harness.tui.actions.port import Child, Operations, Target
from harness.tui.actions.text import command_line, markdown
from harness.tui.looking import LookingApp
from harness.tui.screens.base import ShadowScreen
from harness.tui.screens.form import Answer, Form, FormScreen
from harness.tui.screens.leaving import LeavingScreen
from harness.tui.screens.text import TextScreen
from harness.tui.wording import plain

ONLY_LOOKS = "This dashboard only looks: it was opened without a way to write."
NOT_NOW = (
    "You are looking at the past, and what you say is written now. Press l for live, then say it."
)
NO_TARGET = "Put the cursor on a difference or a cause first."
CHILD_TICK_S = 1.0


@dataclass(frozen=True, slots=True)
class _Said:
    """A label that was given in this run, and what stood there before."""

    target: str
    label: TriageLabel
    before: Triage | None


class ActingApp(LookingApp):
    """What of the app does things."""

    EXPORT_FOLDER: ClassVar[str] = "."

    @dataclass
    class Copied(Message):
        """A text is ready for the clipboard."""

        title: str
        text: str

    @dataclass
    class ReplayStarted(Message):
        """A replay runs in a process of its own."""

        child: Child

    @dataclass
    class ActionFailed(Message):
        """It could not be done."""

        reason: str

    operations: Operations | None = None
    author: str = ""
    _said: list[_Said]
    started: list[Child]
    """Replays whose end has not been told yet."""
    _child_tick: Timer | None = None

    def target(self) -> Target | None:
        """What the cursor of the screen in front stands on."""
        return self.screen.target() if isinstance(self.screen, ShadowScreen) else None

    def _allowed(self, *, writes: bool) -> tuple[Operations, Assessment] | None:
        """What an action needs; else the reason has been said."""
        shown = self.view.assessment
        if self.operations is None:
            self.notify(ONLY_LOOKS, severity="warning")
        elif shown is None:
            self.notify("Nothing is shown yet.")
        elif writes and self.view.past:
            self.notify(NOT_NOW, severity="warning")
        else:
            return self.operations, shown
        return None

    def _ask(self, form: Form, submit: Callable[[Answer], str]) -> None:
        def done(words: str | None) -> None:
            if words is not None:
                self.notify(words, markup=False)
                self.look(self.view.as_of)

        self.push_screen(FormScreen(form, submit), done)

    def _named(self, answer: Answer) -> str:
        self.author = answer["by"].strip() or self.author
        return answer["by"]

    def action_label(self) -> None:
        """Say what a difference or its cause comes from."""
        if not (ready := self._allowed(writes=True)):
            return
        operations, shown = ready
        target = self.target()
        if not isinstance(target, Difference | Cluster):
            self.notify(NO_TARGET)
            return
        cluster = target if isinstance(target, Cluster) else _cluster_of(target, shown)

        def submit(answer: Answer) -> str:
            of = cluster or target
            if isinstance(target, Difference) and answer.get("scope") == ALONE:
                of = target
            label = TriageLabel(answer["choice"])
            words = operations.label(of.id, label, answer["reason"], self._named(answer))
            self._said.append(_Said(of.id, label, of.triage))
            return words

        self._ask(label_form(target, cluster, shown, self.author), submit)

    def action_undo(self) -> None:
        """Take back the last label: of this run, else the newest one of this author."""
        if not (ready := self._allowed(writes=True)):
            return
        operations, shown = ready
        there = {one.target: one for one in shown.triage}
        # Somebody else may have said something of it since.
        last = next(
            (one for one in reversed(self._said)
             if one.target in there and there[one.target].label is one.label),
            None,
        )  # fmt: skip
        own = [one for one in shown.triage if one.author == self.author]
        if last is None and not own:
            self.notify(f"Nothing to take back: no label by {plain(self.author)} stands here.")
            return
        said = there[last.target] if last else max(own, key=lambda one: one.seq)
        before = last.before if last else None

        def submit(answer: Answer) -> str:
            by = self._named(answer)
            if before is None:
                words = operations.label(said.target, None, f"undo of {said.label.value}", by)
            else:
                reason = f"{before.reason} (undo of {said.label.value})"
                words = operations.label(said.target, before.label, reason, by)
            if last:
                self._said.remove(last)
            return words

        self._ask(undo_form(said, before, self.author), submit)

    def action_attest(self) -> None:
        """State what no machine can measure."""
        if not (ready := self._allowed(writes=True)):
            return
        operations, _ = ready

        def submit(answer: Answer) -> str:
            return operations.attest(
                answer["choice"], by=self._named(answer), until=answer["until"],
                holds=answer["scope"] == "holds", took=answer["took"], note=answer["note"],
            )  # fmt: skip

        def ask(names: tuple[str, ...]) -> None:
            if not names:
                self.notify("No gate of the gates file asks a person for anything.")
                return
            self._ask(attest_form(names, self.target(), self.author), submit)

        self._with(operations.attestable, ask)

    def action_waive(self) -> None:
        """Take the risk of a gate."""
        if not (ready := self._allowed(writes=True)):
            return
        operations, _ = ready

        def submit(answer: Answer) -> str:
            until = None if answer["scope"] == TAKE_BACK else answer["until"]
            return operations.waive(
                answer["choice"], by=self._named(answer), reason=answer["reason"], until=until
            )

        def ask(gates: tuple[str, ...]) -> None:
            if not gates:
                self.notify("The gates file lets no gate be waived.")
                return
            self._ask(waive_form(gates, self.target(), self.author), submit)

        self._with(operations.waivable, ask)

    def _with(
        self, names: Callable[[], tuple[str, ...]], ask: Callable[[tuple[str, ...]], None]
    ) -> None:
        """Read a small file of gates; it is said where it cannot be read."""
        try:
            found = names()
        except ShadowError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        ask(found)

    def action_report(self) -> None:
        """Write the report of what is on screen."""
        if not (ready := self._allowed(writes=False)):
            return
        operations, shown = ready

        def submit(answer: Answer) -> str:
            paths = operations.report(shown, Path(answer["folder"].strip() or "report"))
            return f"Written: {', '.join(map(str, paths))}"

        self._ask(report_form(shown, past=self.view.past), submit)

    def action_export_view(self) -> None:
        """Write what is on screen as a picture and as text."""
        if not (ready := self._allowed(writes=False)):
            return
        seq = f"-seq-{ready[1].provenance.seq}"
        name = self.screen.MODE if isinstance(self.screen, ShadowScreen) else "screen"
        strips = self.screen._compositor.render_strips()
        text = "\n".join(strip.text.rstrip() for strip in strips) + "\n"
        base = Path(self.EXPORT_FOLDER) / f"shadow-{name}{seq}"
        try:
            for path, content in ((base.with_name(f"{base.name}.svg"), self.export_screenshot()),
                                  (base.with_name(f"{base.name}.txt"), text)):  # fmt: skip
                _write_private(path, content)
        except OSError as error:
            self.notify(f"{base}: cannot be written ({error.strerror or error}).",
                        severity="warning", markup=False)  # fmt: skip
            return
        self.notify(
            f"Written: {base}.svg and .txt, for you alone: they hold what is on screen, "
            "personal values too.",
            markup=False,
        )

    def action_copy_markdown(self) -> None:
        """Copy what the cursor stands on."""
        if ready := self._allowed(writes=False):
            self.copy_masked(*ready, self.target())

    @work(thread=True, exclusive=True, group="copy", exit_on_error=False, description="copy_masked")
    def copy_masked(self, operations: Operations, shown: Assessment, target: Target | None) -> None:
        """Mask and word it, away from the screen."""
        try:
            masked = operations.masked(target, shown) if target is not None else None
            news: Message = self.Copied("Markdown", markdown(masked, shown))
        except ShadowError as error:
            news = self.ActionFailed(str(error))
        if not get_current_worker().is_cancelled:
            self.post_message(news)

    def action_copy_command(self) -> None:
        """Copy the command that shows the same."""
        if ready := self._allowed(writes=False):
            operations, shown = ready
            seq = shown.provenance.seq if self.view.past else None
            line = command_line(self.target(), operations.journal, as_of_seq=seq)
            self.post_message(self.Copied("Command", line))

    def on_acting_app_copied(self, event: Copied) -> None:
        """Hand it to the terminal, and show it: no terminal says whether it took it."""
        self.copy_to_clipboard(event.text)
        self.push_screen(TextScreen(event.title, event.text))

    def on_acting_app_action_failed(self, event: ActionFailed) -> None:
        """Say why."""
        self.notify(event.reason, severity="warning", markup=False)

    def action_replay(self) -> None:
        """Replay the pair under the cursor once more."""
        if not (ready := self._allowed(writes=True)):
            return
        operations, shown = ready
        pair = _pair_of(self.target(), shown)
        if pair is None:
            self.notify(NO_TARGET)
            return
        self.start_replay(operations, *pair)

    @work(thread=True, exclusive=True, group="replay", exit_on_error=False)
    def start_replay(self, operations: Operations, job_id: str, directory: str) -> None:
        """Start the process."""
        try:
            news: Message = self.ReplayStarted(
                operations.replay(job_id=job_id, directory=directory)
            )
        except ShadowError as error:
            news = self.ActionFailed(str(error))
        self.post_message(news)

    def on_acting_app_replay_started(self, event: ReplayStarted) -> None:
        """Watch it until it ends."""
        self.started.append(event.child)
        self.notify(
            f"Replay {event.child.name} runs as process {event.child.pid}; "
            "the screen Replays shows its progress.",
            markup=False,
        )
        if self._child_tick is None:
            self._child_tick = self.set_interval(CHILD_TICK_S, self._ask_children)

    def _ask_children(self) -> None:
        for child in list(self.started):
            code = child.poll()
            if code is not None:
                self.started.remove(child)
                went = "has ended" if code == 0 else f"has ended with code {code}"
                self.notify(
                    f"Replay {child.name} {went}. {plain(child.last_words())}",
                    severity="information" if code == 0 else "warning",
                    markup=False,
                )
                self.look(self.view.as_of)

    def running_children(self) -> list[Child]:
        """Replays that have not ended."""
        return [child for child in self.started if child.poll() is None]

    def leave(self) -> None:
        """Leave at once."""
        raise NotImplementedError

    def action_leave(self) -> None:
        """Leave; with a replay under way, ask what becomes of it."""
        running = self.running_children()
        if not running or isinstance(self.screen, LeavingScreen):
            self.leave()
            return

        def answered(word: str | None) -> None:
            if word == "stop":
                for child in running:
                    child.stop()
            if word is not None:
                self.leave()

        self.push_screen(LeavingScreen([child.name for child in running]), answered)


def _cluster_of(difference: Difference, shown: Assessment) -> Cluster | None:
    return next((one for one in shown.clusters if one.id == difference.cluster), None)


def _pair_of(target: Target | None, shown: Assessment) -> tuple[str, str] | None:
    """Job and directory to replay: of a cause or a finding, those of its first example."""
    if isinstance(target, Cluster):
        target = next((one for one in shown.differences if one.id in target.examples), None)
    if isinstance(target, Finding):
        return next(filter(None, map(_place, target.evidence)), None)
    return (target.job_id, target.directory) if isinstance(target, Difference) else None


def _place(evidence: Evidence) -> tuple[str, str] | None:
    if evidence.job_id and evidence.directory:
        return evidence.job_id, evidence.directory
    return None


def _write_private(path: Path, content: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(content)
    # The file may have been there, readable by others.
    path.chmod(0o600)
