"""A real Prefect is sampled: no state of a run is missed, and nothing personal is taken."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from harness.errors import SourceError
from harness.model import EventKind
from harness.record.samples import prefect
from harness.record.samples.prefect import PrefectSource
from harness.record.samples.sampler import Observation
from tests.support.prefect import PrefectServer, running_prefect

EMAIL = "desk@maple-joinery.example"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    pytest.importorskip("prefect", reason="Prefect is not installed: pip install -e '.[dev]'")
    with running_prefect(tmp_path_factory.mktemp("prefect")) as running:
        yield running


@pytest.fixture
def flow() -> str:
    return f"process_job-{uuid.uuid4().hex[:8]}"


def source(server: PrefectServer, flow: str, **options: Any) -> PrefectSource:
    values = {"api_url": server.url, "deployment": f"{flow}/production", "late_after_s": 60.0}
    return PrefectSource(**{**values, **options})


def sampled(it: PrefectSource) -> tuple[dict[str, Any], list[Observation]]:
    sample, *states = it.sample()
    assert sample.kind is EventKind.PREFECT_SAMPLE
    assert {state.kind for state in states} <= {EventKind.PREFECT_FLOW_RUN}
    return dict(sample.payload), states


def words(states: Sequence[Observation], job: str) -> set[str]:
    return {str(one.payload["state_type"]) for one in states if one.job_id == job}


def test_every_state_of_every_run_is_told_with_its_job(server: PrefectServer, flow: str) -> None:
    for how in ("completed", "failed", "crashed", "cancelled", "running", "scheduled"):
        server.run(flow, how, at=datetime.now(UTC) - timedelta(seconds=5), job_id=how)
    sample, states = sampled(source(server, flow))
    assert words(states, "completed") == {"SCHEDULED", "PENDING", "RUNNING", "COMPLETED"}
    assert words(states, "failed") == {"SCHEDULED", "PENDING", "RUNNING", "FAILED"}
    assert words(states, "crashed") == {"SCHEDULED", "PENDING", "CRASHED"}
    assert words(states, "cancelled") == {"SCHEDULED", "CANCELLED"}
    assert words(states, "running") == {"SCHEDULED", "PENDING", "RUNNING"}
    assert words(states, "scheduled") == {"SCHEDULED"}
    assert sample["runs"] == {
        "SCHEDULED": 1, "PENDING": 0, "RUNNING": 1, "CANCELLING": 0, "PAUSED": 0,
        "COMPLETED": 1, "FAILED": 1, "CRASHED": 1, "CANCELLED": 1,
    }  # fmt: skip
    assert sample["oldest_running"]["job_id"] == "running"
    assert (sample["healthy"], sample["late"], sample["histories_waiting"]) == (True, 0, 0)
    assert sample["version"].split(".")[0] in ("2", "3")
    (ended,) = [s for s in states if s.job_id == "failed" and s.payload["current"]]
    start, end = (datetime.fromisoformat(ended.payload[f"{at}_time"]) for at in ("start", "end"))
    assert ended.payload["total_run_time_s"] == pytest.approx((end - start).total_seconds(), abs=1)
    assert ended.occurred_at == end
    assert (ended.payload["late"], ended.payload["late_s"] < 60) == (False, True)


def test_what_a_run_went_through_between_two_samples_is_read_back(
    server: PrefectServer, flow: str
) -> None:
    it = source(server, flow)
    due = datetime.now(UTC) - timedelta(seconds=5)
    waiting = server.run(flow, "scheduled", at=due, job_id="waiting")
    _, before = sampled(it)
    assert words(before, "waiting") == {"SCHEDULED"}
    for state in ("PENDING", "RUNNING", "FAILED", "SCHEDULED", "PENDING", "RUNNING", "COMPLETED"):
        server.set_state(waiting, state)
    server.run(flow, "crashed", job_id="unseen")
    _, after = sampled(it)
    types = Counter(str(one.payload["state_type"]) for one in after if one.job_id == "waiting")
    assert types == {"SCHEDULED": 2, "PENDING": 2, "RUNNING": 2, "FAILED": 1, "COMPLETED": 1}
    assert words(after, "unseen") == {"SCHEDULED", "PENDING", "CRASHED"}
    # A state has one key, however often and by which answer it is told.
    (first,) = [state.key for state in before]
    assert first in {state.key for state in after}
    assert len({state.key for state in after}) == len(after)


def test_a_run_that_goes_on_is_told_once_and_an_ended_one_for_a_while(
    server: PrefectServer, flow: str
) -> None:
    server.run(flow, "running", job_id="going on")
    server.run(flow, job_id="ended")
    it = source(server, flow)
    sampled(it)
    _, again = sampled(it)
    assert [(one.job_id, one.payload["state_type"]) for one in again] == [("ended", "COMPLETED")]


def test_a_run_that_left_its_end_behind_is_followed_again(server: PrefectServer, flow: str) -> None:
    it = source(server, flow)
    due = datetime.now(UTC) - timedelta(seconds=5)
    run = server.run(flow, "failed", at=due, job_id="again")
    sampled(it)
    server.set_state(run, "SCHEDULED")
    _, begun_again = sampled(it)
    assert [one.payload["current"] for one in begun_again] == [True, False, False, False, False]
    server.set_state(run, "RUNNING")
    server.set_state(run, "COMPLETED")
    _, ended = sampled(it)
    (present,) = [one for one in ended if one.payload["current"]]
    assert present.payload["state_type"] == "COMPLETED"


def test_a_run_whose_time_has_come_and_gone_is_late_and_a_future_one_is_not(
    server: PrefectServer, flow: str
) -> None:
    now = datetime.now(UTC)
    late = server.run(flow, "scheduled", at=now - timedelta(minutes=5), job_id="late")
    server.run(flow, "scheduled", at=now + timedelta(minutes=30), job_id="future")
    begun_late = server.run(flow, "running", at=now - timedelta(minutes=9), job_id="begun late")
    sample, states = sampled(source(server, flow))
    assert (sample["late"], [run["job_id"] for run in sample["late_runs"]]) == (1, ["late"])
    assert sample["late_runs"][0]["flow_run_id"] == late
    assert 290 < sample["lag_s"] < 900
    assert words(states, "future") == set()
    (begun,) = [one for one in states if one.job_id == "begun late" and one.payload["current"]]
    assert begun.payload["flow_run_id"] == begun_late
    assert begun.payload["late"] is True


def test_nothing_personal_is_taken_from_the_parameters(server: PrefectServer, flow: str) -> None:
    server.run(flow, job_id="j-1", package_size=50, priority="starter", customer_email=EMAIL,
               business={"email": EMAIL})  # fmt: skip
    server.run(flow, job_id={"email": EMAIL})
    _, states = sampled(source(server, flow))
    assert EMAIL not in json.dumps([dict(one.payload) for one in states])
    parameters = [one.payload["parameters"] for one in states if one.job_id == "j-1"]
    assert parameters[0] == {"job_id": "j-1", "package_size": 50, "priority": "starter"}


def test_runs_of_other_flows_are_none_of_ours(server: PrefectServer, flow: str) -> None:
    server.run(f"{flow}-nightly", "failed", job_id="theirs")
    sample, states = sampled(source(server, flow))
    assert (states, sample["runs"]["FAILED"]) == ([], 0)


def test_no_deployment_is_told_apart_from_one_of_another_name(
    server: PrefectServer, flow: str
) -> None:
    it = source(server, flow)
    nothing, _ = sampled(it)
    assert (nothing["deployments"], nothing["deployment"]["exists"]) == (0, False)
    with server.deployment(flow, "staging"):
        other, _ = sampled(it)
    assert (other["deployments"], other["deployment"]["exists"]) == (1, False)
    with server.deployment(flow):
        there, _ = sampled(it)
    assert there["deployment"]["exists"] is True
    assert there["deployment"]["name"] == f"{flow}/production"


def test_a_long_list_is_read_page_by_page(
    server: PrefectServer, flow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("_FIRST_PAGE", 3), ("_PAGE", 4), ("_PAGE_OVERLAP", 1)):
        monkeypatch.setattr(prefect, name, value)
    for number in range(11):
        server.run(flow, "completed" if number % 2 else "running", job_id=f"j-{number}")
    sample, states = sampled(source(server, flow))
    assert {one.job_id for one in states} == {f"j-{number}" for number in range(11)}
    assert sample["open_complete"] is True


def test_a_list_that_was_cut_short_says_how_far_it_goes(
    server: PrefectServer, flow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefect, "_FIRST_PAGE", 2)
    monkeypatch.setattr(prefect, "_MOST_PAGES", 1)
    for number in range(4):
        server.run(flow, job_id=f"j-{number}")
        server.run(flow, "running", job_id=f"open-{number}")
    sample, states = sampled(source(server, flow))
    ends = [s.occurred_at for s in states if s.payload["state_type"] == "COMPLETED"]
    assert len(ends) == 2
    assert datetime.fromisoformat(sample["covers_from"]) == min(at for at in ends if at)
    assert sample["open_complete"] is False


def test_histories_that_one_sample_has_no_time_for_are_read_by_the_next_ones(
    server: PrefectServer, flow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefect, "_MOST_HISTORIES", 2)
    for number in range(5):
        server.run(flow, job_id=f"j-{number}")
    it = source(server, flow)
    seen: set[str | None] = set()
    left = []
    for _ in range(3):
        sample, states = sampled(it)
        left.append(sample["histories_waiting"])
        seen |= {state.key for state in states}
    assert left == [3, 1, 0]
    assert len(seen) == 5 * 4


def test_each_sample_begins_before_the_one_before_it_ends(server: PrefectServer, flow: str) -> None:
    it = source(server, flow)
    first, _ = sampled(it)
    second, _ = sampled(it)
    assert second["covers_from"] < first["covers_until"] <= second["covers_until"]
    week = datetime.fromisoformat(first["covers_until"]) - timedelta(days=6)
    assert datetime.fromisoformat(first["covers_from"]) < week


def test_an_outage_costs_no_run(
    server: PrefectServer, flow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = source(server, flow)
    sampled(it)
    address = it._api.place
    it._api.place = "http://127.0.0.1:1/api"
    server.run(flow, "failed", job_id="meanwhile")
    for _ in range(2):
        with pytest.raises(SourceError, match="PREFECT_API_URL"):
            it.sample()
    it._api.place = address
    _, states = sampled(it)
    assert words(states, "meanwhile") == {"SCHEDULED", "PENDING", "RUNNING", "FAILED"}


def test_flows_that_prefect_itself_ran_are_told_in_full(server: PrefectServer, flow: str) -> None:
    server.execute(
        f"""
from prefect import flow

@flow(name="{flow}")
def process_job(job_id: str, customer_email: str):
    if job_id == "bad":
        raise ValueError("customer_id is missing")

process_job("good", "{EMAIL}")
try:
    process_job("bad", "{EMAIL}")
except ValueError:
    pass
"""
    )
    sample, states = sampled(source(server, flow))
    assert words(states, "good") == {"PENDING", "RUNNING", "COMPLETED"}
    assert words(states, "bad") == {"PENDING", "RUNNING", "FAILED"}
    (failed,) = [one for one in states if one.payload["state_type"] == "FAILED"]
    assert "customer_id is missing" in failed.payload["message"]
    assert sample["runs"]["FAILED"] == 1
