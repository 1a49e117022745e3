"""A PNG is read as it was written, and drawn as large as there is room."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from harness.tui.picture import PictureError, Pixels, draw, read_png
from harness.tui.screens.picture import PictureScreen
from tests.tui.fake_ports import FakeEvidence, make_ports
from tests.tui.support import drive, make_app, press, text_of


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(pixels: Pixels, *, kind: int, filters: list[int]) -> bytes:
    """Written by the definition of each filter: value minus guess, byte by byte."""
    height, width, channels = pixels.shape
    raw = bytearray()
    for y in range(height):
        raw.append(filters[y % len(filters)])
        for x in range(width):
            for c in range(channels):
                left = int(pixels[y, x - 1, c]) if x else 0
                up = int(pixels[y - 1, x, c]) if y else 0
                corner = int(pixels[y - 1, x - 1, c]) if x and y else 0
                near = left + up - corner
                guess = {
                    0: 0, 1: left, 2: up, 3: (left + up) // 2,
                    4: min((left, up, corner), key=lambda value: abs(near - value)),
                }[raw_filter(filters, y)]  # fmt: skip
                raw.append((int(pixels[y, x, c]) - guess) % 256)
    head = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(bytes(raw))), chunk(b"IEND", b"")]
    )


def raw_filter(filters: list[int], y: int) -> int:
    return filters[y % len(filters)]


@given(
    st.integers(1, 6), st.integers(1, 6), st.lists(st.integers(0, 4), min_size=1, max_size=6),
    st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_what_was_written_is_read(height: int, width: int, filters: list[int], seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    assert np.array_equal(read_png(png(pixels, kind=2, filters=filters)), pixels)
    grey = pixels[:, :, :1]
    assert np.array_equal(read_png(png(grey, kind=0, filters=filters)), np.repeat(grey, 3, axis=2))


def test_what_is_transparent_is_white() -> None:
    clear = np.zeros((2, 2, 4), np.uint8)
    assert (read_png(png(clear, kind=6, filters=[0])) == 255).all()


@given(st.binary(max_size=80))
def test_what_is_no_picture_is_said_in_words(data: bytes) -> None:
    for given_ in (data, b"\x89PNG\r\n\x1a\n" + data):
        with pytest.raises(PictureError):
            read_png(given_)


def test_a_picture_too_large_is_refused_before_it_is_unpacked() -> None:
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")
    with pytest.raises(PictureError, match="60000 by 60000"):
        read_png(data)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 30), st.integers(1, 20))
def test_a_drawing_fits_and_keeps_its_one_colour(
    tall: int, wide: int, columns: int, lines: int
) -> None:
    drawn = draw(np.full((tall, wide, 3), (10, 200, 30), np.uint8), columns, lines)
    assert 1 <= len(drawn) <= lines
    for strip in drawn:
        assert strip.cell_length <= columns
        for segment in strip:
            assert segment.style is not None
            assert segment.style.color is not None
            assert segment.style.color.triplet == (10, 200, 30)


def test_the_upper_half_of_a_cell_is_the_pixel_above() -> None:
    pixels = np.array([[[255, 0, 0]], [[0, 0, 255]]], np.uint8)
    (strip,) = draw(pixels, 1, 1)
    (segment,) = list(strip)
    assert segment.style is not None
    assert segment.style.color is not None
    assert segment.style.bgcolor is not None
    assert segment.style.color.triplet == (255, 0, 0)
    assert segment.style.bgcolor.triplet == (0, 0, 255)


def test_a_key_draws_the_page_on_which_a_replay_ended_or_says_why_not() -> None:
    evidence = FakeEvidence()

    async def scenario(pilot: Pilot[int]) -> None:
        pilot.app.console._color_system = 3  # type: ignore[assignment]
        await press(pilot, "enter", "i")
        assert "monday has kept no picture" in text_of(pilot.app)
        evidence.png = b"no picture"
        await press(pilot, "i")
        assert "The picture is no PNG. o opens it." in text_of(pilot.app)
        evidence.png = png(np.zeros((8, 8, 3), np.uint8), kind=2, filters=[0])
        await press(pilot, "i")
        assert isinstance(pilot.app.screen, PictureScreen)
        assert "▀▀▀▀" in text_of(pilot.app)
        assert "Where the replay monday ended" in text_of(pilot.app)
        await press(pilot, "escape", "escape")

    drive(make_app(ports=make_ports(evidence=evidence)), scenario, first=("2",))
