"""The assessment as one self-contained page: no script, no request, no outside font.

Imports the template engine and, through `charts`, the SVG renderer; no driver, no browser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.assessment import Assessment
from harness.gates.shown import STATUS_WORDS, share, tally
from harness.gates.wording import confidence
from harness.report import clusters, gate_rows, mending, since_text, view, wording
from harness.report.bars import BAR_WIDTH
from harness.report.charts import NARROW, agreement_chart, latency_chart
from harness.report.marked import Marked, mark_words, marked_events
from harness.report.redact import redact
from harness.report.since import Since

MOST_CLUSTERS = 8
"""Clusters and directories that are seen without unfolding the rest."""
MOST_ROWS = 12


def to_html(assessment: Assessment, since: Since | None = None) -> str:
    """The whole page, UTF-8. Same assessment, same bytes; personal values masked.

    since: what changed since a former report, a section of its own.
    """
    listed = view.listed_ids(assessment)
    shown = redact(_drawn(assessment, listed), among=assessment.differences)
    scale = gate_rows.gate_scale(shown.phases)
    phases = gate_rows.phase_rows(shown.phases, scale)
    deciding = tuple(one for one in phases if one.phase.decides)
    later = tuple(one for one in phases if not one.phase.decides)
    pace = gate_rows.jobs_a_second(shown)
    figures, figure_scale = view.figures(shown.agreement)
    events = marked_events(shown)
    page = _environment().get_template("report.html.j2")
    return page.render(
        a=shown,
        since=since,
        rehearsal=wording.rehearsal(shown.provenance.time_scale),
        deciding=deciding,
        later=later,
        later_words=gate_rows.others(later),
        reasons=gate_rows.by_urgency(deciding),
        gate_counts=gate_rows.gate_counts(one.phase for one in deciding),
        scale=tuple(f"{100.0 * end:.0f} %" for end in scale),
        sure=confidence(shown.agreement.by_job.headline.alpha_total / 2.0),
        waiting=gate_rows.unsettled(deciding, pace),
        pace=gate_rows.pace_words(pace),
        figures=figures,
        figure_scale=figure_scale,
        events=events,
        agreement_svg=_agreement(shown, events),
        latency_charts=_latency(shown),
        latency_rows=view.latency_rows(shown.latency),
        ranked=mending.ranked(shown, listed),
        titles=mending.gate_titles(shown, deciding=True),
        mending=mending.summary(shown),
        together=mending.together(shown),
        directories=view.success_rows(shown.breakdown, "directory"),
        kinds=view.success_rows(shown.breakdown, "archetype"),
        sizes=view.success_rows(shown.breakdown, "package_size"),
        calibrated=view.calibrated_rows(shown.calibration) if shown.calibration else (),
        findings=view.findings(shown, [len(one.evidence) for one in assessment.findings]),
        differences=tuple(one for one in shown.differences if one.id in listed),
        all_differences=len(assessment.differences),
    )


def _drawn(assessment: Assessment, listed: frozenset[str]) -> Assessment:
    """Only what the page shows, so that nobody masks a hundred thousand values for two hundred."""
    wanted = listed | mending.example_ids(assessment.clusters)
    return replace(
        assessment,
        differences=tuple(one for one in assessment.differences if one.id in wanted),
        findings=tuple(
            replace(one, evidence=one.evidence[: view.MOST_EVIDENCE]) for one in assessment.findings
        ),
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
        "ticked": _ticked,
        "words": lambda value: str(value).replace("_", " "),
    }
    environment.globals |= {
        "STATUS_WORDS": STATUS_WORDS,
        "BAR_WIDTH": BAR_WIDTH,
        "MOST_CLUSTERS": MOST_CLUSTERS,
        "MOST_ROWS": MOST_ROWS,
        "MOST_EVIDENCE": view.MOST_EVIDENCE,
        "number": wording.number,
        "clusters": clusters,
        "mark_words": mark_words,
        "stages_words": gate_rows.stages_words,
        "since_text": since_text,
    }
    return environment


def _ticked(text: str) -> Markup:
    """`text` with what stands between back ticks as code, everything else as it is."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return Markup("{}").format(text)
    return Markup("").join(
        Markup("<code>{}</code>" if place % 2 else "{}").format(part)
        for place, part in enumerate(parts)
    )


def _agreement(assessment: Assessment, events: Sequence[Marked]) -> tuple[Markup, Markup] | None:
    """The chart for a screen and the one for a phone; the style sheet shows one of them."""
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
    title = "Agreement over the time of the jobs, with the band that holds at every look"
    description = (
        f"{after}{share(agreement.by_job.value)} of a job's submissions; "
        f"{wording.headline(agreement.by_job)}.{aim}"
    )
    wide = agreement_chart(
        agreement.series, threshold=threshold, events=events, title=title, description=description
    )
    narrow = agreement_chart(
        agreement.series,
        threshold=threshold,
        events=events,
        title=title,
        description=description,
        size=NARROW,
        name="agreement-narrow",
    )
    return None if wide is None or narrow is None else (wide, narrow)


def _latency(assessment: Assessment) -> tuple[tuple[str, Markup], ...]:
    drawn = (
        (
            one.title,
            latency_chart(
                one,
                title=f"{one.title}: share ended by then, old and new",
                description=view.latency_words(one),
            ),
        )
        for one in assessment.latency
    )
    return tuple((title, chart) for title, chart in drawn if chart is not None)
