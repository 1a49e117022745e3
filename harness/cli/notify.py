"""``shadow notify``: tell people when a gate, the decision or a critical finding changes."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import DURATION, config_option, journal_option, positive, settings_with
from harness.errors import ShadowError

if TYPE_CHECKING:
    from harness.notify.channels.channel import Channel
    from harness.notify.notifier import Notifier, Round
    from harness.notify.state import StateFile
    from harness.settings import Settings

_FAILED = 2


@click.command()
@config_option
@journal_option
@click.option("--watch", "goes_on", is_flag=True, help="Go on looking until stopped.")
@click.option("--every", "every_s", type=DURATION, callback=positive,
              help="With --watch: pause between looks. [default: notify.every, 60s]")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Print what would be told; send nothing.")
@click.option("--test", "only_test", is_flag=True, help="Only send a test to every channel.")
def notify(
    config: Path | None,
    journal: Path | None,
    goes_on: bool,
    every_s: float | None,
    dry_run: bool,
    only_test: bool,
) -> int:
    """Tell a webhook, a command or a file what has changed since the last look.

    Changes of a gate, of the decision and of critical findings are told once each. Off until a
    channel is set: SHADOW_NOTIFY_WEBHOOK, notify.command or notify.file; docs/notify.md says how.
    Exit code 0 if all was delivered or there was nothing to say; 2 if something could not be
    delivered or the journal could not be read.

    \b
    Examples:
      shadow notify --journal week.duckdb
      shadow notify --journal week.duckdb --watch --every 60s
      shadow notify --dry-run
      SHADOW_NOTIFY_WEBHOOK=https://hooks.example/T0/B0/x shadow notify --test
    """
    if sum((goes_on, dry_run, only_test)) > 1:
        raise click.UsageError("--watch, --dry-run and --test exclude each other. Give one.")
    if every_s is not None and not goes_on:
        raise click.UsageError("--every is for --watch. Give both, or leave it out.")
    from harness.cli.stopping import stopping
    from harness.notify.channels.configured import channels_of
    from harness.notify.state import StateFile, state_path

    settings = settings_with(config, journal)
    channels = channels_of(settings, os.environ)
    stop = threading.Event()
    with stopping(stop, words="Stopping …"):
        if only_test:
            return _test(channels, settings, stop)
        state = StateFile(state_path(settings.journal, settings.notify.state))
        if dry_run:
            return _preview(_notifier(settings, channels, state, stop))
        with state.held():
            notifier = _notifier(settings, channels, state, stop)
            if notifier.anew:
                click.echo(f"notify: {notifier.anew}", err=True)
            if goes_on:
                return _watch(notifier, stop, every_s or settings.notify.every)
            return _once(notifier)


def _notifier(
    settings: Settings, channels: list[Channel], state: StateFile, stop: threading.Event
) -> Notifier:
    from harness.notify.ledger import Policy
    from harness.notify.look import JournalLook
    from harness.notify.notifier import Notifier

    return Notifier(
        JournalLook(settings),
        channels,
        state,
        journal=settings.journal.name,
        policy=Policy(quiet_s=settings.notify.quiet, per_hour=settings.notify.per_hour),
        wait=stop.wait,
    )


def _once(notifier: Notifier) -> int:
    from harness.notify.notifier import Outcome

    done = notifier.once()
    if done.trouble:
        click.echo(f"journal: {done.trouble}", err=True)
    for told in done.told:
        click.echo(f"{told.channel}: {told.words}", err=told.outcome is Outcome.FAILED)
    return _code(done)


def _watch(notifier: Notifier, stop: threading.Event, every_s: float) -> int:
    """Look again and again; say what was told or failed, and nothing twice in a row."""
    from harness.notify.notifier import Outcome

    code, said = 0, dict[str, str]()
    while not stop.is_set():
        try:
            done = notifier.once()
        except ShadowError as error:
            code, lines = _FAILED, {"state": (str(error), True)}
        else:
            code = _code(done)
            lines = {
                told.channel: (told.words, told.outcome is Outcome.FAILED)
                for told in done.told
                if told.outcome is not Outcome.NOTHING
            }
            if done.trouble:
                lines["journal"] = (done.trouble, True)
            elif "journal" in said:
                click.echo("journal: can be read again", err=True)
        for name, (words, failed) in lines.items():
            if said.get(name) != words:
                click.echo(f"{name}: {words}", err=failed)
        said = {name: words for name, (words, _) in lines.items()}
        stop.wait(every_s)
    return code


def _code(done: Round) -> int:
    return _FAILED if done.failed or done.trouble else 0


def _preview(notifier: Notifier) -> int:
    trouble, messages = notifier.preview()
    if trouble:
        click.echo(f"journal: {trouble}", err=True)
    for channel, message in messages.items():
        click.echo(
            f"{channel}: {'would be told' if message else 'nothing would be told now'}", err=True
        )
        if message:
            click.echo(message.text)
    return _FAILED if trouble else 0


def _test(channels: list[Channel], settings: Settings, stop: threading.Event) -> int:
    import random

    from harness.notify.message import check_message
    from harness.notify.notifier import deliver

    code = 0
    for channel in channels:
        message = check_message(settings.journal.name)
        failure = deliver(channel, message, wait=stop.wait, rng=random.Random())
        if failure:
            click.echo(f"{channel.name}: not delivered: {failure.words}", err=True)
            code = _FAILED
        else:
            click.echo(f"{channel.name}: delivered")
    return code
