"""Examines the candidate's Prefect: it answers, is well, and knows the candidate's deployment."""

from __future__ import annotations

import os
import shlex
from typing import Any
from urllib.parse import quote

from harness.doctor.check import Findings, Subject
from harness.doctor.plan import Plan
from harness.errors import SourceError
from harness.prefect_api import PrefectApi

_TIMEOUT_S = 5.0
_ASK_FOR_KEY = "read -rs PREFECT_API_KEY && export PREFECT_API_KEY"


def examine_prefect(plan: Plan) -> Findings:
    """Ask the API as the recorder does."""
    found = Findings(Subject.PREFECT)
    url = plan.settings.prefect.api_url
    if not url:
        found.not_asked(
            "api",
            "PREFECT_API_URL is not set; until then the gate on Prefect stays open",
            "Put its host for HOST.",
            shell=["export PREFECT_API_URL=http://HOST:4200/api"],
        )
        return found
    try:
        api = _api(url)
        healthy = api.get("/health") is True
        version = api.get("/admin/version", missing_is_fine=True)
        deployment = _deployment(api, plan.settings.prefect.deployment)
    except SourceError as error:
        said, _, mend = str(error).partition(". ")
        found.missing("api", said, mend, shell=_shell(url, said))
        return found
    words = f"{api.place}, version {version or 'unknown'}"
    if healthy:
        found.ok("api", words)
    else:
        found.look("api", f"{words}, says it is not well", "Look at the log of the Prefect server.")
    _judge_deployment(plan, deployment, found)
    return found


def _api(url: str) -> PrefectApi:
    return PrefectApi(url, key=os.environ.get("PREFECT_API_KEY"), timeout_s=_TIMEOUT_S)


def _deployment(api: PrefectApi, name: str) -> Any:
    flow, _, deployment = name.partition("/")
    path = f"/deployments/name/{quote(flow, safe='')}/{quote(deployment, safe='')}"
    return api.get(path, missing_is_fine=True)


def _judge_deployment(plan: Plan, deployment: Any, found: Findings) -> None:
    name = plan.settings.prefect.deployment
    if deployment is None:
        found.look(
            "deployment",
            f"{name} is not known there: the candidate's subscriber could start no flow",
            "Deploy it, or name the one that is used (flow/deployment).",
            shell=["export SHADOW_PREFECT_DEPLOYMENT=FLOW/DEPLOYMENT"],
        )
    elif deployment.get("paused"):
        found.look("deployment", f"{name} is paused: no flow will start", "Resume it in Prefect.")
    else:
        found.ok("deployment", f"{name} is known")


def _shell(url: str, said: str) -> list[str]:
    """A line that mends it, tried where it can be."""
    if "HTTP 401" in said or "HTTP 403" in said:
        return [_ASK_FOR_KEY]
    longer = f"{url.rstrip('/')}/api"
    try:
        # An address with credentials in it is not repeated.
        if "@" not in url and _api(longer).get("/health") is True:
            return [f"export PREFECT_API_URL={shlex.quote(longer)}"]
    except SourceError:
        pass
    return ["export PREFECT_API_URL=http://HOST:4200/api"]
