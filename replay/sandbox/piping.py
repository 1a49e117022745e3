"""Two connections that lead into each other."""

from __future__ import annotations

import asyncio
import contextlib

_CHUNK = 64 * 1024


async def pipe_both(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    far_reader: asyncio.StreamReader,
    far_writer: asyncio.StreamWriter,
) -> None:
    """Copy both ways until either end closes, then close the far one."""
    ways = [
        asyncio.ensure_future(_pipe(reader, far_writer)),
        asyncio.ensure_future(_pipe(far_reader, writer)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        # Before anything is waited for: whoever is ended twice would not come to it.
        far_writer.close()
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
