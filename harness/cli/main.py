"""The command group, and the one place that maps what happened to an exit code.

Nothing heavy is imported here: ``shadow --help`` loads no DuckDB, browser, database or screen.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from harness import __version__
from harness.errors import ShadowError

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

_COMMANDS = {
    "attest": ("harness.cli.attest", "attest", "Say by name what no machine can measure."),
    "demo": ("harness.cli.demo", "demo", "Rehearse a shadow week on real parts, no account needed."),
    "diff": ("harness.cli.compare", "diff", "List every difference between control and candidate."),
    "findings": ("harness.cli.compare", "findings", "List the named faults that the record shows."),
    "journal": ("harness.cli.journal", "journal", "Verify, rebuild or count a journal."),
    "record": ("harness.cli.record", "record", "Copy production into the journal, exactly once."),
    "replay": ("harness.cli.replay", "replay", "Run recorded jobs through the worker in the sandbox."),
    "report": ("harness.cli.report", "report", "Write the go/no-go report."),
    "rules": ("harness.cli.compare", "rules", "List the rules and what each of them hides."),
    "watch": ("harness.cli.watch", "watch", "Open the dashboard."),
}  # fmt: skip


class _LazyGroup(click.Group):
    """Imports a command only when it is run or its own help is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][2]) for name in sorted(_COMMANDS)])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="shadow")
def cli() -> None:
    """Record, replay and compare an old and a new job-queue system; say go or no-go honestly.

    \b
    Examples:
      shadow demo
      SHADOW_DSN=postgresql://recorder@db.example/app shadow record --journal week.duckdb
      shadow watch --journal week.duckdb
      shadow report --journal week.duckdb --out report

    \b
    Exit codes: 0 fine or GO, 1 NO-GO or differences, 2 usage or environment,
    3 UNDECIDED, 4 sandbox escape.
    """


def main(argv: list[str] | None = None) -> None:
    """Run the command and leave with its exit code; a user's mistake is one line, no traceback."""
    sys.exit(run(argv))


def run(argv: list[str] | None = None) -> int:
    """Run the command; return the exit code."""
    try:
        result: Any = cli.main(args=argv, prog_name="shadow", standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.Abort:
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except ShadowError as error:
        click.echo(f"shadow: {error}", err=True)
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # A reader such as `head` has seen enough; the interpreter must not complain at exit.
        sys.stderr.close()
        return 0
    return result if isinstance(result, int) else 0
