"""What the mappings make of single rows: odd plans, and hosts as Python and SQL read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.journal.store import Journal
from harness.model import Batch
from harness.record.tables import host_of
from harness.resources import sql_queries
from tests.support.events import make_job, make_plan


def test_of_a_plan_only_what_can_be_named_is_typed_and_once(tmp_path: Path) -> None:
    plan = make_plan({})
    plan.payload["payload"]["plan"] = [
        {"action": "fill", "selector": ".nameless", "value": "x"},
        {"action": "fill", "value": "y"},
        {"action": "fill", "selector": "input[name='phone']", "value": "first"},
        {"action": "fill", "selector": "#phone", "value": "second"},
        {"action": "select", "selector": "select[name=state]"},
    ]
    journal = Journal.create(tmp_path / "week.duckdb")
    journal.append(Batch(events=(make_job(), plan)))
    with journal.reader() as reader:
        ((sent,),) = reader.rows("SELECT sent FROM submissions_now WHERE sent IS NOT NULL")
    assert json.loads(sent) == {"phone": "first", "state": ""}


@pytest.mark.parametrize(
    "url",
    [
        "https://www.Maple-Listings.example/add?x=1", "maple.example", "HTTP://maple.example:8080/",
        "  www.maple.example  ", "https://user:word@www.maple.example/#top", "maple.example/a@b",
        "//maple.example", "", "formnest.test/r/k3Xq9",
    ],
)  # fmt: skip
def test_the_recorder_and_the_projections_read_the_same_host(tmp_path: Path, url: str) -> None:
    with Journal.create(tmp_path / "week.duckdb").reader() as reader:
        reader.rows(sql_queries("sources/error_classes.sql")["create_host_of"])
        ((host,),) = reader.rows("SELECT host_of($url)", url=url)
    assert host == host_of(url)
