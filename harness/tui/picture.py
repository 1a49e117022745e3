"""Pictures of pages as a terminal can draw them: PNG to half blocks. Pure.

Reads what a browser writes: 8 bits a channel, grey, colour or palette, with or without
transparency, not interlaced (PNG specification, third edition, sections 9 and 11).
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from harness.errors import ShadowError

Pixels = npt.NDArray[np.uint8]
"""Shape (height, width, 3)."""

MOST_PIXELS = 4_000_000
"""A larger picture takes too long to unpack here; it is opened elsewhere."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By colour type."""
_UPPER = "▀"


class PictureError(ShadowError):
    """The bytes are no picture that can be drawn here."""


def read_png(data: bytes) -> Pixels:
    """The picture on white. Raises PictureError for anything that cannot be read."""
    try:
        return _read(data)
    except (struct.error, zlib.error, ValueError, IndexError, KeyError) as error:
        raise PictureError(f"The picture cannot be read ({error}).") from error


def draw(pixels: Pixels, width: int, height: int) -> list[Strip]:
    """At most so many cells; two pixels, one above the other, are one cell."""
    rows, columns = pixels.shape[:2]
    scale = max(columns / width, rows / (2 * height), 1e-9)
    wide = max(1, min(width, round(columns / scale)))
    tall = max(1, min(2 * height, round(rows / scale)))
    small = _averaged(_averaged(pixels.astype(np.float64), tall, 0), wide, 1).round().astype(int)
    if tall % 2:
        small = np.concatenate([small, small[-1:]])
    return [_strip(small[at], small[at + 1]) for at in range(0, len(small), 2)]


def _strip(upper: npt.NDArray[np.int_], lower: npt.NDArray[np.int_]) -> Strip:
    return Strip(
        [
            Segment(_UPPER, Style(color=Color.from_rgb(*top), bgcolor=Color.from_rgb(*bottom)))
            for top, bottom in zip(upper.tolist(), lower.tolist(), strict=True)
        ]
    )


def _averaged(values: npt.NDArray[np.float64], parts: int, axis: int) -> npt.NDArray[np.float64]:
    """Means of so many parts of equal size along an axis; a small picture is repeated."""
    size = values.shape[axis]
    edges = np.linspace(0, size, parts + 1)
    starts = np.minimum(edges[:-1].astype(int), size - 1)
    ends = np.maximum(np.ceil(edges[1:]).astype(int), starts + 1)
    zero = np.zeros_like(np.take(values, [0], axis=axis))
    sums = np.concatenate([zero, np.cumsum(values, axis=axis)], axis=axis)
    shape = [1] * values.ndim
    shape[axis] = parts
    total = np.take(sums, ends, axis=axis) - np.take(sums, starts, axis=axis)
    means: npt.NDArray[np.float64] = total / (ends - starts).reshape(shape)
    return means


def _read(data: bytes) -> Pixels:
    if not data.startswith(_SIGNATURE):
        raise PictureError("The picture is no PNG.")
    palette, packed, at = b"", bytearray(), len(_SIGNATURE)
    width = height = depth = kind = interlace = 0
    while at < len(data):
        (length,), name = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + length]
        at += 12 + length
        if name == b"IHDR":
            width, height, depth, kind, _, _, interlace = struct.unpack(">IIBBBBB", body)
        elif name == b"PLTE":
            palette = body
        elif name == b"IDAT":
            packed += body
        elif name == b"IEND":
            break
    if depth != 8 or interlace or not 0 < width * height <= MOST_PIXELS:
        raise PictureError(f"A picture of {width} by {height}, {depth} bits, cannot be drawn here.")
    channels = _CHANNELS[kind]
    most = height * (width * channels + 1)
    # A few bytes may unpack to gigabytes; a picture never has more than its own size.
    raw = zlib.decompressobj().decompress(bytes(packed), most)
    flat = _unfiltered(raw, height, width, channels)
    return _on_white(flat, kind, palette)


def _unfiltered(raw: bytes, height: int, width: int, channels: int) -> Pixels:
    lines = np.frombuffer(raw, np.uint8).reshape(height, width * channels + 1)
    done = np.zeros((height, width, channels), np.uint8)
    above = np.zeros((width, channels), np.uint8)
    for number in range(height):
        line = lines[number, 1:].reshape(width, channels)
        above = done[number] = _line(int(lines[number, 0]), line, above)
    return done


def _line(kind: int, line: Pixels, above: Pixels) -> Pixels:
    """One line without its filter; arithmetic is modulo 256."""
    if kind == 0:
        return line
    if kind == 1:
        return np.cumsum(line, axis=0, dtype=np.uint8)
    if kind == 2:
        return line + above
    if kind not in (3, 4):
        raise ValueError(f"filter {kind}")
    found = np.empty_like(line)
    for channel in range(line.shape[1]):
        left = corner = 0
        out = []
        for value, up in zip(line[:, channel].tolist(), above[:, channel].tolist(), strict=True):
            if kind == 3:
                guess = (left + up) // 2
            else:
                # The neighbour that is nearest to left + up - corner.
                to_left, to_up = abs(up - corner), abs(left - corner)
                to_corner = abs(left + up - 2 * corner)
                if to_left <= to_up and to_left <= to_corner:
                    guess = left
                else:
                    guess = up if to_up <= to_corner else corner
            left, corner = (value + guess) & 255, up
            out.append(left)
        found[:, channel] = out
    return found


def _on_white(flat: Pixels, kind: int, palette: bytes) -> Pixels:
    if kind == 3:
        return np.frombuffer(palette, np.uint8).reshape(-1, 3)[flat[:, :, 0]]
    colours = flat[:, :, :3] if kind in (2, 6) else np.repeat(flat[:, :, :1], 3, axis=2)
    if kind not in (4, 6):
        return colours
    alpha = flat[:, :, -1:].astype(np.uint16)
    return ((colours * alpha + 255 * (255 - alpha)) // 255).astype(np.uint8)
