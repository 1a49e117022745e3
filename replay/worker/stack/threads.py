"""Calls of blocking drivers that come to their end even if nobody waits for them any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Run `call` in a thread. Whoever is cancelled meanwhile goes on only once it has ended.

    Otherwise what a call makes could appear after everything was taken away.
    """
    task = asyncio.ensure_future(asyncio.to_thread(call, *arguments, **named))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            # Whoever cancels asks for no answer.
            task.exception()
        raise
