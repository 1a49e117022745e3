"""The assessment as one self-contained page: no script, no request, no outside font.

Imports the template engine and, through `charts`, the SVG renderer; no driver, no browser.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.assessment import Assessment
from harness.gates.shown import STATUS_WORDS, share, share_scale, tally
from harness.gates.wording import confidence
from harness.report import clusters, since_text, view, wording
from harness.report.charts import agreement_chart, latency_chart
from harness.report.redact import redact
from harness.report.since import Since


def to_html(assessment: Assessment, since: Since | None = None) -> str:
    """The whole page, UTF-8. Same assessment, same bytes; personal values masked.

    since: what changed since a former report, a section of its own.
    """
    shown = redact(assessment)
    scale = share_scale(shown.phases)
    gates = [gate for phase in shown.phases for gate in phase.gates]
    page = _environment().get_template("report.html.j2")
    return page.render(
        a=shown,
        since=since,
        rehearsal=wording.rehearsal(shown.provenance.time_scale),
        phases=[
            (phase, [view.gate_row(gate, scale) for gate in phase.gates]) for phase in shown.phases
        ],
        scale=tuple(f"{100.0 * end:.0f} %" for end in scale),
        gate_counts=view.gate_counts(shown),
        sure=_confidence(shown),
        unsettled=[gate for gate in gates if gate.missing],
        figures=view.figures(shown),
        agreement_svg=_agreement(shown),
        latency_svg=_latency(shown),
        latency_rows=view.latency_rows(shown.latency),
        examples=view.examples(shown),
        bar_width=view.BAR_WIDTH,
        most_differences=view.MOST_DIFFERENCES,
        most_evidence=view.MOST_EVIDENCE,
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("harness", "report/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "duration": wording.duration,
        "moment": wording.moment,
        "share": share,
        "tally": tally,
        "thousands": lambda value: f"{value:,}",
    }
    environment.globals |= {
        "STATUS_WORDS": STATUS_WORDS,
        "number": wording.number,
        "clusters": clusters,
        "since_text": since_text,
    }
    return environment


def _confidence(assessment: Assessment) -> str:
    return confidence(assessment.agreement.by_job.headline.alpha_total / 2.0)


def _agreement(assessment: Assessment) -> Markup | None:
    agreement = assessment.agreement
    thresholds = [
        gate.threshold
        for phase in assessment.phases
        for gate in phase.gates
        if gate.gate.endswith(".agreement")
    ]
    threshold = thresholds[0] if thresholds else None
    after = f"After {len(agreement.series):,} jobs the two systems agree on "
    aim = "" if threshold is None else f" The threshold is {share(threshold)}."
    return agreement_chart(
        agreement.series,
        threshold=threshold,
        title="Agreement over the jobs of the week, with the band that holds at every look",
        description=f"{after}{share(agreement.by_job.value)} of a job's submissions; "
        f"{wording.headline(agreement.by_job)}.{aim}",
    )


def _latency(assessment: Assessment) -> Markup | None:
    return latency_chart(
        assessment.latency,
        title="Latency percentiles, old system above new, on a logarithmic scale",
        description="The table below this chart holds the same numbers.",
    )
