"""A changed value is another value to the shipped rules, and an innocent change is none."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.applying import apply_rules
from harness.compare.calibration.texts import (
    FAULTS,
    INNOCENT,
    TextChange,
    changed,
    someone_elses,
)
from harness.compare.kinds import VALUE_FIELDS
from harness.compare.meaning import meaning
from tests.support.calibrations import SHIPPED, business, sent

VALUES: dict[str, list[str]] = {
    name: [*(business(n)[name] for n in range(8)), *(sent(n)[name] for n in range(8))]
    for name in VALUE_FIELDS
}
VALUES["phone"] += ["202.555.0142 x12", "n/a", "+44 20 7946 0958"]
VALUES["website"] += ["maple.example:443", "https://maple.example/shop?a=1#b", "//maple.example"]


def _differs(field: str, control: str, candidate: str) -> bool:
    cells = pl.DataFrame(
        {"mode": ["live"], "job_id": ["j"], "directory": ["d"], "created_at": [None],
         "field": [f"values.{field}"], "control_raw": [control], "candidate_raw": [candidate],
         "control_class": [None], "candidate_class": [None]},
        schema_overrides={"created_at": pl.Datetime("us", "UTC"), "control_class": pl.String,
                          "candidate_class": pl.String},
    )  # fmt: skip
    return bool(apply_rules(cells, SHIPPED)["differs"][0])


def _each(changes: tuple[TextChange, ...]) -> list[Any]:
    return [
        pytest.param(change, field, id=f"{field}.{change.name}")
        for change in changes
        for field in change.fields
    ]


@pytest.mark.parametrize(("change", "field"), _each(FAULTS))
def test_a_fault_makes_another_value_that_the_shipped_rules_tell_apart(
    change: TextChange, field: str
) -> None:
    applied = 0
    for value in VALUES[field]:
        new = changed(change.change, field, value, same=False)
        if new is not None:
            applied += 1
            assert meaning(field, new) != meaning(field, value)
            assert _differs(field, value, new), (value, new)
            assert new == changed(change.change, field, value, same=False)
    assert applied, "the fault was never planted"


@pytest.mark.parametrize(("change", "field"), _each(INNOCENT))
def test_an_innocent_change_is_another_text_that_the_shipped_rules_let_pass(
    change: TextChange, field: str
) -> None:
    found = [
        (value, new)
        for value in VALUES[field]
        if (new := changed(change.change, field, value, same=True)) is not None
    ]
    assert found
    for value, new in found:
        assert new != value
        assert not _differs(field, value, new), (value, new)


@given(value=st.text(max_size=30), field=st.sampled_from(VALUE_FIELDS))
def test_any_text_can_be_changed_or_left_alone(value: str, field: str) -> None:
    for change in FAULTS:
        if field in change.fields:
            new = changed(change.change, field, value, same=False)
            assert new is None or _differs(field, value, new)
    for change in INNOCENT:
        if field in change.fields:
            new = changed(change.change, field, value, same=True)
            assert new is None or meaning(field, new) == meaning(field, value)


@given(values=st.lists(st.sampled_from(VALUES["phone"]), unique=True, max_size=12))
def test_someone_elses_value_is_one_that_somebody_sent_and_means_another(
    values: list[str],
) -> None:
    mixed = someone_elses("values.phone", values)
    if len({meaning("phone", value) for value in values}) > 1:
        assert mixed.keys() == set(values)
    for old, new in mixed.items():
        assert new in values
        assert meaning("phone", old) != meaning("phone", new)
