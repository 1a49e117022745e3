"""Runs a Python function as a worker: orders come in, results go out, one JSON object a line.

A script of its own, run by the worker's interpreter (``python python_host.py OPTIONS``); it needs
nothing but the standard library and no newer Python than 3.8. Descriptor 3 brings orders, 4 takes
answers, so the worker may print what it likes. No event loop runs when the function is called, so
it may start its own, and each call has a fresh one.

With ``--fast-sleeps`` naps are short: a fiftieth of what was asked for, but not less than 50 ms of
it. Whatever waits for an event keeps its timeout; a loop that counts its naps gives up earlier.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import inspect
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

ORDERS, ANSWERS = 3, 4
FASTER, LEAST_S = 50.0, 0.05


def main() -> None:
    """Say whether the worker is there, then carry out orders until there are no more."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--path", required=True)
    parser.add_argument("--fast-sleeps", action="store_true")
    parser.add_argument("worker", metavar="module:function")
    options = parser.parse_args()
    # What stands beside this script is not the worker's to import.
    beside = str(Path(__file__).resolve().parent)
    sys.path[:] = [options.path, *(entry for entry in sys.path if entry != beside)]
    # No child of the worker shall hold these two open, or answer.
    for number in (ORDERS, ANSWERS):
        os.set_inheritable(number, False)
    orders = os.fdopen(ORDERS, encoding="utf-8")
    answers = os.fdopen(ANSWERS, "w", encoding="utf-8")

    def answer(told: dict[str, Any]) -> None:
        answers.write(json.dumps(told, default=str) + "\n")
        answers.flush()

    if options.fast_sleeps:
        shorten_sleeps()
    try:
        function = find(options.worker)
    except BaseException as error:
        answer({"refused": words_of(error)})
        raise
    answer({"ready": True})
    for line in orders:
        try:
            result = call(function, json.loads(line))
        except Exception as error:
            traceback.print_exc()
            answer({"raised": words_of(error)})
        else:
            answer(result if isinstance(result, dict) else {"unusable": repr(result)[:200]})


def find(worker: str) -> Callable[..., Any]:
    """The function of ``module:function``; a dotted name reaches into a class or object."""
    module, _, path = worker.partition(":")
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    if not callable(found):
        raise TypeError(f"{worker} is not callable")
    return found  # type: ignore[no-any-return]


def call(function: Callable[..., Any], order: dict[str, Any]) -> Any:
    """Call it with those of job_id, directory, plan, business and order that it names."""
    given = dict(order, order=order)
    arguments, keywords = [], {}
    for parameter in inspect.signature(function).parameters.values():
        name = parameter.name
        if parameter.kind is parameter.VAR_POSITIONAL:
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            keywords.update({key: value for key, value in order.items() if key not in keywords})
        elif name in given and parameter.kind is parameter.POSITIONAL_ONLY:
            arguments.append(given[name])
        elif name in given:
            keywords[name] = given[name]
        elif parameter.default is parameter.empty:
            raise TypeError(f"the worker wants {name!r}; it can be given {', '.join(given)}")
    result = function(*arguments, **keywords)
    return asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result


async def _awaited(result: Any) -> Any:
    return await result


def shorten_sleeps() -> None:
    """Make ``time.sleep`` and ``asyncio.sleep`` short, for all who import them from now on."""
    really, really_async = time.sleep, asyncio.sleep

    def nap(seconds: float) -> float:
        return min(seconds, max(LEAST_S, seconds / FASTER))

    def sleep(seconds: Any) -> None:
        really(nap(seconds))

    async def sleep_async(delay: float, result: Any = None) -> Any:
        return await really_async(nap(delay), result)

    time.sleep = sleep
    asyncio.sleep = asyncio.tasks.sleep = sleep_async


def words_of(error: BaseException) -> str:
    """Kind of an error and the first line of what it says."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}".rstrip(": ")


if __name__ == "__main__":
    main()
