"""What is typed to look for jobs, as the parameters of a query. Pure."""

from __future__ import annotations

from dataclasses import dataclass

NAMED = ("directory", "package", "priority", "old", "new")
"""Parts that can be asked for by name: ``package:100``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSearch:
    """A job must match all of it; the default finds every job."""

    words: tuple[str, ...] = ()
    """Each stands in the job's id or in one of its directories."""
    directories: tuple[str, ...] = ()
    package: int | None = None
    priority: int | None = None
    old: str | None = None
    """The old system's own word for the job."""
    new: str | None = None
    wrong: str = ""
    """What could not be understood, in one sentence; then nothing is found."""


def parse_search(text: str) -> JobSearch:
    """Read words and ``name:value`` parts; case does not matter."""
    words: list[str] = []
    directories: list[str] = []
    numbers: dict[str, int] = {}
    states: dict[str, str] = {}
    for word in text.casefold().split():
        name, colon, value = word.partition(":")
        if not colon or name not in NAMED:
            words.append(word)
        elif not value:
            continue
        elif name == "directory":
            directories.append(value)
        elif name in ("old", "new"):
            states[name] = value
        elif value.isascii() and value.isdigit() and len(value) < 10:
            numbers[name] = int(value)
        else:
            return JobSearch(wrong=f"{name}:{value} is no number; write {name}:50")
    return JobSearch(
        words=tuple(dict.fromkeys(words)),
        directories=tuple(dict.fromkeys(directories)),
        package=numbers.get("package"),
        priority=numbers.get("priority"),
        old=states.get("old"),
        new=states.get("new"),
    )
