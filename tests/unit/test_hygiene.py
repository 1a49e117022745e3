"""The project's own rules: what is imported, what the SQL files say, what ``--help`` promises."""

from __future__ import annotations

import pkgutil
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import harness.compare
import harness.gates
import harness.plan
import harness.stats
from harness.cli.main import cli
from harness.compare.cluster_words import TITLES
from harness.journal.detectors import catalogue
from harness.journal.projections import PROJECTIONS
from harness.resources import resource, sql_queries, sql_text

ROOT = Path(__file__).parents[2]
DRIVERS = ("duckdb", "textual", "playwright", "psycopg", "boto3")
PURE = [
    "harness.model",
    "harness.assessment",
    *(
        module.name
        for package in (harness.stats, harness.compare, harness.gates, harness.plan)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ),
]
SQL = sorted(path.relative_to(ROOT / "sql").as_posix() for path in (ROOT / "sql").rglob("*.sql"))


def _loaded_by(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after `code`."""
    script = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


def test_the_pure_packages_load_no_driver() -> None:
    assert "harness.gates.evaluate" in PURE
    loaded = _loaded_by("\n".join(f"import {name}" for name in PURE))
    assert not loaded & {*DRIVERS, "rich", "click", "starlette", "uvicorn", "apscheduler"}


def test_help_loads_nothing_heavy() -> None:
    loaded = _loaded_by("from harness.cli.main import run; assert run(['--help']) == 0")
    assert "click" in loaded
    assert not loaded & {*DRIVERS, "polars", "numpy", "scipy", "altair", "pyarrow", "rich"}


@pytest.mark.parametrize(
    "command",
    [
        "calibrate",
        "diff",
        "findings",
        "rules",
        "report",
        "attest",
        "journal",
        "trace",
        "plan",
        "ramp",
        "notify",
    ],
)
def test_the_help_of_a_command_that_reads_a_journal_opens_no_driver(command: str) -> None:
    loaded = _loaded_by(f"from harness.cli.main import run; assert run(['{command}', '-h']) == 0")
    assert not loaded & {*DRIVERS, "polars", "numpy", "scipy"}


@pytest.mark.parametrize("path", SQL)
def test_an_sql_file_says_what_it_is_for_and_its_names_are_unique(path: str) -> None:
    text = sql_text(path)
    named = re.findall(r"^-- name:", text, re.MULTILINE)
    if named:
        queries = sql_queries(path)
        assert len(queries) == len(named)
        assert all(query for query in queries.values())
    else:
        assert path.startswith(("findings/", "postgres/")), "a file without named statements"
    assert text.startswith("--")
    assert "\t" not in text


def test_every_projection_has_all_of_its_files() -> None:
    names = {path.removeprefix("projections/") for path in SQL if path.startswith("projections/")}
    forms = ("schema", "increment", "rebuild")
    assert names == {f"{p.name}.{form}.sql" for p in PROJECTIONS for form in forms}
    for projection in PROJECTIONS:
        for file, query in (*projection.sources, *projection.own):
            assert query in sql_queries(f"sources/{file}")


def test_a_finding_is_one_file_and_is_listed_nowhere_by_hand() -> None:
    files = {file.name for file in resource("sql/findings").iterdir()}
    names = [detector.id for detector in catalogue()]
    assert files == {f"{name}.sql" for name in names}
    # Kinds of difference and kinds of loss have names of their own, some of them the same words.
    known = {*TITLES, "never_enqueued", "never_finished"}
    known |= {"lost_after_claim", "lost_after_trigger"}
    for source in (*(ROOT / "harness").rglob("*.py"), *(ROOT / "replay").rglob("*.py")):
        if source.is_relative_to(ROOT / "harness" / "demo"):
            continue
        quoted = set(re.findall(r"""["'](\w+)["']""", source.read_text(encoding="utf-8")))
        assert not quoted & (set(names) - known), source


def _below(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _below(f"{path} {name}", inner)


def _paths() -> list[str]:
    """Every command, named without importing any but those of a group."""
    names = cli.list_commands(click.Context(cli))
    return ["shadow", *(f"shadow {name}" for name in names)]


@pytest.mark.parametrize("path", _paths())
def test_help_has_a_sentence_an_example_and_words_for_every_option(path: str) -> None:
    _, *names = path.split()
    start: click.Command | None = cli
    for name in names:
        assert isinstance(start, click.Group)
        start = start.get_command(click.Context(start), name)
    assert start is not None
    own = [(path, start)] if start is cli else list(_below(path, start))
    for where, command in own:
        text = (command.help or "").strip()
        assert re.match(r"[A-Z][^\n]*[.]", text), f"{where}: one sentence first"
        assert re.search(r"^\s*Examples?:\n\s+\S", text, re.MULTILINE), f"{where}: an example"
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert parameter.help, f"{where} {parameter.opts[-1]}: help"
        lines = [line.strip() for line in text.splitlines()]
        examples = [line for line in lines if re.match(r"(\w+=\S+ )*shadow ", line)]
        assert examples, f"{where}: an example that starts with shadow"
        for example in examples:
            _parse(example)


def _parse(example: str) -> None:
    """Parse an example as the command line would, without running it."""
    words = shlex.split(example.partition(" | ")[0], comments=True)
    while "=" in words[0]:
        words.pop(0)
    program, *arguments = words
    assert program == "shadow", example
    command: click.Command = cli
    while isinstance(command, click.Group) and not arguments[0].startswith("-"):
        found = command.get_command(click.Context(command), arguments.pop(0))
        assert found is not None, example
        command = found
    command.make_context("shadow", arguments)


def test_the_list_of_commands_and_their_own_help_agree() -> None:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        assert command.name == name
