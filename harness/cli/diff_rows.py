"""Writes differences and pairs in the formats of ``shadow diff``."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.table import cell, on_terminal
from harness.errors import SettingsError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from harness.assess.sides import FieldSides, PairSides

FORMATS = ("table", "json", "csv", "parquet", "md")
Row = Mapping[str, Any]
_LIST = (
    "id", "mode", "kind", "job_id", "directory", "field", "control_raw", "candidate_raw", "rules",
    "seq", "explanation", "cluster", "triage",
)  # fmt: skip
_LIST_BRIEF = ("id", "kind", "job", "directory", "field", "control_raw", "candidate_raw", "cluster")
_PAIRS = (
    "mode", "job_id", "directory", "verdict", "field", "differs", "control_raw", "candidate_raw",
    "control_value", "candidate_value", "change", "rules", "id", "cluster",
)  # fmt: skip
_CLUSTERS = ("id", "mode", "costs", "size", "precision", "jobs", "endangers", "triage", "title")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is written, whatever the format: masked rows and what they are about."""

    rows: Sequence[Row]
    columns: tuple[str, ...]
    data: Row
    """The same as JSON."""
    clusters: Sequence[Row] = ()
    pairs: Sequence[PairSides] = ()
    """Where pairs are shown side by side."""

    @classmethod
    def of_list(cls, differences: Sequence[Row], clusters: Sequence[Row], facts: Row) -> Shown:
        """Differences and the clusters that hold them."""
        of = {cluster["id"]: _label(cluster["triage"]) for cluster in clusters}
        rows = [
            {**d, "job": d["job_id"][:8], "triage": _label(d["triage"]) or of.get(d["cluster"], "")}
            for d in differences
        ]
        data = {**facts, "clusters": list(clusters), "differences": list(differences)}
        return cls(rows=rows, columns=_LIST, data=data, clusters=clusters)

    @classmethod
    def of_pairs(cls, pairs: Sequence[PairSides], facts: Row) -> Shown:
        """All compared fields of pairs of one job, masked."""
        from harness.report.sides import change

        rows = [
            {
                "mode": pair.mode, "job_id": pair.job_id, "directory": pair.directory,
                "verdict": pair.verdict, **asdict(one),
                "change": change(one.field, one.control_value, one.candidate_value),
            }
            for pair in pairs
            for one in pair.fields
        ]  # fmt: skip
        data = {**facts, "pairs": [asdict(pair) for pair in pairs]}
        return cls(rows=rows, columns=_PAIRS, data=data, pairs=pairs)


def write(shown: Shown, form: str, out: Path | None) -> None:
    """Write in one of FORMATS to a file or to stdout; SettingsError if that cannot be done."""
    if form == "table" and out is None and on_terminal():
        _print(shown)
        return
    if form == "parquet" and out is None and on_terminal():
        raise SettingsError(
            "--format parquet is not for a terminal. Add --out FILE, or send it into a pipe."
        )
    content = _content(shown, form)
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        raise SettingsError(
            f"--out {out}: cannot be written ({error.strerror}). Name a file in a folder of yours."
        ) from error


def _content(shown: Shown, form: str) -> bytes:
    if form in ("csv", "parquet"):
        return _frame(shown, form)
    if form == "json":
        return (json.dumps(shown.data, ensure_ascii=False, indent=2) + "\n").encode()
    if form == "md":
        return _markdown(shown).encode()
    lines = ["\t".join(shown.columns)] if shown.rows or shown.pairs else []
    lines += ["\t".join(cell(row.get(name)) for name in shown.columns) for row in shown.rows]
    return "".join(f"{line}\n" for line in lines).encode()


def _frame(shown: Shown, form: str) -> bytes:
    import polars as pl

    schema = {name: _TYPES.get(name, pl.String) for name in shown.columns}
    frame = pl.DataFrame(
        [{name: _flat(row.get(name)) for name in shown.columns} for row in shown.rows],
        schema=schema,
    )
    buffer = io.BytesIO()
    if form == "csv":
        frame.write_csv(buffer)
    else:
        frame.write_parquet(buffer)
    return buffer.getvalue()


def _flat(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


_TYPES: dict[str, Any] = {"seq": int, "differs": bool}


def _markdown(shown: Shown) -> str:
    from harness.report.markdown import escaped

    blocks = []
    if shown.clusters:
        blocks.append(_md_table(_CLUSTERS, [_cluster_row(c) for c in shown.clusters]))
    for pair in shown.pairs:
        rows = [row for row in shown.rows if _place(row) == (pair.mode, pair.directory)]
        blocks.append(f"**{escaped(pair.directory)}** ({escaped(pair.mode)}): {pair.verdict}")
        if rows:
            blocks.append(_md_table(("field", "differs", "change", "rules"), rows))
    if not shown.pairs and shown.rows:
        from harness.report.sides import change

        rows = [
            {**row, "change": change(row["field"], row["control_value"], row["candidate_value"])}
            for row in shown.rows
        ]
        blocks.append(_md_table(("id", "kind", "job", "directory", "field", "change"), rows))
    return "\n\n".join(blocks or ["No difference."]) + "\n"


def _place(row: Row) -> tuple[str, str]:
    return row["mode"], row["directory"]


def _md_table(columns: Sequence[str], rows: Sequence[Row]) -> str:
    from harness.report.markdown import escaped

    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += [
        "| " + " | ".join(escaped(cell(_word(row.get(name)))) for name in columns) + " |"
        for row in rows
    ]
    return "\n".join(lines)


def _word(value: Any) -> Any:
    return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value


def _cluster_row(cluster: Row) -> Row:
    from harness.gates.shown import points, share

    return {
        **cluster,
        "costs": f"{points(cluster['cost'])} ({share(cluster['cost_share'])})",
        "precision": f"{cluster['size']:,} of {cluster['compared']:,}",
        "endangers": cluster["gates"],
        "triage": _label(cluster["triage"]),
    }


def _label(triage: Row | None) -> str:
    return "" if triage is None else str(triage["label"])


def _print(shown: Shown) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    if shown.clusters:
        _print_table(console, [_cluster_row(c) for c in shown.clusters], _CLUSTERS)
    for pair in shown.pairs:
        _print_pair(console, pair)
    if not shown.pairs and shown.rows:
        _print_table(console, shown.rows, _LIST_BRIEF)


def _print_table(console: Console, rows: Sequence[Row], columns: Sequence[str]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        # Text, not str: a value in brackets must not be read as markup.
        table.add_row(*(Text(_readable(row.get(name))) for name in columns))
    console.print(table)


def _print_pair(console: Console, pair: PairSides) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    title = Text(_readable(f"{pair.directory} ({pair.mode}): {pair.verdict}"), style="bold")
    console.print(title)
    if not pair.fields:
        console.print(Text("  nothing to compare yet", style="dim"))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("", "field", "control", "candidate", "rules"):
        table.add_column(name, overflow="fold")
    for one in pair.fields:
        control, candidate = _sides(one)
        table.add_row(
            Text("≠" if one.differs else ""), Text(_readable(one.field)), control, candidate,
            Text(_readable(one.rules)), style=None if one.differs else "dim",
        )  # fmt: skip
    console.print(table)


def _sides(one: FieldSides) -> tuple[Text, Text]:
    """Both values after the rules, what changed by colour and underline; below them as recorded."""
    from rich.text import Text

    from harness.report.sides import changes

    sides = Text(), Text()
    for part in changes(one):
        for side, words, colour in zip(
            sides, (part.control, part.candidate), ("red", "green"), strict=True
        ):
            style = f"bold underline {colour}" if one.differs and not part.same else ""
            side.append(_readable(words, keep_space=True), style=style)
    raw = (one.control_raw, one.candidate_raw)
    if all(raw) and raw != (one.control_value, one.candidate_value):
        for side, recorded in zip(sides, raw, strict=True):
            side.append(f"\nraw: {_readable(recorded, keep_space=True)}", style="dim")
    return sides


def _readable(value: Any, *, keep_space: bool = False) -> str:
    """One line without control characters: a recorded text must not steer the terminal."""
    text = str(value or "") if keep_space else cell(value)
    return "".join(c if c.isprintable() else " " if c in "\t\r\n" else "\ufffd" for c in text)
