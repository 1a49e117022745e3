"""What the forms of the actions ask. Pure: from what is on screen to a `Form`."""

from __future__ import annotations

from harness.assessment import Assessment, Cluster, Difference, GateResult, Triage
from harness.gates.shown import points, share
from harness.gates.wording import counted
from harness.model import TriageLabel
from harness.tui.actions.port import Target
from harness.tui.actions.text import title_of
from harness.tui.screens.form import Field, Form
from harness.tui.wording import plain

LABELS = (
    (TriageLabel.CANDIDATE_BUG, "candidate-bug   a fault of the new system"),
    (TriageLabel.CONTROL_BUG, "control-bug     a fault of the old system"),
    (TriageLabel.ENVIRONMENT, "environment     the site, the network or the shadow set-up"),
    (TriageLabel.ACCEPTED, "accepted        a real difference that one can live with"),
)
CAUSE, ALONE = "cause", "alone"
TAKE_BACK = "take back"


def label_form(target: Difference | Cluster, cluster: Cluster | None, assessment: Assessment,
               author: str) -> Form:  # fmt: skip
    """Asks for a label. cluster: the one that a difference is in."""
    said = target.triage or (cluster.triage if cluster else None)
    lead = [title_of(cluster or target)]
    scopes: tuple[tuple[str, str], ...] = ()
    if cluster is not None:
        lead += without_it(cluster, assessment)
        scopes = ((CAUSE, f"the whole cause, {counted(cluster.size, 'difference')}"),)
    if isinstance(target, Difference):
        scopes += ((ALONE, "this difference only"),)
    if said:
        lead.append(f"Said so far: {said.label.value} by {plain(said.author)}: "
                    f"{plain(said.reason)}")  # fmt: skip
    return Form(
        title="What does it come from?",
        lead=(*lead, "It changes no verdict, no figure and no decision."),
        choices=tuple((label.value, words) for label, words in LABELS),
        chosen=said.label.value if said else None,
        scopes=scopes,
        fields=(
            Field(name="reason", label="reason", value=_reason(target, cluster),
                  placeholder="what that rests on"),
            Field(name="by", label="by", value=author, placeholder="who says so"),
        ),
    )  # fmt: skip


def without_it(cluster: Cluster, assessment: Assessment) -> list[str]:
    """Agreement now and without the cluster's differences, and what that would change."""
    now = assessment.agreement.by_job.value
    line = f"It costs {points(cluster.cost)} of agreement."
    for one in assessment.counterfactuals:
        if one.alone and one.clusters == (cluster.id,):
            line = f"Agreement {share(now)} now, {share(one.agreement)} without it: "
            line += f"{assessment.decision.value} → {one.decision.value}, " + (
                f"{counted(len(one.gates), 'gate')} would change." if one.gates
                else "no gate would change."
            )  # fmt: skip
            break
    else:
        if now is not None and cluster.mode == "live":
            line = f"Agreement {share(now)} now, {share(min(1.0, now + cluster.cost))} without it."
    return [line]


def undo_form(said: Triage, before: Triage | None, author: str) -> Form:
    """Asks whether a label is to be taken back."""
    then = (
        f"It will be {before.label.value} again, as {plain(before.author)} said."
        if before
        else "Nothing will stand beside it any more."
    )
    return Form(
        title="Take the label back?",
        lead=(
            plain(said.description) or said.target,
            f"{said.label.value} by {plain(said.author)}: {plain(said.reason)}",
            f"{then} Both statements stay in the journal.",
        ),
        fields=(Field(name="by", label="by", value=author, placeholder="who says so"),),
    )


def attest_form(names: tuple[str, ...], target: Target | None, author: str) -> Form:
    """Asks for an attestation."""
    return Form(
        title="Attest",
        lead=("What no machine can measure, by name and until it expires.",),
        choices=tuple((name, name) for name in names),
        chosen=_named(names, target),
        scopes=(("holds", "it holds"), ("contrary", "the contrary is true")),
        fields=(
            Field(name="until", label="until", value="7d", placeholder="7d or 2026-12-01"),
            Field(name="note", label="note", placeholder="what it rests on"),
            Field(name="took", label="took", placeholder="what a drill took, such as 200s"),
            Field(name="by", label="by", value=author, placeholder="who says so"),
        ),
    )


def waive_form(gates: tuple[str, ...], target: Target | None, author: str) -> Form:
    """Asks for a waiver."""
    chosen = target.gate if isinstance(target, GateResult) and target.gate in gates else None
    return Form(
        title="Waive a gate",
        lead=("A named person takes the risk. A waived gate is shown as waived, never green.",),
        choices=tuple((gate, gate) for gate in gates),
        chosen=chosen,
        scopes=(("waive", "waive it"), (TAKE_BACK, "take back: it counts again")),
        fields=(
            Field(name="reason", label="reason", placeholder="why it is worth taking"),
            Field(name="until", label="until", value="7d", placeholder="7d or 2026-12-01"),
            Field(name="by", label="by", value=author, placeholder="who takes the risk"),
        ),
    )


def report_form(assessment: Assessment, *, past: bool) -> Form:
    """Asks for the folder."""
    made = assessment.provenance
    folder = f"report-as-of-{made.seq}" if past else "report"
    return Form(
        title="Write the report",
        lead=(f"HTML and JSON as of seq {made.seq:,}: {assessment.decision.value}.",),
        fields=(Field(name="folder", label="folder", value=folder, placeholder="report"),),
    )


def _reason(target: Difference | Cluster, cluster: Cluster | None) -> str:
    """What was on screen when it was said; a person writes something better over it."""
    if isinstance(target, Difference):
        return f"seen at job {plain(target.job_id)[:8]}, {plain(target.directory)}"
    examples = (cluster or target).examples
    return f"seen at difference {examples[0]}" if examples else ""


def _named(names: tuple[str, ...], target: Target | None) -> str | None:
    """The attestation that the gate under the cursor asks for, where its name tells."""
    if isinstance(target, GateResult):
        for name in names:
            if name in (target.missing or "") or name == target.gate.rpartition(".")[2]:
                return name
    return None
