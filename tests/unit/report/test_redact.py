"""Masks of personal values: what stays readable, and that no raw value survives."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.report.html import to_html
from harness.report.json_report import to_json
from harness.report.markdown import to_markdown
from harness.report.redact import HIDDEN, LONGEST, is_personal, mask_pair, mask_text, redact
from tests.support.assessments import (
    PLANTED_PHONE,
    make_assessment,
    make_difference,
    make_finding,
)


def test_phones_keep_their_shape_and_last_four_digits() -> None:
    assert mask_pair("202-555-0177", "202-555-0142", field="values.phone") == (
        "•••-•••-0177",
        "•••-•••-0142",
    )


def test_a_difference_before_the_last_four_digits_of_a_phone_still_shows() -> None:
    assert mask_pair("202-555-0177", "212-555-0177", field="values.phone") == (
        "•◆•-•••-0177",
        "•◆•-•••-0177",
    )


def test_another_way_of_writing_the_same_phone_shows_no_difference() -> None:
    assert mask_pair("(202) 555-0177", "202.555.0177", field="values.phone") == (
        "(•••) •••-0177",
        "•••.•••.0177",
    )


def test_a_small_slip_in_a_name_is_readable() -> None:
    assert mask_pair("Juniper Upholstery", "Juniper Upholstry", field="values.name") == (
        "••••••• •••••••e••",
        "••••••• •••••••••",
    )


def test_unlike_values_show_nothing_of_either() -> None:
    left, right = mask_pair("Quartz", "Bevel", field="values.name")
    assert left is not None
    assert right is not None
    assert not any(c.isalnum() for c in left + right)


def test_a_missing_side_stays_missing_and_masks_the_other_wholly() -> None:
    assert mask_pair(None, "Elm Row 4", field="values.address") == (None, "◆◆◆ ◆◆◆ ◆")


def test_short_values_are_never_readable() -> None:
    assert mask_pair("A1", "A2", field="values.zip") == ("•◆", "•◆")


def test_a_long_value_is_cut_to_where_it_differs() -> None:
    text = "a" * 300
    left, right = mask_pair(text, text[:200] + "b" + text[201:], field="values.description")
    assert left is not None
    assert right is not None
    assert len(right) <= LONGEST + 2
    assert "b" in right
    assert left.startswith("…")


def test_scripts_with_combining_marks_are_masked_wholly() -> None:
    left, _ = mask_pair("नमस्ते दुनिया", "x", field="values.name")
    assert left is not None
    assert all(c in "◆ •" for c in left)


@pytest.mark.parametrize("field", ["phone", "email", "address", "name", "description", "fax"])
def test_fields_of_people_are_personal(field: str) -> None:
    assert is_personal(f"values.{field}")


@pytest.mark.parametrize("field", ["outcome", "error", "latency_s", "values.website"])
def test_other_fields_are_not(field: str) -> None:
    assert not is_personal(field)


MARKS = "\u0301\u0e31\u0903"
"""Combining ones, which are no letters by themselves."""


@given(
    control=st.text(min_size=1, max_size=60),
    candidate=st.text(min_size=1, max_size=60),
    field=st.sampled_from(["values.phone", "values.name", "values.email"]),
)
@example(control=f"{MARKS}5550", candidate="5550", field="values.phone")
@example(control=f"{MARKS}a", candidate=MARKS, field="values.name")
def test_no_mask_contains_its_value_and_most_of_it_is_hidden(
    control: str, candidate: str, field: str
) -> None:
    for value, mask in zip(
        (control, candidate), mask_pair(control, candidate, field=field), strict=True
    ):
        assert mask is not None
        letters = sum(c.isalnum() for c in value)
        shown = sum(c.isalnum() for c in mask)
        assert shown <= 4
        if letters:
            assert shown < letters
            assert mask != value


def test_free_text_loses_mail_addresses_phones_and_known_values() -> None:
    text = "typed Juniper Upholstery, ana@juniper.example and (202) 555-0177 into the form"
    assert mask_text(text, ["juniper upholstery"]) == (
        f"typed {HIDDEN}, {HIDDEN} and {HIDDEN} into the form"
    )


def test_job_ids_and_times_are_not_taken_for_phones() -> None:
    text = "job 11111111-1111-4111-8111-111111111111 at 2026-11-23 08:30:00, 10000ms"
    assert mask_text(text) == text


def test_no_report_shows_a_raw_personal_value() -> None:
    secrets = ("Rosa Quiroga-Lund", "rosa@quiroga.example", "4 Larkspur Way", *PLANTED_PHONE)
    differences = (
        make_difference(
            "wrong_value",
            4,
            field="values.phone",
            control_raw=PLANTED_PHONE[0],
            candidate_raw=PLANTED_PHONE[1],
            control_value="+12025550177",
            candidate_value="+12025550142",
            explanation=f"sent {PLANTED_PHONE[1]} instead of {PLANTED_PHONE[0]}",
        ),
        make_difference(
            "wrong_value",
            4,
            field="values.name",
            control_raw=secrets[0],
            candidate_raw="Somebody Else",
            control_value=secrets[0],
            candidate_value="Somebody Else",
        ),
        make_difference(
            "wrong_value",
            4,
            field="values.address",
            control_raw=secrets[2],
            candidate_raw="9 Other Street",
            control_value=secrets[2],
            candidate_value="9 Other Street",
        ),
        make_difference(
            "error_class",
            4,
            field="error",
            control_raw=f"no field for {secrets[1]}",
            candidate_raw=f"rejected {secrets[0]} of {secrets[2]}",
        ),
    )
    finding = make_finding()
    evidence = finding.evidence[0]
    assessment = make_assessment(
        differences=differences,
        findings=(
            make_finding(
                evidence=(
                    type(evidence)(
                        job_id=differences[0].job_id,
                        directory=None,
                        detail=f"{secrets[0]} called from {secrets[3]}",
                        seq=1,
                    ),
                )
            ),
        ),
    )
    for render in (to_html, to_json, to_markdown):
        text = render(assessment)
        for secret in (*secrets, "2025550177", "2025550142", "Somebody Else", "9 Other Street"):
            assert secret not in text, (render.__name__, secret)


def test_masking_twice_changes_nothing_more() -> None:
    once = redact(make_assessment())
    phones = [d.control_value for d in once.differences if d.field == "values.phone"]
    assert phones == ["+•••••••0177"]
    assert once.clusters == make_assessment().clusters


def test_what_is_masked_already_is_not_masked_again() -> None:
    once = redact(make_assessment())
    assert redact(once) is once
    for render in (to_html, to_json, to_markdown):
        assert render(once) == render(make_assessment())
