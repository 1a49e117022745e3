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
    "attest": ("attest", "Say by name what no machine can measure."),
    "calibrate": ("calibrate", "Prove that the comparison sees planted faults."),
    "demo": ("demo", "Rehearse a shadow week on real parts, no account needed."),
    "diff": ("diff", "List every difference between control and candidate."),
    "doctor": ("doctor", "Say what recording needs and how to mend what is missing."),
    "evidence": ("evidence", "Show what a differing submission did in the sandbox."),
    "findings": ("findings", "List the named faults that the record shows."),
    "follow": ("follow", "Print what starts or ceases to differ, as it is recorded."),
    "gates": ("gates", "Show the shipped gates, or check a file of your own."),
    "journal": ("journal", "Verify, rebuild, count or compact a journal."),
    "mark": ("mark", "Say what happens now: a step of the ramp, a deployment, the cut-over."),
    "noise": ("noise", "Say which fields differ more often than noise explains."),
    "notify": ("notify", "Tell people when a gate or the decision changes."),
    "plan": ("plan", "Say what a week of traffic can show, before it is run."),
    "ramp": ("ramp", "Say when to raise the share of traffic, and what that risks."),
    "record": ("record", "Copy production into the journal, exactly once."),
    "replay": ("replay", "Run recorded jobs through the worker in the sandbox."),
    "report": ("report", "Write the go/no-go report."),
    "rules": ("rules", "List, explain, try or add rules, and see what each hides."),
    "sandbox": ("sandbox", "Look at the sites of a replay, or make new kinds of them."),
    "trace": ("trace", "Export, import or redact a portable slice of a journal."),
    "triage": ("triage", "Say what a cluster of differences comes from."),
    "waive": ("waive", "Take the risk of one gate by name, for a limited time."),
    "watch": ("watch", "Open the dashboard."),
    "worker": ("worker", "Try a worker on small sites before it is trusted."),
}
"""Per command: the module of this package that has it under its name, and one sentence."""


class _LazyGroup(click.Group):
    """Imports a command only when it is run or its own help is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"harness.cli.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            # The group holds no commands before they are imported, so it has none to suggest.
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=_COMMANDS, ctx=ctx
            ) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][1]) for name in sorted(_COMMANDS)])


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
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return EXIT_USAGE
    except click.ClickException as error:
        click.echo(f"shadow: {_one_line(error)}", err=True)
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


def _one_line(error: click.ClickException) -> str:
    message = " ".join(error.format_message().split())
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{message} See: {context.command_path} --help" if context else message
