"""Where evidence lies, what is dropped first, and what is looked at again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cli.main import run as shadow
from harness.model import Claim, Order, Outcome
from replay.again import EvidenceKeeper, worth_repeating
from replay.events import Ended
from replay.evidence.page import render_page
from replay.evidence.recorded import recorded_page
from replay.evidence.store import INDEX, EvidenceStore
from replay.sandbox.conditions import Condition
from replay.sandbox.sites import WORDS_OF_SUCCESS, make_site
from replay.sandbox.visit import Visit
from replay.select import Replayable, synthesise_plan
from replay.submission import Finished
from tests.support.replays import SENT

names = st.text(min_size=1)


def kept(store: EvidenceStore, number: int, *, size: int, run: str = "r") -> Path:
    folder = store.make(run, "job", f"site-{number}.example")
    (folder / "trace.zip").write_bytes(b"x" * size)
    facts = {
        "run": run, "job_id": "job", "directory": f"site-{number}.example",
        "made_at": f"2026-11-20T09:{number:02d}:00+00:00",
    }  # fmt: skip
    store.complete(folder, facts)
    return folder


@given(run=names, job_id=names, directory=names)
def test_no_name_leads_out_of_the_folder(run: str, job_id: str, directory: str) -> None:
    root = Path("/data/week.duckdb")
    folder = EvidenceStore(root).folder_of(run, job_id, directory)
    assert folder.parents[2] == Path("/data/week.duckdb.evidence")
    assert not {".", "..", ""} & set(folder.relative_to(folder.parents[2]).parts)


@given(one=names, other=names)
def test_two_submissions_share_no_folder(one: str, other: str) -> None:
    store = EvidenceStore(Path("week.duckdb"))
    same = store.folder_of("r", "j", one) == store.folder_of("r", "j", other)
    assert same == (one == other)


def test_the_oldest_goes_first_and_what_is_empty_goes_with_it(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path / "week.duckdb")
    for number in (3, 1, 2):
        kept(store, number, size=10_000)
    kept(store, 0, size=10_000, run="older")
    assert [one.facts["made_at"][14:16] for one in store.kept()] == ["00", "01", "02", "03"]
    assert store.bound(100_000) == 0
    assert store.bound(25_000) == 2
    assert [one.facts["directory"] for one in store.kept()] == ["site-2.example", "site-3.example"]
    assert not (store.root / "older").exists()
    assert store.bound(0) == 2
    assert list(store.kept()) == []


def test_what_a_kill_left_is_no_evidence_and_goes(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path / "week.duckdb")
    whole, half = kept(store, 1, size=1), store.make("r", "job", "half.example")
    (half / f".{INDEX}").write_text('{"run"', encoding="utf-8")
    assert [one.folder for one in store.kept()] == [whole]
    store.clear_incomplete("r")
    assert (whole.exists(), half.exists()) == (True, False)


def test_what_is_repeated_is_empty_again(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path / "week.duckdb")
    folder = kept(store, 1, size=1)
    assert store.make("r", "job", "site-1.example") == folder
    assert list(folder.iterdir()) == []


def ended(job: str, host: str, *, claimed: str = "failed", overloaded: bool = False) -> Ended:
    return Ended.of(
        (job, host), condition="accepted", claimed=claimed,
        accepted=int(claimed == "submitted"), crashed=False, overloaded=overloaded,
    )  # fmt: skip


def test_many_directories_are_looked_at_before_one_twice() -> None:
    found = [
        ended("a", "one"), ended("b", "one"), ended("c", "one"), ended("c", "two"),
        ended("d", "one", claimed="submitted"), ended("e", "two", overloaded=True),
    ]  # fmt: skip
    places = {one.key: place for place, one in enumerate(found)}
    every = worth_repeating(found, known=(), places=places, most=9)
    assert every == (("e", "two"), ("a", "one"), ("b", "one"), ("c", "two"), ("c", "one"))
    assert worth_repeating(found[::-1], known=(), places=places, most=2) == every[:2]
    # A resumed run goes on with the same list.
    assert worth_repeating(found, known=every[:2], places=places, most=3) == every[2:3]
    assert worth_repeating(found, known=every[:2], places=places, most=2) == ()


@pytest.mark.parametrize(
    ("claimed", "condition", "accepted", "differs"),
    [
        ("submitted", "accepted", 1, False), ("submitted", "accepted", 0, True),
        ("failed", "accepted", 0, True), ("failed", "refused", 0, False),
        ("submitted", "refused_misleading", 0, True), ("failed", "refused", 1, True),
        (None, None, None, False),
    ],
)  # fmt: skip
def test_a_claim_differs_from_the_control_or_from_what_the_site_saw(
    claimed: str | None, condition: str | None, accepted: int | None, differs: bool
) -> None:
    one = Ended.of(
        ("job", "host"), condition=condition, claimed=claimed, accepted=accepted, crashed=None
    )
    assert one.differs is differs


@pytest.mark.parametrize("condition", list(Condition))
def test_the_page_of_a_condition_is_what_its_site_ends_with(condition: Condition) -> None:
    plan = synthesise_plan("maple.example", SENT)
    order = Order(
        job_id="job", directory="maple.example", plan=plan, business=SENT, plan_source="recorded"
    )
    page = recorded_page(order, condition, make_site(order, condition))
    if condition is Condition.SLOW:
        assert page is None
        return
    assert page is not None
    promising = any(word in page.lower() for word in WORDS_OF_SUCCESS)
    stored = (Condition.ACCEPTED, Condition.NEVER_IDLE)
    assert promising == (condition in (*stored, Condition.REFUSED_MISLEADING))
    assert ("captcha" in page) == (condition is Condition.CAPTCHA)


def test_no_evidence_says_how_to_make_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--journal", str(tmp_path / "week.duckdb")]
    assert shadow(["evidence", "1b58d786/maple.example", *where]) == 1
    assert capsys.readouterr().err == (
        "evidence 1b58d786/maple.example: none is kept. A replay keeps it of what differs: "
        "shadow replay --jobs 1b58d786 --evidence 20\n"
    )


def test_a_worker_with_a_browser_of_its_own_leaves_claim_and_observation(tmp_path: Path) -> None:
    plan = synthesise_plan("maple.example", SENT)
    order = Order(
        job_id="job", directory="maple.example", plan=plan, business=SENT, plan_source="recorded"
    )
    site = make_site(order, Condition.SLOW)
    done = Finished(
        of=Replayable(order=order, condition=Condition.SLOW),
        visit=Visit.of(order, site),
        claim=Claim(status=Outcome.SUBMITTED, duration_ms=1.0),
    )
    store = EvidenceStore(tmp_path / "week.duckdb")
    keeper = EvidenceKeeper(store, run="r", site_for=make_site, most_bytes=10**6)
    assert keeper.file(done, ended("job", "maple.example"), flaky=True) is False
    (one,) = store.kept()
    assert [path.name for path in one.files] == [INDEX]
    html = render_page(one)
    assert "the worker brought its own browser" in html
    assert "under this condition the site never answers" in html
    assert "Flaky" in html


def test_one_submission_is_opened_and_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = EvidenceStore(tmp_path / "week.duckdb")
    kept(store, 1, size=1)
    kept(store, 2, size=1)
    where = ["--journal", str(tmp_path / "week.duckdb")]
    assert shadow(["evidence", "job", *where, "--open"]) == 2
    assert "2 submissions are meant (job/site-1.example, " in capsys.readouterr().err
