"""Rows select, sort and group what a plain loop over the differences would."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from harness.assessment import Difference, Triage
from harness.model import TriageLabel
from harness.tui.filtering import cluster_filter, parse_filter
from harness.tui.listing import SORTS, Group, Listing, Order
from harness.tui.rows import Rows
from tests.support.assessments import PLANTED_PHONE, make_difference
from tests.support.differences import cluster_of, make_clusters, make_differences

ALL = make_differences()
CLUSTERS = make_clusters(ALL)
ROWS = Rows(ALL, CLUSTERS)


def selected(text: str, *, rows: Rows = ROWS, order: Order | None = None, grouped: bool = False,
             since_seq: dict[str, int] | None = None) -> Listing:  # fmt: skip
    return rows.select(
        parse_filter(text), order or Order(), grouped=grouped, since_seq=since_seq or {}
    )


def kept(text: str, **options: dict[str, int]) -> list[Difference]:
    return list(selected(text, **options).among)  # type: ignore[arg-type]


def kinds(text: str) -> set[str]:
    return {one.kind for one in kept(text)}


def test_an_empty_filter_keeps_everything_in_order() -> None:
    assert kept("  ") == list(ALL)


def test_every_word_must_occur_somewhere_in_any_case() -> None:
    assert [one.directory for one in kept("MISSING maple")] == ["maple-listings.example"]


def test_values_and_explanations_are_searched() -> None:
    assert kinds(PLANTED_PHONE[1].split()[1]) == {"wrong_value"}
    assert kinds("recaptcha") == {"captcha"}
    assert kinds("candidate_failed") == kinds("kind:candidate_failed")


def test_a_text_is_taken_as_it_is_and_for_no_pattern() -> None:
    assert kept("maple.listings") == []
    assert kinds("(captcha)") == {"captcha"}


def test_a_named_part_is_asked_for_exactly() -> None:
    assert kinds("kind:captcha") == {"captcha"}
    assert kept("kind:capt") == []
    assert {one.mode for one in kept("mode:demo")} == {"demo"}
    assert kept("directory:maple") == []


def test_a_part_of_a_host_and_the_beginning_of_a_job_suffice() -> None:
    assert [one.directory for one in kept("dir:maple")] == ["maple-listings.example"]
    assert {one.job_id for one in kept(f"job:{ALL[0].job_id[:8]}")} == {ALL[0].job_id}


def test_class_and_outcome_of_either_side() -> None:
    assert kinds("class:captcha") == {"captcha"}
    assert kinds("class:timeout") == {"timeout", "error_class"}
    assert kinds("class:selector_missing") == {"error_class"}
    assert kinds("outcome:missing") == {"missing_candidate"}
    assert "control_failed" in kinds("outcome:failed")
    assert "wrong_value" not in kinds("outcome:failed")


def test_a_minus_leaves_out_exactly_what_the_word_keeps() -> None:
    for word in ("captcha", "kind:captcha", "class:timeout", "outcome:missing", "dir:maple"):
        assert set(kept(word)) | set(kept(f"-{word}")) == set(ALL), word
        assert not set(kept(word)) & set(kept(f"-{word}")), word


def test_since_keeps_what_came_to_light_after_a_seq() -> None:
    seq = sorted(one.seq for one in ALL)[6]
    newer = kept("since:2h", since_seq={"2h": seq})
    assert newer == [one for one in ALL if one.seq > seq]
    assert kept("-since:2h", since_seq={"2h": seq}) == [one for one in ALL if one.seq <= seq]


def test_labels_of_a_difference_and_of_its_cause() -> None:
    def said(label: TriageLabel) -> Triage:
        return Triage(target="x", label=label, reason="seen", author="Ada Quill",
                      at=datetime(2026, 11, 23, tzinfo=UTC), seq=9, description="")  # fmt: skip

    clusters = (replace(CLUSTERS[0], triage=said(TriageLabel.ENVIRONMENT)), *CLUSTERS[1:])
    own = replace(ALL[0], triage=said(TriageLabel.CANDIDATE_BUG))
    rows = Rows((own, *ALL[1:]), clusters)
    assert [one.id for one in selected("label:candidate-bug", rows=rows).among] == [own.id]
    assert len(selected("label:environment", rows=rows).among) == CLUSTERS[0].size
    assert len(selected("label:none", rows=rows).among) == len(ALL) - 1 - CLUSTERS[0].size


def test_the_filter_of_a_cluster_keeps_exactly_its_differences() -> None:
    spaced = make_difference("captcha", 50, mode="run of monday")
    differences = (*ALL, replace(spaced, cluster=cluster_of(spaced)))
    rows = Rows(differences)
    for cluster in make_clusters(differences):
        found = list(selected(cluster_filter(cluster), rows=rows).among)
        assert len(found) == cluster.size
        assert {one.cluster for one in found} == {cluster.id}


def test_each_order_is_that_of_its_column_and_stable() -> None:
    parts = {
        "what": lambda d: d.kind, "directory": lambda d: d.directory, "field": lambda d: d.field,
        "old": lambda d: d.control_value, "new": lambda d: d.candidate_value,
        "job": lambda d: d.job_id, "mode": lambda d: d.mode, "newest": lambda d: -d.seq,
    }  # fmt: skip
    assert set(parts) == set(SORTS)
    for by, part in parts.items():
        assert list(selected("", order=Order(by=by)).among) == sorted(ALL, key=part), by
        down = list(selected("", order=Order(by=by, descending=True)).among)
        assert down == sorted(ALL, key=part, reverse=True), by
    assert list(selected("", order=Order(descending=True)).among) == list(ALL)[::-1]


def test_groups_stand_as_the_clusters_do_and_hold_exactly_theirs() -> None:
    listing = selected("", grouped=True, order=Order(by="directory"))
    lines = [listing.line(number) for number in range(listing.height)]
    heads = [line for line in lines if isinstance(line, Group)]
    assert [head.cluster for head in heads] == list(CLUSTERS)
    assert [head.shown for head in heads] == [cluster.size for cluster in CLUSTERS]
    for head, below in _below(lines):
        assert {one.cluster for one in below} == {head.key}
        assert [one.directory for one in below] == sorted(one.directory for one in below)


def test_a_difference_in_no_cluster_stands_last_under_a_heading_of_its_own() -> None:
    alone = replace(ALL[0], cluster="gone")
    listing = selected("", rows=Rows((alone, *ALL[1:]), CLUSTERS), grouped=True)
    head = listing.line(listing.height - 2)
    assert isinstance(head, Group)
    assert head.cluster is None
    assert listing.line(listing.height - 1) == alone


@given(st.sets(st.sampled_from([cluster.id for cluster in CLUSTERS])))
def test_folding_takes_away_the_lines_below_a_heading_and_no_other(folded: set[str]) -> None:
    whole = selected("", grouped=True)
    listing = whole.fold(frozenset(folded))
    hidden = sum(cluster.size for cluster in CLUSTERS if cluster.id in folded)
    assert listing.height == whole.height - hidden
    for number in range(listing.height):
        line = listing.line(number)
        if isinstance(line, Group):
            assert listing.group_line(line.key) == number
        else:
            place = ROWS.place(line.id)
            assert place is not None
            assert listing.line_of(place) == number
            assert line.cluster not in folded
    for place, one in enumerate(ALL):
        if one.cluster in folded:
            assert listing.line_of(place) == listing.group_line(one.cluster)


def test_a_flat_list_finds_its_own_lines_and_nothing_that_is_gone() -> None:
    listing = selected("-kind:captcha", order=Order(by="directory"))
    for number, one in enumerate(listing.among):
        place = ROWS.place(one.id)
        assert place is not None
        assert listing.line_of(place) == number
        assert listing.among.index(one) == number
    gone = next(place for place, one in enumerate(ALL) if one.kind == "captcha")
    assert listing.line_of(gone) is None
    assert ROWS.place("no such id") is None


def test_no_difference_is_no_line() -> None:
    listing = selected("x", rows=Rows((), ()), grouped=True, order=Order(by="old"))
    assert listing.height == 0
    assert len(listing.among) == 0


def test_what_can_be_completed_is_what_occurs() -> None:
    assert set(ROWS.values["kind"]) == {one.kind for one in ALL}
    for name in ("kind", "class", "outcome", "directory", "job", "mode", "cluster", "label"):
        assert list(ROWS.values[name]) == sorted(set(ROWS.values[name])), name
        for value in ROWS.values[name]:
            assert kept(f"{name}:{value}"), (name, value)


def _below(lines: Iterable[Group | Difference]) -> list[tuple[Group, list[Difference]]]:
    found: list[tuple[Group, list[Difference]]] = []
    for line in lines:
        if isinstance(line, Group):
            found.append((line, []))
        else:
            found[-1][1].append(line)
    return found
