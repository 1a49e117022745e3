"""A remembered function gives what it would give anew, and is asked once for the same values."""

from __future__ import annotations

import numpy as np

from harness.stats.remembered import remembered


def test_equal_arrays_are_asked_about_once_and_others_anew() -> None:
    asked = []

    @remembered
    def total(values: np.ndarray, times: float, *, plus: float = 0.0) -> float:
        asked.append(times)
        return float(values.sum() * times + plus)

    values = np.arange(6.0)
    assert total(values, 2.0) == 30.0
    assert total(values.copy(), 2.0) == 30.0
    assert asked == [2.0]
    values[0] = 1.0
    assert total(values, 2.0) == 32.0
    assert total(values, 3.0) == 48.0
    assert total(values, 3.0, plus=1.0) == 49.0
    assert total(np.arange(12.0)[::2], 1.0) == 30.0
    assert len(asked) == 5


def test_the_same_bytes_of_another_type_or_shape_are_other_values() -> None:
    @remembered
    def told(values: np.ndarray) -> tuple[str, tuple[int, ...]]:
        return values.dtype.str, values.shape

    ones = np.ones(4)
    assert told(ones) != told(ones.view(np.int64))
    assert told(ones) != told(ones.reshape(2, 2))


def test_what_was_asked_for_long_ago_is_forgotten() -> None:
    asked = []

    @remembered
    def echo(value: int) -> int:
        asked.append(value)
        return value

    for value in [*range(100), 99, 0]:
        assert echo(value) == value
    assert asked == [*range(100), 0]
