"""What an examination answers: one line a thing, and its mend. Pure: no driver, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """How a thing was found."""

    OK = "ok"
    """As it should be."""
    WARN = "warn"
    """Recording works; something is worth knowing or better changed."""
    FAIL = "fail"
    """Recording does not work, or would not see what it is there for."""
    SKIPPED = "skipped"
    """Not asked, for the reason found."""


class Subject(StrEnum):
    """What a check is about; the value is its heading."""

    CONNECTION = "Connection"
    ROLE = "Role"
    TABLES = "Tables"
    SLOT = "Replication slot"
    CLOCK = "Clock"
    QUEUES = "Queues"
    PREFECT = "Prefect"
    JOURNAL = "Journal"
    REPLAY = "Browser and sandbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at. No text of it holds a password, a key or a personal value."""

    subject: Subject
    name: str
    status: Status
    found: str
    mend: str = ""
    """What to do; empty where nothing needs mending."""
    sql: tuple[str, ...] = ()
    """Complete statements for the owner of the database."""
    shell: tuple[str, ...] = ()
    """Complete lines for the shell that runs ``shadow``."""
    detail: tuple[str, ...] = ()
    """What was seen, line by line."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Collects the checks of one subject in the order in which they were made."""

    subject: Subject
    checks: list[Check] = field(default_factory=list)

    def ok(self, name: str, found: str, *, detail: Sequence[str] = ()) -> None:
        """A thing is as it should be."""
        self._add(Status.OK, name, found, detail=detail)

    def look(
        self,
        name: str,
        found: str,
        mend: str,
        *,
        sql: Sequence[str] = (),
        shell: Sequence[str] = (),
    ) -> None:
        """A thing is worth a look."""
        self._add(Status.WARN, name, found, mend, sql=sql, shell=shell)

    def missing(
        self,
        name: str,
        found: str,
        mend: str,
        *,
        sql: Sequence[str] = (),
        shell: Sequence[str] = (),
    ) -> None:
        """Without this there is nothing to record, or no way to."""
        self._add(Status.FAIL, name, found, mend, sql=sql, shell=shell)

    def not_asked(self, name: str, why: str, mend: str = "", *, shell: Sequence[str] = ()) -> None:
        """A thing was not looked at."""
        self._add(Status.SKIPPED, name, why, mend, shell=shell)

    def _add(
        self,
        status: Status,
        name: str,
        found: str,
        mend: str = "",
        *,
        sql: Sequence[str] = (),
        shell: Sequence[str] = (),
        detail: Sequence[str] = (),
    ) -> None:
        self.checks.append(
            Check(
                subject=self.subject,
                name=name,
                status=status,
                found=found,
                mend=mend,
                sql=tuple(sql),
                shell=tuple(shell),
                detail=tuple(detail),
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Everything that was looked at, in order."""

    checks: tuple[Check, ...]

    @property
    def ready(self) -> bool:
        """True if recording can begin and will see both sides."""
        return not self.failing

    @property
    def failing(self) -> tuple[Check, ...]:
        """What must be mended first."""
        return tuple(check for check in self.checks if check.status is Status.FAIL)

    @property
    def verdict(self) -> str:
        """One sentence."""
        if not self.ready:
            names = ", ".join(f"{check.name} ({check.subject.value})" for check in self.failing)
            return f"Not ready to record; mend first: {names}."
        looks = sum(check.status is Status.WARN for check in self.checks)
        if looks:
            return (
                f"Ready to record; {looks} {'line is' if looks == 1 else 'lines are'} worth a look."
            )
        return "Ready to record."

    @property
    def script(self) -> str:
        """The SQL of all mends, once each, with a comment that says what it is for."""
        parts = []
        seen: set[str] = set()
        for check in self.checks:
            fresh = [statement for statement in check.sql if statement not in seen]
            if fresh:
                seen.update(fresh)
                parts.append("\n".join([f"-- {check.subject.value}: {check.name}", *fresh]))
        return "\n\n".join(parts)
