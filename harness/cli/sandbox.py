"""``shadow sandbox``: look at the sites of a replay in a browser, and make new kinds of them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import DURATION, config_option, journal_option, nearest, settings_with
from harness.cli.stopping import stopping
from harness.errors import ReplayError

if TYPE_CHECKING:
    from replay.sandbox.exhibits import Exhibit

_STOPPING = "Stopping …"


@click.group()
def sandbox() -> None:
    """Look at the sites of a replay in a browser, and make new kinds of them.

    \b
    Examples:
      shadow sandbox serve
      shadow sandbox capture saved/page.html --name maple_list --out archetypes
    """


@sandbox.command()
@config_option
@journal_option
@click.option("--archetype", "kinds", multiple=True, help="Only this kind of site. Repeatable.")
@click.option(
    "--archetypes",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder of captured kinds, shown beside the sandbox's own.",
)
@click.option("--job", help="The sites of this recorded job instead, as the record shows them.")
@click.option("--directory", help="Of that job only this directory.")
@click.option("--port", type=click.IntRange(0, 65535), default=8010, help="0 takes a free one.")
@click.option("--plain", is_flag=True, help="No names below localhost: every site as a folder.")
@click.option("--seed", type=int, default=0, help="Of what fails now and then.")
@click.option("--for", "for_s", type=DURATION, help="End after so long.")
@click.option("--once", is_flag=True, help="End after the first form that is sent.")
def serve(
    config: Path | None,
    journal: Path | None,
    kinds: tuple[str, ...],
    folder: Path | None,
    job: str | None,
    directory: str | None,
    port: int,
    plain: bool,
    seed: int,
    for_s: float | None,
    once: bool,
) -> int:
    """Serve the sandbox's sites to a browser on this machine, until Ctrl-C.

    The index links every kind of site in every condition; /_received shows what was sent. Only
    this machine can reach it. Exit code 0, or 2 if it cannot be served.

    \b
    Examples:
      shadow sandbox serve
      shadow sandbox serve --archetype wizard --archetype iframe
      shadow sandbox serve --job 1111 --directory maple.example --journal week.duckdb
    """
    from replay.sandbox.exhibits import Exhibition
    from replay.sandbox.serve import ServeOptions
    from replay.sandbox.serve import serve as run

    if directory and not job:
        raise click.UsageError("--directory says which site of a job; give --job too.")
    if job and (kinds or folder):
        raise click.UsageError("--job shows recorded sites; leave out --archetype, --archetypes.")
    exhibits = (
        _recorded(config, journal, job, directory, seed=seed)
        if job
        else _kinds(kinds, folder, seed=seed)
    )
    stop = threading.Event()
    exhibition = Exhibition(exhibits)
    options = ServeOptions(port=port, plain=plain, for_s=for_s, once=once)

    def opened(url: str) -> None:
        click.echo(f"{len(exhibits)} sites: {url}")
        click.echo(f"what was sent: {url}_received")

    with stopping(stop, words=_STOPPING):
        run(exhibition, options, stop=stop, on_open=opened)
    click.echo(f"received: {len(exhibition.received)}")
    return 0


@sandbox.command()
@click.argument("source")
@click.option("--name", required=True, help="What the kind is called, such as maple_list.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("archetypes"),
    show_default=True,
    help="Folder that the kind's own folder is made in.",
)
def capture(source: str, name: str, out: Path) -> int:
    """Make a kind of site from a saved page, stripped of scripts, values and personal data.

    SOURCE is a file (.html, .har, .mhtml) or an http(s) address, which is fetched once. Names of
    people in plain text cannot be told from other words: read the page before you share it.
    Exit code 0, or 2 if the source has no form or cannot be read.

    \b
    Examples:
      shadow sandbox capture page.mhtml --name maple_list
      shadow sandbox capture visit.har --name maple_list --out archetypes
      shadow sandbox serve --archetypes archetypes
    """
    from replay.sandbox.capture import capture as make
    from replay.sandbox.capture import dropped_words

    made = make(source, name=name, out=out)
    click.echo(f"{made.folder}: {len(made.fields)} fields: {', '.join(made.fields)}")
    click.echo(f"dropped: {dropped_words(made.dropped)}")
    if made.captcha:
        click.echo("the page has a captcha; say so with the condition that you replay it in")
    if made.without_meaning:
        click.echo(
            f"nobody could tell what belongs into: {', '.join(made.without_meaning)}; "
            "say it by meaning = … in archetype.toml"
        )
    return 0


def _kinds(names: tuple[str, ...], folder: Path | None, *, seed: int) -> tuple[Exhibit, ...]:
    from replay.sandbox.archetypes import ARCHETYPES
    from replay.sandbox.archetypes.saved import load_archetypes
    from replay.sandbox.exhibits import exhibits_of

    known = ARCHETYPES | (load_archetypes(folder, ARCHETYPES) if folder else {})
    for name in names:
        if name not in known:
            raise ReplayError(f"--archetype {name}: {nearest(name, sorted(known))}")
    chosen = [kind for name, kind in known.items() if not names or name in names]
    return exhibits_of(chosen, seed=seed)


def _recorded(
    config: Path | None, journal: Path | None, job: str, directory: str | None, *, seed: int
) -> tuple[Exhibit, ...]:
    from harness.journal.store import Journal
    from replay.sandbox.exhibits import exhibit_of
    from replay.select import Excluded, Replayable, select_submissions

    with Journal.open(settings_with(config, journal).journal).reader() as reader:
        found = select_submissions(reader, jobs=(job,))
    hosts = sorted({one.key[1] for one in found})
    if directory is not None:
        if directory not in hosts:
            raise ReplayError(f"--directory {directory}: {nearest(directory, hosts)}")
        found = tuple(one for one in found if one.key[1] == directory)
    shown = [one for one in found if isinstance(one, Replayable)]
    if not shown:
        reasons = sorted({one.reason for one in found if isinstance(one, Excluded)})
        raise ReplayError(f"job {job}: no site can be shown ({', '.join(reasons)}).")
    return tuple(exhibit_of(one.order, one.condition, seed=seed) for one in shown)
