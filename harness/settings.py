"""Settings: ``shadow.toml``, then the environment, validated once, with errors that name the key.

Precedence, strongest first: command line, environment ``SHADOW_SECTION_KEY``, file, default.
Secrets are read from the environment only: the production DSN (``SHADOW_DSN``, else
``DATABASE_URL``), the address of a webhook (``SHADOW_NOTIFY_WEBHOOK``) and the token of a replay
on many machines (``SHADOW_REPLAY_TOKEN``).
"""

from __future__ import annotations

import difflib
import math
import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from harness.errors import SettingsError
from harness.privacy.policy import parse_path

DEFAULT_CONFIG = Path("shadow.toml")
_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*$")
_IS_DSN = re.compile(r"dsn|database_url|password", re.IGNORECASE)
_DSN_MEND = " The DSN of production is read from the environment only: set SHADOW_DSN."
WEBHOOK_VARIABLE = "SHADOW_NOTIFY_WEBHOOK"
"""Holds the address of a webhook: who knows it can write there, so no file and no log has it."""
TOKEN_VARIABLE = "SHADOW_REPLAY_TOKEN"
"""Holds the secret by which the machines of a replay know each other."""
STACK_VARIABLE = "SHADOW_STACK_DSN"
"""Names the database that is copied for each replayed stack."""
_STACK_MEND = (
    f" The DSN of a stack's database is a secret: set {STACK_VARIABLE} in the environment."
)
_IS_WEBHOOK = re.compile(r"^notify\..*(hook|url|slack)", re.IGNORECASE)
_WEBHOOK_MEND = f" A webhook's address is a secret: set {WEBHOOK_VARIABLE} in the environment."
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}


def parse_duration_s(value: object) -> float:
    """Seconds of ``0.5s``, ``200ms``, ``10m``, ``2h``, ``7d`` or a plain finite number."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    match = _DURATION.match(str(value))
    if match is None:
        raise ValueError("is not a duration. Write seconds or a unit, such as 0.5s")
    return float(match.group(1)) * _UNIT_S[match.group(2)]


Duration = Annotated[float, BeforeValidator(parse_duration_s), Field(gt=0)]
"""Seconds, written as text with a unit in the file."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RecordSettings(_Section):
    """How production is read."""

    tick: Duration = 2.0
    """Pause between two polls of the fast tier."""
    sweep_every: Duration = 60.0
    """Shortest pause between two sweeps."""
    sweep_share: float = Field(default=0.02, gt=0, le=1)
    """Largest share of time that sweeps may take of the source."""
    sample_every: Duration = 30.0
    """Pause between two samples of the queues, of Prefect and of the workers."""
    reconcile_every: Duration = 3600.0
    """Pause between two comparisons of counts and keys with the source."""
    mode: Literal["poll", "slot"] = "poll"
    """How rows are found: by polling tiers, or by a logical replication slot."""
    slot: str = Field(default="shadow_recorder", pattern=r"^[a-z0-9_]{1,63}$")
    """Name of the replication slot in slot mode."""
    slot_plugin: Literal["pgoutput", "test_decoding"] = "pgoutput"
    """What decodes the log; pgoutput needs a publication."""
    slot_publication: str = Field(default="shadow_recorder", pattern=r"^[a-z0-9_]{1,63}$")
    """Name of the publication that pgoutput reads."""
    slot_warn_mb: float = Field(default=256.0, gt=0)
    """Warn when the slot keeps more of production's log than this."""
    slot_drop_mb: float = Field(default=1024.0, gt=0)
    """Drop the slot when it keeps more than this, so that production's disk never fills."""


class SourceSettings(_Section):
    """How production's tables are read."""

    mapping: Path | None = None
    """A folder that maps tables of your own in place of the shipped ones; see docs/mapping.md."""


class QueueSettings(_Section):
    """The candidate's queues; also by ``SQS_QUEUE_URL`` and ``SQS_DLQ_URL``."""

    url: str | None = None
    """The jobs queue; also by `SQS_QUEUE_URL`."""
    dlq_url: str | None = None
    """Its dead-letter queue; also by `SQS_DLQ_URL`."""
    region: str = "us-east-1"
    """Also by `AWS_DEFAULT_REGION`."""
    endpoint_url: str | None = None
    """Of an SQS that is not Amazon's; also by `AWS_ENDPOINT_URL`."""


class PrefectSettings(_Section):
    """The candidate's Prefect; its API key only by ``PREFECT_API_KEY``."""

    api_url: str | None = None
    """Also by `PREFECT_API_URL`, such as http://prefect.example:4200/api."""
    deployment: str = "process_job/production"
    """The deployment that the candidate's subscriber triggers."""
    late_after: Duration = 60.0
    """A run that has not begun so long after its time is late."""


class CompareSettings(_Section):
    """How outcomes are paired and judged."""

    deadline: Duration = 2400.0
    """After this long without a sign, a silent side counts as missing."""
    since: AwareDatetime | None = None
    """When the shadow week began, with its zone: older jobs are none of it. All jobs otherwise."""
    time_scale: float = Field(default=1.0, gt=0)
    """Leave at 1. A rehearsal counts each recorded second this many times, and says so."""
    rules: Path | None = None
    """A rules file instead of the shipped one."""


class GateSettings(_Section):
    """Which criteria decide."""

    file: Path | None = None
    """A gates file instead of a shipped one."""
    preset: str = "runbook"
    """A shipped gates file by name; `shadow gates` lists them."""


def _sites(value: object) -> object:
    """In the environment: ``maple.example=wizard``, separated by commas."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    for host, equals, name in pairs:
        if not (host.strip() and equals and name.strip()):
            raise ValueError(f"{host!r}: write host=kind, such as maple.example=wizard")
    return {host.strip(): name.strip() for host, _, name in pairs}


Sites = Annotated[dict[str, str], BeforeValidator(_sites)]
"""Names of kinds of sites by the host of the directory."""


class ReplaySettings(_Section):
    """How recorded jobs are replayed."""

    browser: Path | None = None
    """The Chromium to use; found by itself otherwise."""
    concurrency: int | None = Field(default=None, gt=0)
    """Submissions at once; fitted to the machine otherwise."""
    goto_timeout: Duration = 30.0
    """How long the built-in worker waits for a page."""
    action_timeout: Duration = 10.0
    """How long it waits for a field or a button."""
    idle_timeout: Duration = 30.0
    """How long it waits for a page to come to rest."""
    archetypes: Path | None = None
    """A folder of kinds of sites that `shadow sandbox capture` made."""
    sites: Sites = Field(default={})
    """Which kind of site a directory has, by its host; the others as the record tells."""
    engine: Literal["local", "prefect"] = "local"
    """Carry out on this machine, or on those that work for a Prefect work pool."""
    pool: str | None = None
    """The Prefect work pool."""
    collector: str = "127.0.0.1:0"
    """HOST:PORT on which this machine gives out orders and takes results; port 0 is a free one."""
    collector_url: str | None = None
    """Where the others reach that, if it is another address."""
    unit: int = Field(default=200, gt=0)
    """Submissions in one flow run, at most."""
    lease: Duration = 60.0
    """After so long without a sign of life, a machine's submissions are handed out again."""


def _paths(value: object) -> object:
    """In the environment, paths are separated by commas."""
    if isinstance(value, str):
        value = tuple(path.strip() for path in value.split(",") if path.strip())
    for path in value if isinstance(value, list | tuple) else ():
        try:
            parse_path(str(path))
        except ValueError as error:
            raise ValueError(f"{path!r} {error}") from None
    return value


Paths = Annotated[tuple[str, ...], BeforeValidator(_paths)]
"""Fields of recorded tables, such as ``jobs.email``, ``*.phone`` or ``**.note``."""


def _variables(value: object) -> object:
    """In the environment: ``NAME=value``, separated by commas."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    for name, equals, _ in pairs:
        if not (name.strip() and equals):
            raise ValueError(f"{name!r}: write NAME=value, such as PLAYWRIGHT_HEADLESS=1")
    return {name.strip(): text.strip() for name, _, text in pairs}


class StackSettings(_Section):
    """A deployed stack that is replayed by its queue and its tables; see docs/replaying.md.

    The DSN of the database that is copied for it only by ``SHADOW_STACK_DSN``.
    """

    endpoint_url: str | None = None
    """An SQS on this machine, in which each stack gets queues of its own."""
    env: Annotated[dict[str, str], BeforeValidator(_variables)] = Field(default={})
    """Variables that the stack needs beside those of its queue and its database."""
    deadline: Duration = 300.0
    """How long a submission may take, with all its tries; production's may take 2010 s."""
    at_once: int = Field(default=2, gt=0)
    """So many stacks at most, each with one submission at a time."""
    run_unsealed: bool = False
    """Run it even where this machine gives it no network of its own, so that it may reach sites."""


class PrivacySettings(_Section):
    """What a redacted trace shows, beside the shipped policy; a path holds for all below it."""

    drop: Paths = ()
    """Fields that are left out."""
    hash: Paths = ()
    """Fields that become a name which says nothing and stays the same, so that joins work."""
    fake: Paths = ()
    """Fields that become another value of the same kind and shape."""
    words: Paths = ()
    """Texts of which only technical words, numbers and times stay."""
    keep: Paths = ()
    """Fields that stay as recorded."""


def _argv(value: object) -> object:
    """A command line in one text is split as a shell would, without a shell."""
    if not isinstance(value, str):
        return value
    try:
        return tuple(shlex.split(value))
    except ValueError as error:
        raise ValueError(f"is not a command line ({error})") from None


def _no_address(value: object) -> object:
    if "://" in str(value):
        raise ValueError(f"is not a file.{_WEBHOOK_MEND.rstrip('.')}")
    return value


class NotifySettings(_Section):
    """Whom to tell when a gate, the decision or a critical finding changes; nobody by default.

    The address of a webhook only by ``SHADOW_NOTIFY_WEBHOOK``.
    """

    command: Annotated[tuple[str, ...], BeforeValidator(_argv)] = ()
    """A command and its arguments, which gets the message as JSON on its standard input."""
    file: Annotated[Path, BeforeValidator(_no_address)] | None = None
    """A file to which each message is appended as a line of JSON."""
    state: Annotated[Path, BeforeValidator(_no_address)] | None = None
    """Where to remember what was told; beside the journal otherwise."""
    quiet: Annotated[float, BeforeValidator(parse_duration_s), Field(ge=0)] = 600.0
    """What goes to and fro within this long is told in one piece; what is critical at once."""
    per_hour: int = Field(default=10, gt=0)
    """Messages an hour to one channel, at most; what is held back comes with the next one."""
    every: Duration = 60.0
    """Pause between two looks of `shadow notify --watch`."""
    timeout: Duration = 10.0
    """How long a webhook or a command may take."""


class Settings(_Section):
    """All settings of one run."""

    journal: Path = Path("shadow.duckdb")
    """The journal file."""
    source: SourceSettings = SourceSettings()
    record: RecordSettings = RecordSettings()
    queue: QueueSettings = QueueSettings()
    prefect: PrefectSettings = PrefectSettings()
    compare: CompareSettings = CompareSettings()
    gates: GateSettings = GateSettings()
    replay: ReplaySettings = ReplaySettings()
    stack: StackSettings = StackSettings()
    privacy: PrivacySettings = PrivacySettings()
    notify: NotifySettings = NotifySettings()


def known_keys() -> tuple[str, ...]:
    """Every setting as ``section.key``."""
    keys: list[str] = []
    for name, info in Settings.model_fields.items():
        section = info.annotation
        if isinstance(section, type) and issubclass(section, _Section):
            keys.extend(f"{name}.{key}" for key in section.model_fields)
        else:
            keys.append(name)
    return tuple(keys)


def load_settings(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read `config` (or ``./shadow.toml`` if it exists) and the environment.

    Raises SettingsError that names file, key, value and mend.
    """
    path = config or DEFAULT_CONFIG
    data: dict[str, Any] = {}
    if path.exists():
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path}: not valid TOML ({error}). Mend that line.") from None
        except OSError as error:
            raise SettingsError(f"{path}: cannot be read ({error.strerror}).") from error
    elif config is not None:
        raise SettingsError(f"{config}: there is no such settings file. Give another --config.")
    origin: dict[str, str] = {}
    for name, key in _ENVIRONMENT:
        # An empty variable is how a compose file passes on one that is not set.
        if environ.get(name) and key not in origin:
            _put(data, key, environ[name])
            origin[key] = name
    problems = _unknown_names(environ)
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        problems = _problems(error, path, origin) + problems
    if problems:
        raise SettingsError(" ".join(problems))
    return settings


def production_dsn(environ: Mapping[str, str]) -> str:
    """The DSN of production; SettingsError if neither variable is set."""
    dsn = environ.get("SHADOW_DSN") or environ.get("DATABASE_URL")
    if not dsn:
        raise SettingsError(
            "SHADOW_DSN is not set. Export the read-only DSN of production, such as "
            "SHADOW_DSN=postgresql://shadow_recorder@db.example/app"
        )
    return dsn


def environment_name(key: str) -> str:
    """The variable that sets `key`: ``SHADOW_RECORD_TICK`` for ``record.tick``."""
    return "SHADOW_" + key.replace(".", "_").upper()


_ENVIRONMENT = (
    *((environment_name(key), key) for key in known_keys()),
    ("SQS_QUEUE_URL", "queue.url"),
    ("SQS_DLQ_URL", "queue.dlq_url"),
    ("AWS_ENDPOINT_URL", "queue.endpoint_url"),
    ("PREFECT_API_URL", "prefect.api_url"),
    ("AWS_DEFAULT_REGION", "queue.region"),
)
"""Variables and what they set; of two that set the same, the first counts."""


def _put(data: dict[str, Any], key: str, value: str) -> None:
    section, _, last = key.rpartition(".")
    table = data.setdefault(section, {}) if section else data
    # A section that the file gives as a plain value is wrong whatever the environment says.
    if isinstance(table, dict):
        table[last] = value


def _unknown_names(environ: Mapping[str, str]) -> list[str]:
    """Variables that begin like a section of ours and name no setting of it.

    Other ``SHADOW_`` names belong to other programs, such as SHADOW_MODE_PERCENTAGE.
    """
    secrets = (WEBHOOK_VARIABLE, TOKEN_VARIABLE, STACK_VARIABLE)
    known = [*(environment_name(key) for key in known_keys()), *secrets]
    sections = {environment_name(key.partition(".")[0]) + "_" for key in known_keys() if "." in key}
    return [
        f"{name} is not a setting.{_nearest(name, known)}"
        for name in sorted(environ)
        if name.startswith(tuple(sections)) and name not in known
    ]


def _problems(error: ValidationError, path: Path, origin: Mapping[str, str]) -> list[str]:
    """One clause for each problem."""
    problems = []
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"])
        where = origin.get(key, str(path))
        if item["type"] == "extra_forbidden":
            names = known_keys() if "." in key else tuple(Settings.model_fields)
            mend = _nearest(key, names)
            if _IS_DSN.search(key):
                mend = _STACK_MEND if key.startswith("stack.") else _DSN_MEND
            mend = _WEBHOOK_MEND if _IS_WEBHOOK.search(key) else mend
            problems.append(f"{where}: {key} is not a setting.{mend}")
        else:
            message = item["msg"].removeprefix("Value error, ")
            joined = "" if message.startswith("is ") else "is wrong: "
            # An address under [notify] is a webhook's that was put into the wrong place.
            secret = key.startswith("notify") and "://" in str(item["input"])
            shown = "an address" if secret else repr(item["input"])
            problems.append(f"{where}: {key} = {shown} {joined}{message}.")
    return problems


def _nearest(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f" Did you mean {close[0]}?" if close else ""
