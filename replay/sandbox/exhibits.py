"""Sites as a person is shown them: which there are, under which address, and what they received.

Pure: no server, no clock. A person has no door, so the address itself says which site is meant:
``NAME.localhost``, or a folder of one host where a browser does not know such names.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from harness.model import Order, PlanStep
from replay.sandbox.archetypes import Archetype, Stage
from replay.sandbox.conditions import Condition
from replay.sandbox.exchange import Hit, Reply, Site
from replay.sandbox.forms import address_of
from replay.sandbox.sites import make_site

KEPT_POSTS = 200
BUSINESS = {
    "name": "Maple & Sons",
    "email": "office@maple.example",
    "phone": "+1 555 010 0199",
    "website": "https://maple.example/",
    "address": "1 Long Street",
    "city": "Maple",
    "zip": "01234",
    "description": "Furniture of maple, made to measure.",
}
"""What the plans of archetypes are shown with."""

_STYLE = """<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{font-size:1.1rem;margin:1.5rem 0 .2rem} table{border-collapse:collapse} pre{white-space:pre-wrap}
td,th{border:1px solid #888;padding:.2rem .5rem;text-align:left;vertical-align:top}
p{margin:.2rem 0}
</style>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One site that can be visited."""

    key: str
    """Letters, digits and hyphens, as a host name takes them."""
    group: str
    """The heading it stands under."""
    title: str
    path: str
    """Where its form stands."""
    make: Callable[[int], Site]
    """The site of the visit with this number."""
    plan: tuple[PlanStep, ...]
    """What a worker would do there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One post."""

    at: str
    key: str
    url: str
    values: Mapping[str, str]
    accepted: bool


def exhibits_of(archetypes: Iterable[Archetype], *, seed: int) -> tuple[Exhibit, ...]:
    """Every archetype in every condition that it can play."""
    return tuple(
        _of_archetype(kind, condition, seed=seed)
        for kind in archetypes
        for condition in kind.conditions
    )


def exhibit_of(order: Order, condition: Condition, *, seed: int) -> Exhibit:
    """A recorded submission in its recorded condition."""
    urls = [step.url for step in order.plan if step.action == "goto" and step.url]
    return Exhibit(
        key=_key(order.directory, order.job_id[:8]),
        group=f"{order.directory} of job {order.job_id}",
        title=f"{condition.value}; plan {order.plan_source}",
        path=address_of(urls[0])[2] if urls else "/",
        make=lambda attempt: make_site(order, condition, seed=seed, attempt=attempt),
        plan=order.plan,
    )


class Exhibition:
    """All exhibits of a server; keeps the visit of each and what was received."""

    def __init__(self, exhibits: Sequence[Exhibit]) -> None:
        self.exhibits = {exhibit.key: exhibit for exhibit in exhibits}
        self.received: deque[Received] = deque(maxlen=KEPT_POSTS)
        self._visits: dict[str, int] = {}
        self._sites: dict[str, Site] = {}

    def visit(self, key: str) -> None:
        """Begin a new visit: the site has forgotten the one before."""
        self._visits[key] = self._visits.get(key, 0) + 1
        self._sites[key] = self.exhibits[key].make(self._visits[key])

    def answer(self, key: str, hit: Hit, *, at: str, url: str) -> Reply | None:
        """Let a site answer; at: the moment, as it is to be shown."""
        if key not in self._sites:
            self.visit(key)
        reply = self._sites[key].answer(hit)
        if hit.method == "POST":
            accepted = reply is not None and reply.accepts
            self.received.appendleft(
                Received(at=at, key=key, url=url, values=hit.values, accepted=accepted)
            )
        return reply


def index_page(exhibition: Exhibition, links: Mapping[str, str]) -> str:
    """The page with every site. links: address that begins a visit, by key."""
    groups: dict[str, list[Exhibit]] = {}
    for exhibit in exhibition.exhibits.values():
        groups.setdefault(exhibit.group, []).append(exhibit)
    parts = []
    for group, members in groups.items():
        shown = " · ".join(
            f'<a href="{escape(links[one.key], quote=True)}">{escape(one.title)}</a>'
            for one in members
        )
        steps = "\n".join(filter(None, (_step(step) for step in members[0].plan)))
        parts.append(
            f"<h2>{escape(group)}</h2>\n<p>{shown}</p>\n"
            f"<details><summary>What a worker does here</summary>"
            f"<pre>{escape(steps)}</pre></details>"
        )
    return _page("Sites of the sandbox", "\n".join(parts), '<a href="/_received">received</a>')


def received_page(exhibition: Exhibition) -> str:
    """The page with every post, the newest first."""
    rows = []
    for post in exhibition.received:
        values = "<br>".join(
            f"{escape(name)} = {escape(value)}" for name, value in post.values.items()
        )
        cells = (post.at, post.url, "stored" if post.accepted else "not stored")
        shown = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        rows.append(f"<tr>{shown}<td>{values}</td></tr>")
    head = "<tr><th>when</th><th>where</th><th>what became of it</th><th>values</th></tr>"
    table = f"<table>{head}{''.join(rows)}</table>" if rows else "<p>Nothing yet.</p>"
    return _page("Received posts", table, '<a href="/">all sites</a>')


def _of_archetype(kind: Archetype, condition: Condition, *, seed: int) -> Exhibit:
    key = _key(kind.name, condition.value)

    def make(attempt: int) -> Site:
        stage = Stage(
            form=kind.form(), condition=condition, directory=key, seed=seed, attempt=attempt
        )
        return kind.make(stage)

    return Exhibit(
        key=key,
        group=f"{kind.name}: {kind.title}",
        title=condition.value,
        path=kind.path,
        make=make,
        plan=kind.plan(f"{key}.localhost", BUSINESS),
    )


def _key(*words: str) -> str:
    return "--".join(map(_label, words))


def _label(word: str) -> str:
    """The word as part of a host name, at most 28 characters; different words stay different."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in word.lower()).strip("-")
    if len(plain) <= 28 and plain.replace("-", ".") == word.lower().replace("_", "."):
        return plain
    return f"{plain[:19]}-{hashlib.blake2b(word.encode(), digest_size=4).hexdigest()}"


def _step(step: PlanStep) -> str:
    words = (step.action, step.url or step.selector or step.until, step.value)
    return " ".join(word for word in words if word)


def _page(title: str, body: str, link: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>{_STYLE}'
        f"<main><h1>{title}</h1><p>{link}</p>\n{body}</main></html>"
    )
