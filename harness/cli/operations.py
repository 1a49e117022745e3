"""What the dashboard does for a person, by the very functions of the commands.

Everything that is said goes into the journal as an event; nothing here draws anything.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import click

from harness.assess.criteria import Criteria
from harness.assessment import Assessment, Cluster, Difference, Finding, GateResult
from harness.cli.attest import attestable, attested_now
from harness.cli.options import EXPIRY, settings_with
from harness.cli.rules import addition_of
from harness.cli.triage import triaged, user
from harness.cli.waive import waived_now
from harness.errors import EnvironmentProblem, SettingsError
from harness.gates.presets import load_gates
from harness.gates.wording import counted
from harness.model import TriageLabel
from harness.report.redact import redact, redact_clusters, redact_differences
from harness.settings import Settings, parse_duration_s
from harness.tui.actions.port import ReplayOrder

_TAIL_BYTES = 4096


class ReplayProcess:
    """``shadow replay`` as a process that outlives the dashboard."""

    COMMAND: ClassVar[tuple[str, ...]] = (sys.executable, "-m", "harness.cli")

    def __init__(self, name: str, arguments: list[str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as file:
            # A session of its own: Ctrl-C at the dashboard's terminal is not meant for it.
            self._process = subprocess.Popen(
                [*self.COMMAND, *arguments],
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        self.pid = self._process.pid
        # Python warns of a process that nobody waited for; this one may outlive us on purpose.
        threading.Thread(target=self._process.wait, daemon=True, name=name).start()

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """Ask it to end after what is in hand."""
        self._process.terminate()

    def last_words(self) -> str:
        """Its last two lines; its log may be gone."""
        return "; ".join(self.last_lines(2))

    def last_lines(self, most: int) -> tuple[str, ...]:
        """The last lines that it said, at most so many, oldest first."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
                lines = file.read().decode("utf-8", "replace").split("\n")
        except OSError:
            return ()
        return tuple([line.strip() for line in lines if line.strip()][-most:])


class JournalOperations:
    """Operations on one journal, judged by one settings file. Every method may take seconds."""

    def __init__(
        self,
        config: Path | None,
        journal: Path | None,
        *,
        on_criteria: Callable[[Criteria], None] | None = None,
    ) -> None:
        """on_criteria: told the new criteria after a rule was added."""
        self._on_criteria = on_criteria
        self._config = config
        self._given = journal
        self.journal = settings_with(config, journal).journal
        self.author = _author()
        self.started: list[ReplayProcess] = []
        """Every replay that was started, whether it has ended or not."""

    def label(self, target: str, label: TriageLabel | None, reason: str, by: str) -> str:
        """As ``shadow triage``."""
        with _in_words():
            word = label.value if label else None
            said, seq = triaged(target, word, reason, by, self._config, self._given)
        return f"{said} (seq {seq:,})"

    def attestable(self) -> tuple[str, ...]:
        """The names that gates ask a person for."""
        gates = self._settings().gates
        return tuple(attestable(load_gates(gates.file, gates.preset)))

    def attest(
        self, name: str, *, by: str, until: str, holds: bool, took: str, note: str
    ) -> str:  # fmt: skip
        """As ``shadow attest``."""
        with _in_words():
            said, seq = attested_now(
                self._settings(), name,
                by=by, until=_expiry(until), holds=holds, took_s=_took_s(took),
                note=note.strip() or None,
            )  # fmt: skip
        return f"{said} (seq {seq:,})"

    def waivable(self) -> tuple[str, ...]:
        """The gates that may be waived."""
        gates = self._settings().gates
        found = load_gates(gates.file, gates.preset)
        return tuple(name for name in found.digests if found.gate(name).waivable)

    def waive(self, gate: str, *, by: str, reason: str, until: str | None) -> str:
        """As ``shadow waive``; None takes it back."""
        with _in_words():
            said, seq = waived_now(
                self._settings(), gate,
                by=by, reason=reason, until=None if until is None else _expiry(until),
                take_back=until is None,
            )  # fmt: skip
        return f"{said} (seq {seq:,})"

    def report(self, assessment: Assessment, folder: Path) -> tuple[Path, ...]:
        """As ``shadow report``, of this very assessment."""
        # The libraries that draw it load slowly, and a dashboard opens often without a report.
        from harness.report.write import write_report

        return tuple(write_report(assessment, folder).values())

    def masked(
        self, target: Difference | Cluster | GateResult | Finding, assessment: Assessment
    ) -> Difference | Cluster | GateResult | Finding:
        """The same as a report shows it."""
        if isinstance(target, Difference):
            job = [one for one in assessment.differences if one.job_id == target.job_id]
            return redact_differences([target], among=job)[0]
        if isinstance(target, Cluster):
            return redact_clusters([target])[0]
        shown = redact(assessment)
        if isinstance(target, Finding):
            same = (f for f in shown.findings if (f.id, f.mode) == (target.id, target.mode))
            return next(same, target)
        gates = (gate for phase in shown.phases for gate in phase.gates)
        return next((gate for gate in gates if gate.gate == target.gate), target)

    def replay(self, *, job_id: str, directory: str) -> ReplayProcess:
        """Start ``shadow replay`` of one pair."""
        name = f"again-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
        return self._started(name, ["--run", name, "--pair", f"{job_id}/{directory}"])

    def run_replay(self, order: ReplayOrder) -> ReplayProcess:
        """Start ``shadow replay`` of what a person asks for; it says itself what it cannot do."""
        name = order.run.strip()
        if not name:
            raise SettingsError("run is missing. Give the run a name, such as monday.")
        for field, text, words in (("limit", order.limit, ()),
                                   ("concurrency", order.concurrency, ("auto",))):  # fmt: skip
            if text.strip() and text.strip() not in words and not _is_count(text.strip()):
                either = " or auto" if words else ""
                raise SettingsError(f"{field} = {text.strip()}: give a number from 1{either}.")
        arguments = ["--resume" if order.resume else "--run", name]
        for option, text in (("--worker", order.worker), ("--limit", order.limit),
                             ("--concurrency", order.concurrency)):  # fmt: skip
            if text.strip():
                arguments += [option, text.strip()]
        if order.differing:
            arguments.append("--differing")
        return self._started(name, arguments)

    def _started(self, name: str, arguments: list[str]) -> ReplayProcess:
        arguments = ["replay", *arguments]
        if self._config:
            arguments += ["--config", str(self._config)]
        arguments += ["--journal", str(self.journal)]
        try:
            # Its owner's alone: what a worker says may quote what it typed.
            handle, log = tempfile.mkstemp(prefix="shadow-replay-", suffix=".log")
            os.close(handle)
            process = ReplayProcess(name, arguments, Path(log))
        except OSError as error:
            raise EnvironmentProblem(
                f"replay: cannot be started ({error.strerror or error}). Start it by hand: "
                f"shadow {' '.join(arguments)}"
            ) from error
        self.started.append(process)
        return process

    def add_rule(self, rule: str, *, name: str, author: str, reason: str, accept: bool) -> str:
        """As ``shadow rules add``; the dashboard judges by it from the next look on."""
        from harness.assess.criteria import load_criteria
        from harness.assess.weighing import weigh_proposed
        from harness.journal.store import Journal

        settings = self._settings()
        said = {"name": name.strip(), "author": author.strip(), "reason": reason.strip()}
        for field, text in said.items():
            if not text:
                raise SettingsError(f"{field} is missing. A rule that stays needs its {field}.")
        with _in_words():
            new = addition_of(settings, rule, **said, ask=lambda rule: rule)
            with Journal.open(settings.journal).reader() as reader:
                found = weigh_proposed(reader, new.criteria, (new.rule,), now=datetime.now(UTC))
            if found.trial.faults and not accept:
                count = counted(len(found.trial.faults), "real fault")
                raise SettingsError(f"nothing was written: the rule would hide {count}.")
            words = new.write()
        if self._on_criteria:
            self._on_criteria(load_criteria(self._settings()))
        return words

    def _settings(self) -> Settings:
        return settings_with(self._config, self._given)


@contextmanager
def _in_words() -> Iterator[None]:
    """What a command says of its options, without the dashes that a form does not have."""
    try:
        yield
    except click.ClickException as error:
        raise SettingsError(error.format_message().replace("--", "")) from error
    except SettingsError as error:
        raise SettingsError(str(error).replace("--", "")) from error


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) >= 1


def _expiry(text: str) -> datetime:
    if not text.strip():
        raise SettingsError("until is missing. Say how long it counts, such as 7d.")
    return EXPIRY.convert(text.strip(), None, None)


def _took_s(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        return parse_duration_s(text.strip())
    except ValueError as error:
        raise SettingsError(f"took {text.strip()!r} {error}.") from error


def _author() -> str:
    try:
        return user()
    except click.UsageError:
        return ""
