"""The filter keeps what every word asks for."""

from __future__ import annotations

from dataclasses import replace

from harness.assessment import Difference
from harness.tui.filtering import cluster_filter, filter_differences
from tests.support.assessments import PLANTED_PHONE, make_difference
from tests.support.differences import cluster_of, make_clusters, make_differences

ALL = make_differences()


def kept(text: str) -> set[str]:
    return {one.kind for one in filter_differences(ALL, text)}


def test_an_empty_filter_keeps_everything_in_order() -> None:
    assert filter_differences(ALL, "  ") == ALL


def test_every_word_must_occur_somewhere_in_any_case() -> None:
    found = filter_differences(ALL, "MISSING maple")
    assert [one.directory for one in found] == ["maple-listings.example"]


def test_values_and_explanations_are_searched() -> None:
    assert kept(PLANTED_PHONE[1].split()[1]) == {"wrong_value"}
    assert kept("recaptcha") == {"captcha"}


def test_a_named_part_is_asked_for_exactly() -> None:
    assert kept("kind:captcha") == {"captcha"}
    assert kept("kind:capt") == set()
    assert {one.mode for one in filter_differences(ALL, "mode:demo")} == {"demo"}


def test_a_minus_leaves_out() -> None:
    assert "missing_candidate" not in kept("-kind:missing_candidate")
    assert filter_differences(ALL, "-") == tuple(one for one in ALL if "-" in text(one))


def test_an_unfinished_name_keeps_everything() -> None:
    assert filter_differences(ALL, "kind:") == ALL


def test_the_filter_of_a_cluster_keeps_exactly_its_differences() -> None:
    spaced = make_difference("captcha", 50, mode="run of monday")
    differences = (*ALL, replace(spaced, cluster=cluster_of(spaced)))
    for cluster in make_clusters(differences):
        found = filter_differences(differences, cluster_filter(cluster))
        assert len(found) == cluster.size
        assert {(one.mode, one.kind, one.field) for one in found} == {
            (cluster.mode, cluster.kind, cluster.field)
        }


def text(one: Difference) -> str:
    return f"{one.directory} {one.job_id} {one.explanation}"
