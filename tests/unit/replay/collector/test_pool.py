"""What may be asked of a pool, and the secret that its machines share."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ReplayError, ShadowError
from harness.settings import TOKEN_VARIABLE, load_settings
from replay.collector.pool import PoolConfig, header_of, is_allowed, make_pool, read_token
from replay.collector.version import code_version
from replay.worker.choose import make_worker, spec_of
from replay.worker.contract import Timeouts
from replay.worker.playwright_worker import PlaywrightWorker
from tests.support.units import TOKEN, make_pool_config


def made(**words: object) -> PoolConfig:
    given = {
        "name": "p", "api_url": "http://prefect.example/api", "listen": "127.0.0.1:0", "url": None,
        "unit": 200, "lease_s": 60.0, "environ": {TOKEN_VARIABLE: TOKEN},
    }  # fmt: skip
    return make_pool(**(given | words))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"name": None}, "pool is not set"),
        ({"name": "a/b"}, "pool = 'a/b'"),
        ({"api_url": None}, "PREFECT_API_URL is not set"),
        ({"listen": "10.0.0.5"}, "collector = 10.0.0.5: give HOST:PORT"),
        ({"listen": "10.0.0.5:99999"}, "collector = 10.0.0.5:99999"),
        ({"listen": "0.0.0.0:8790"}, "machines cannot call that"),
        ({"listen": "[::]:8790"}, "machines cannot call that"),
        ({"url": "10.0.0.5:8790"}, "collector_url = 10.0.0.5:8790"),
        ({"environ": {}}, f"{TOKEN_VARIABLE} is not set"),
        ({"environ": {TOKEN_VARIABLE: "short"}}, "at least 32"),
    ],
)
def test_a_wrong_word_is_one_line_that_names_it(words: dict[str, object], said: str) -> None:
    with pytest.raises(ShadowError, match=said) as refused:
        made(**words)
    assert "\n" not in str(refused.value)
    assert "short" not in str(refused.value)


def test_machines_are_told_the_address_that_they_can_call() -> None:
    assert made(listen="10.0.0.5:8790").url_at(8790) == "http://10.0.0.5:8790"
    assert made(listen="[::1]:0").url_at(4000) == "http://[::1]:4000"
    behind = made(listen="0.0.0.0:8790", url="https://collector.example/")
    assert (behind.host, behind.url_at(8790)) == ("0.0.0.0", "https://collector.example")


def test_no_secret_is_in_what_is_printed_of_a_pool() -> None:
    assert TOKEN not in repr(make_pool_config(api_key="pnu_1"))
    assert "pnu_1" not in repr(make_pool_config(api_key="pnu_1"))


@given(st.text(max_size=40))
def test_only_the_token_itself_is_allowed(guess: str) -> None:
    assert is_allowed(header_of(TOKEN), TOKEN)
    assert not is_allowed(None, TOKEN)
    assert is_allowed(header_of(guess), TOKEN) == (guess == TOKEN)
    assert not is_allowed(guess, TOKEN)


def test_the_token_is_no_setting_and_no_unknown_name() -> None:
    load_settings(None, {TOKEN_VARIABLE: TOKEN})
    assert read_token({TOKEN_VARIABLE: f" {TOKEN}\n"}) == TOKEN
    with pytest.raises(ShadowError, match="SHADOW_REPLAY_TOKENS is not a setting"):
        load_settings(None, {"SHADOW_REPLAY_TOKENS": TOKEN})


def test_a_worker_in_words_is_the_same_worker(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("worker")
    worker = make_worker("python:a.b:c", folder=folder, fast_sleeps=True)
    assert worker is not None
    spec = spec_of(worker)
    assert (spec.python, spec.fast_sleeps) == (None, True)
    assert spec.make() == worker
    assert spec_of(PlaywrightWorker(Timeouts())).make() is None

    class Mine:
        name = "mine"

    with pytest.raises(ReplayError, match="worker = mine"):
        spec_of(Mine())  # type: ignore[arg-type]


def test_the_version_is_that_of_the_code() -> None:
    version, protocol, digest = code_version().split("/")
    assert (protocol, len(digest)) == ("1", 8)
    assert version


@pytest.mark.parametrize("module", ["harness.cli.replay", "replay.run", "replay.engines.prefect"])
def test_nothing_but_the_flow_itself_loads_prefect(module: str) -> None:
    code = f"import sys, {module}; sys.exit('prefect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_machine_that_carries_out_units_opens_no_journal() -> None:
    code = "import sys, replay.collector.shift; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_pool_without_the_engine_is_no_silent_local_run(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    from harness.cli.replay import replay
    from harness.journal.store import Journal

    path = tmp_path_factory.mktemp("cli") / "week.duckdb"
    Journal.create(path)
    ended = CliRunner().invoke(replay, ["--journal", str(path), "--pool", "p"])
    assert ended.exit_code == 2
    assert "--pool is for the prefect engine: --engine prefect" in ended.output
