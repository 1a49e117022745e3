"""``make bench``: every benchmark in turn, each a ratio against a named peer or floor."""

from __future__ import annotations

import argparse
from importlib import import_module

from benchmarks.measure import machine

BENCHMARKS = (
    "journal_append",
    "as_of_reading",
    "gate_statistics",
    "deciding",
    "noise",
    "clusters",
    "compare_pairs",
    "increment",
    "report",
    "dashboard_start",
    "dashboard_table",
    "dashboard_hour",
    "recorder_poll",
    "recorder_sustained",
    "first_copy",
    "replay_seal",
    "replay_first",
    "replay_run",
)


def main() -> None:
    """Run the named benchmarks, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or BENCHMARKS
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"{min(unknown)} is no benchmark; there are: {', '.join(BENCHMARKS)}")
    print(machine())
    for name in names:
        import_module(f"benchmarks.{name}").run()


if __name__ == "__main__":
    main()
