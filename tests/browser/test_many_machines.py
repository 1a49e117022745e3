"""A unit on a machine that is told what to do ends as the same submissions do here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import SourceError
from harness.journal.verify import verify
from replay.collector.courier import Courier
from replay.collector.shift import carry_out_unit
from replay.engines import prefect
from replay.run import ReplayConfig, replay
from tests.support.replays import (
    QUICK,
    every_condition,
    make_journal,
    payloads_of,
    submissions_of,
)
from tests.support.units import TOKEN, Pool, make_pool_config


def without_times(payload: dict[str, Any]) -> dict[str, Any]:
    claimed = {k: v for k, v in payload.get("claimed", {}).items() if k != "duration_ms"}
    return payload | {"claimed": claimed, "run": ""}


def test_every_condition_ends_as_here_and_what_differs_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought: list[int] = []

    def machine(courier: Courier, unit: str) -> None:
        with monkeypatch.context() as patch:
            patch.setenv("SHADOW_REPLAY_TOKEN", TOKEN)
            brought.append(carry_out_unit(courier._url, unit))

    pool = Pool(machine)
    monkeypatch.setattr(prefect, "WorkPool", lambda api, name: pool)
    monkeypatch.setattr(prefect, "_END_S", 0.0)
    journal = make_journal(tmp_path, *every_condition())
    config = {"timeouts": QUICK, "seed": 3, "concurrency": 3, "evidence": 5}
    far = replay(journal, ReplayConfig(run="far", pool=make_pool_config(), **config))
    for thread in pool.threads:
        thread.join()
    near = replay(journal, ReplayConfig(run="near", **config))

    assert (far.done, far.excluded, far.finished, far.machines) == (5, 1, True, 1)
    assert brought == [5]
    for name in ("agreeing", "differing", "unconfirmed", "crashed", "again", "flaky", "evidence"):
        assert getattr(far, name) == getattr(near, name), name
    assert far.again > 0
    there, here = submissions_of(journal, "far"), submissions_of(journal, "near")
    assert {host: without_times(p) for host, p in there.items()} == {
        host: without_times(p) for host, p in here.items()
    }
    first, second = payloads_of(journal, "replay.started")
    assert (first["engine"], second["engine"]) == ("prefect", "local")
    assert (first["browser"], first["worker"]) == (second["browser"], second["worker"])
    (told,) = payloads_of(journal, "replay.machine")
    assert told["browser"] == first["browser"]
    assert verify(journal.path).clean


def test_a_prefect_that_does_not_answer_is_one_line_and_leaves_no_run(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, *every_condition())
    head = journal.head()
    with pytest.raises(SourceError, match="Check that Prefect runs") as refused:
        replay(journal, ReplayConfig(run="r", pool=make_pool_config()))
    assert "\n" not in str(refused.value)
    assert journal.head() == head
