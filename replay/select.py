"""Loads recorded submissions: each with its order and its world, or why it cannot be replayed.

Reads a journal as of one moment and starts nothing; knows no browser and no server.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.model import ErrorClass, Order, Outcome, PlanStep
from harness.resources import sql_queries
from replay.sandbox.conditions import (
    ENVIRONMENT_UNKNOWN,
    PLAN_MISSING,
    PLAN_UNPLAYABLE,
    Condition,
    Word,
    condition_of,
)
from replay.sandbox.selectors import SelectorNotUnderstoodError
from replay.sandbox.sites import make_site
from replay.selection import Key, Selection, select_keys

if TYPE_CHECKING:
    from harness.journal.reader import Reader

_BUSINESS = (
    "name", "email", "phone", "website", "address", "city", "state", "zip", "category",
    "description",
)  # fmt: skip
_OTHER_NAMES = {
    "name": ("business_name", "customer_name"),
    "email": ("customer_email",),
    "category": ("categories",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayable:
    """A submission whose order and world the record shows."""

    order: Order
    condition: Condition
    directory_url: str | None = None
    """Of the directory, as the job's list had it."""
    package_size: int | None = None
    priority: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Job and directory host."""
        return self.order.job_id, self.order.directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """A submission that cannot be replayed, and why."""

    job_id: str
    directory: str
    reason: str

    @property
    def key(self) -> tuple[str, str]:
        """Job and directory host."""
        return self.job_id, self.directory


Selected = Replayable | Excluded


def select_submissions(
    reader: Reader,
    *,
    jobs: Sequence[str] = (),
    limit: int | None = None,
    seed: int | None = None,
) -> tuple[Selected, ...]:
    """Select by these words (see `Selection`) and load all of it at once.

    Raises ReplayError as `select_keys` does.
    """
    selection = Selection(jobs=tuple(jobs), limit=limit, seed=seed)
    keys = select_keys(reader, selection)
    return load_submissions(reader, keys.chunk(0, len(keys)))


def load_submissions(reader: Reader, keys: Sequence[Key]) -> tuple[Selected, ...]:
    """Return these submissions, replayable or excluded, in the order of `keys`."""
    reader.rows(sql_queries("sources/error_classes.sql")["create_host_of"])
    rows = reader.frame(
        sql_queries("views/select_replayable.sql")["select_replayable"],
        jobs=[key.job_id for key in keys],
        directories=[key.directory for key in keys],
    ).to_dicts()
    found = {(row["job_id"], row["directory"]): row for row in rows}
    return tuple(_select(found[key.pair]) for key in keys)


def synthesise_plan(directory: str, business: Mapping[str, str]) -> tuple[PlanStep, ...]:
    """The brain's eight steps, which are the same for every directory."""
    fields = ("name", "email", "phone", "website")
    return (
        PlanStep(action="goto", url=f"https://{directory}/submit"),
        *(
            PlanStep(action="fill", selector=f"input[name='{name}']", value=business.get(name))
            for name in fields
        ),
        PlanStep(
            action="fill",
            selector="textarea[name='description']",
            value=business.get("description"),
        ),
        PlanStep(action="click", selector="button[type='submit']"),
        PlanStep(action="wait", until="networkidle"),
    )


def read_plan(text: str) -> tuple[PlanStep, ...] | None:
    """Read a recorded plan: a list of steps, or the brain's whole answer with the list inside.

    None if it is neither, has no step, or a step is no step. Unknown actions stay: what the worker
    makes of them is the worker's affair.
    """
    plan = json.loads(text)
    if isinstance(plan, dict):
        plan = plan.get("plan")
    if not isinstance(plan, list) or not plan:
        return None
    steps = [_read_step(step) for step in plan]
    return None if None in steps else tuple(step for step in steps if step is not None)


def _read_step(step: object) -> PlanStep | None:
    if not isinstance(step, dict) or not isinstance(step.get("action"), str):
        return None
    texts = {name: step.get(name) for name in ("url", "selector", "until")}
    value, seconds = step.get("value"), step.get("seconds")
    if not all(text is None or isinstance(text, str) for text in texts.values()):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float | None):
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float | None):
        return None
    return PlanStep(
        action=step["action"],
        **texts,
        value=None if value is None else str(value),
        seconds=None if seconds is None else float(seconds),
    )


def _select(row: Mapping[str, Any]) -> Selected:
    job_id, directory = row["job_id"], row["directory"]

    def exclude(reason: str) -> Excluded:
        return Excluded(job_id=job_id, directory=directory, reason=reason)

    condition = _condition(row)
    if condition is None or not directory:
        return exclude(ENVIRONMENT_UNKNOWN)
    business = _business(row)
    if row["plan"] is not None:
        plan, source = read_plan(row["plan"]), "recorded"
    elif business.get("name"):
        plan, source = synthesise_plan(directory, business), "synthesised"
    else:
        return exclude(PLAN_MISSING)
    if plan is None:
        return exclude(PLAN_UNPLAYABLE)
    order = Order(
        job_id=job_id, directory=directory, plan=plan, business=business, plan_source=source
    )
    try:
        make_site(order, condition)
    except SelectorNotUnderstoodError:
        return exclude(PLAN_UNPLAYABLE)
    return Replayable(
        order=order,
        condition=condition,
        directory_url=row["directory_url"],
        package_size=row["package_size"],
        priority=row["priority"],
    )


def _condition(row: Mapping[str, Any]) -> Condition | None:
    words = [_word(*pair) for pair in row["words"]]
    known = [word for word in words if word is not None]
    if len(known) < len(words):
        return None
    return condition_of(known, _word(row["candidate_outcome"], row["candidate_error_class"]))


def _word(
    outcome: str | None, error_class: str | None, error_text: str | None = None
) -> Word | None:
    """None where the record's word is not of our vocabulary: such a word tells nothing."""
    if outcome is None or outcome not in set(Outcome):
        return None
    return Word(
        outcome=Outcome(outcome),
        error_class=ErrorClass(error_class) if error_class else None,
        error_text=error_text,
    )


def _business(row: Mapping[str, Any]) -> dict[str, str]:
    """The business as production's worker would load it: the customer first, then the job."""
    for column in ("plan_business", "customer", "job_business", "listing"):
        data = json.loads(row[column]) if row[column] else None
        if not isinstance(data, dict):
            continue
        found = {}
        for name in _BUSINESS:
            values = (data.get(key) for key in (name, *_OTHER_NAMES.get(name, ())))
            value = next((value for value in values if value), None)
            if isinstance(value, list):
                value = ", ".join(map(str, value))
            if value is not None:
                found[name] = str(value)
        if found.get("name"):
            return found
    return {}
