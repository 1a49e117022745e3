"""Puts waivers on gates: the risk is a person's, and the evidence stays what it is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harness.assessment import GateResult, Waiver
from harness.gates.wording import sentence
from harness.model import GateStatus


def waived(result: GateResult, waivable: bool, waivers: Mapping[str, Waiver]) -> GateResult:
    """The gate as WAIVED where a waiver counts; a gate that passes needs none.

    A gate that may not be waived keeps its status, and says that somebody tried.
    """
    waiver = waivers.get(result.gate)
    if waiver is None or not waiver.valid or result.status is GateStatus.PASS:
        return result
    if not waivable:
        return replace(
            result,
            waiver=waiver,
            reason=f"{result.reason} {waiver.by} has waived it, but this gate cannot be waived.",
        )
    words = sentence(f"Waived by {waiver.by} until {waiver.until:%d %B %Y %H:%M} UTC")
    return replace(
        result,
        status=GateStatus.WAIVED,
        judged=result.status,
        waiver=waiver,
        reason=f"{words} {sentence(waiver.reason)} The evidence says {result.status.value}: "
        f"{result.reason}",
    )
