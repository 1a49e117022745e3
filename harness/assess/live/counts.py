"""Counts by combinations of values, kept while things come and go. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl

from harness.compare.descriptions import IntArray

Features = tuple[str, ...]
_ROOM = 16
_MANY = 2_000
"""Texts; of fewer each is looked up by itself, which is quicker than to find the distinct ones."""


class Vocabulary:
    """Codes of texts from 1 on, in the order in which they come; 0 stands for NULL."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._codes: dict[str | None, int] = {None: 0}

    def encode(self, texts: pl.Series) -> IntArray:
        """One code a text."""
        if texts.len() > _MANY:
            distinct = texts.unique()
            return texts.replace_strict(
                distinct, self._encode(distinct), return_dtype=pl.Int64
            ).to_numpy()  # fmt: skip
        return np.array(self._encode(texts), dtype=np.int64)

    def _encode(self, texts: pl.Series) -> list[int]:
        codes, known = [], self._codes
        for text in texts.to_list():
            if (code := known.get(text)) is None:
                self.texts.append(text)
                code = known[text] = len(self.texts)
            codes.append(code)
        return codes

    def text(self, code: int) -> str:
        """The text of a code that is not 0."""
        return self.texts[code - 1]


class Counts:
    """How many things have each combination of values of one or two features.

    A table holds a number for each combination of codes that came up, so it grows with the values
    and not with the things.
    """

    def __init__(self, combinations: Iterable[Features]) -> None:
        self.total = 0
        self._tables: dict[Features, IntArray] = {
            features: np.zeros([_ROOM] * len(features), dtype=np.int64) for features in combinations
        }

    def add(self, codes: Mapping[str, IntArray], times: int) -> None:
        """Count things `times` more often. codes: per feature one code a thing."""
        sizes = {name: int(code.max(initial=0)) + 1 for name, code in codes.items()}
        self.total += times * next(iter(codes.values())).size
        for features, table in self._tables.items():
            needed = [sizes[name] for name in features]
            if any(need > have for need, have in zip(needed, table.shape, strict=True)):
                room = [(0, max(0, 2 * need - have) if need > have else 0)
                        for need, have in zip(needed, table.shape, strict=True)]  # fmt: skip
                self._tables[features] = table = np.pad(table, room)
            np.add.at(table, tuple(codes[name] for name in features), times)

    def of(self, features: Features, codes: tuple[IntArray, ...]) -> IntArray:
        """How many have each of these combinations, all of which came up."""
        return self._tables[features][codes]

    def values(self, feature: str) -> int:
        """How many values of a feature something has, NULL not among them."""
        return int(np.count_nonzero(self._tables[feature,][1:]))
