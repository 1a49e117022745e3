"""What a person does from the dashboard with rules and replays: try, add, start, stop, resume."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.assessment import ReplayProgress
from harness.compare.kinds import FIELDS_OF_KIND
from harness.gates.wording import counted
from harness.tui.acting import ActingApp
from harness.tui.actions.port import Child, Operations, ReplayOrder
from harness.tui.looked import RuleSaid
from harness.tui.screens.form import Answer, Field, Form, FormScreen, Submit
from harness.tui.screens.weighed import Proposal, WeighedScreen
from harness.tui.sources import source_of
from harness.tui.wording import plain

if TYPE_CHECKING:
    from harness.assess.weighing import Weighed

LEAVE, ADD, ADD_ALL_THE_SAME = "leave", "add", "accept"
ELSEWHERE = (
    "{run} was not started by this dashboard. Where it runs, Ctrl-C ends it after the submissions "
    "in hand."
)


class RunningApp(ActingApp):
    """What of the app tries rules and runs replays."""

    runs_here: dict[str, Child]
    """The replays started by this dashboard, by name of the run, ended ones too."""

    # Rules.

    def action_try_rule(self) -> None:
        """Ask for a rule and show what it would hide."""
        shown = self.view.assessment
        if shown is None:
            self.notify("Nothing is shown yet.")
            return
        seq, source = shown.provenance.seq, source_of(self)
        found: list[tuple[Proposal, Weighed]] = []

        def submit(answer: Answer) -> str:
            proposal = proposal_of(answer)
            said = RuleSaid(
                name=proposal.name, author=proposal.author, reason=proposal.reason
            )  # fmt: skip
            found.append((proposal, source.try_rule(proposal.rule, said, seq)))
            return "weighed"

        def done(words: str | None) -> None:
            if words is not None:
                self._show_trial(*found[-1])

        self.push_screen(FormScreen(try_form(self.author), submit), done)

    def _show_trial(self, proposal: Proposal, weighed: Weighed) -> None:
        def answered(add: bool | None) -> None:
            if add:
                self._confirm_rule(proposal, weighed)

        title = f"On trial: {proposal.rule}"
        self.push_screen(WeighedScreen(title, weighed, proposed=True), answered)

    def _confirm_rule(self, proposal: Proposal, weighed: Weighed) -> None:
        """Ask once more before the team's file is written."""
        if not (ready := self._allowed(writes=True)):
            return
        operations, _ = ready

        def submit(answer: Answer) -> str:
            if answer["choice"] == LEAVE:
                return "Nothing was written."
            return operations.add_rule(
                proposal.rule, name=answer["name"], author=self._named(answer),
                reason=answer["reason"], accept=answer["choice"] == ADD_ALL_THE_SAME,
            )  # fmt: skip

        self._ask(add_form(proposal, weighed, self.author), submit)

    # Replays.

    def action_new_replay(self) -> None:
        """Ask for a run and start it."""
        if not (ready := self._allowed(writes=True)):
            return
        operations, shown = ready
        self._ask(replay_form(len(shown.replays)), self._starting(operations, resume=None))

    def action_resume_replay(self, run: ReplayProgress | None) -> None:
        """Continue a run that did not come to its end."""
        if not (ready := self._allowed(writes=True)):
            return
        operations, _ = ready
        if run is None:
            self.notify("Put the cursor on a run first.")
        elif run.finished_at:
            self.notify(f"{plain(run.run)} has come to its end; n starts another.", markup=False)
        elif self._alive(run.run):
            self.notify(f"{plain(run.run)} is running.", markup=False)
        else:
            self._ask(resume_form(run), self._starting(operations, resume=run.run))

    def _starting(self, operations: Operations, *, resume: str | None) -> Submit:
        def submit(answer: Answer) -> str:
            child = operations.run_replay(order_of(answer, resume=resume))
            self.post_message(self.ReplayStarted(child))
            return f"{plain(child.name)} runs."

        return submit

    def action_stop_replay(self, run: str | None) -> None:
        """End a run after the submissions in hand."""
        if not self._allowed(writes=True):
            return
        child = self._alive(run) if run is not None else None
        if run is None:
            self.notify("Put the cursor on a run first.")
        elif child is None:
            self.notify(ELSEWHERE.format(run=plain(run)), markup=False)
        else:
            child.stop()
            self.notify(f"{plain(run)}: ending what is in hand. c continues it.", markup=False)

    def _alive(self, run: str) -> Child | None:
        child = self.runs_here.get(run)
        return child if child is not None and child.poll() is None else None

    def on_acting_app_replay_started(self, event: ActingApp.ReplayStarted) -> None:
        """Keep it, to show what it says and to stop it."""
        self.runs_here[event.child.name] = event.child


def try_form(author: str) -> Form:
    """Asks for a rule, as ``shadow rules test`` takes it."""
    return Form(
        title="Try a rule",
        lead=("What would it hide? Nothing is written by trying it.",),
        choices=tuple(
            (kind, f"{kind:<12} {_fields(fields)}") for kind, fields in FIELDS_OF_KIND.items()
        ),
        chosen="casefold",
        fields=(
            Field(name="field", label="field", value="values.name", placeholder="values.name"),
            Field(name="more", label="settings", placeholder='directory = "*.example", limit = 60'),
            Field(name="name", label="name", placeholder="name-case"),
            Field(name="reason", label="reason", placeholder="why the difference is legitimate"),
            Field(name="author", label="by", value=author, placeholder="who answers for it"),
        ),
    )


def _fields(fields: tuple[str, ...]) -> str:
    if len(fields) > 3:
        return f"{fields[0]}, {fields[1]} and {len(fields) - 2} more"
    return ", ".join(fields)


def proposal_of(answer: Answer) -> Proposal:
    """The rule of a filled in form."""
    parts = [f"kind = {json.dumps(answer['choice'])}", f"field = {json.dumps(answer['field'])}"]
    if more := answer["more"].strip().strip(","):
        parts.append(more)
    return Proposal(
        rule=", ".join(parts),
        name=answer["name"].strip(),
        author=answer["author"].strip(),
        reason=answer["reason"].strip(),
    )


def add_form(proposal: Proposal, weighed: Weighed, author: str) -> Form:
    """Asks whether the rule is to be written; a real fault must be accepted by name."""
    faults = len(weighed.trial.faults)
    choices = [(LEAVE, "leave it"), (ADD, "add it to the team's rules file")]
    lead = [proposal.rule, f"It hides {counted(len(weighed.trial.hidden), 'difference')}."]
    if faults:
        words = counted(faults, "real fault")
        choices[1] = (ADD_ALL_THE_SAME, f"add it although it hides {words}")
        lead[1] += f" ✕ {words} among them."
    return Form(
        title="Add the rule?",
        lead=tuple(lead),
        choices=tuple(choices),
        chosen=LEAVE,
        fields=(
            Field(name="name", label="name", value=proposal.name, placeholder="name-case"),
            Field(name="reason", label="reason", value=proposal.reason,
                  placeholder="why the difference is legitimate"),
            Field(name="by", label="by", value=proposal.author or author,
                  placeholder="who answers for it"),
        ),
    )  # fmt: skip


def replay_form(runs: int) -> Form:
    """Asks what a run is to be."""
    return Form(
        title="Start a replay",
        lead=("What was recorded goes through the worker, in the sandbox.",),
        scopes=(("all", "everything that was recorded"),
                ("differing", "only pairs that differ in production")),
        fields=(
            Field(name="run", label="run", value=f"run-{runs + 1}", placeholder="its name"),
            Field(name="limit", label="limit", placeholder="so many submissions; empty: all"),
            Field(name="worker", label="worker", value="playwright",
                  placeholder="playwright, python:module:function or command:PROGRAM"),
            Field(name="concurrency", label="at once", value="auto", placeholder="auto or 4"),
        ),
    )  # fmt: skip


def resume_form(run: ReplayProgress) -> Form:
    """Asks how a run is to go on."""
    left = run.selected - run.done - run.excluded
    return Form(
        title=f"Continue {plain(run.run)}?",
        lead=(f"{counted(left, 'submission')} left. The worker must be the one of its start.",),
        fields=(
            Field(name="worker", label="worker", value=plain(run.worker)),
            Field(name="concurrency", label="at once", value="auto", placeholder="auto or 4"),
        ),
    )


def order_of(answer: Answer, *, resume: str | None) -> ReplayOrder:
    """The order of a filled in form. resume: the run that goes on; None starts one."""
    return ReplayOrder(
        run=answer["run"] if resume is None else resume,
        resume=resume is not None,
        worker=answer["worker"],
        limit=answer.get("limit", ""),
        concurrency=answer["concurrency"],
        differing=answer.get("scope") == "differing",
    )
