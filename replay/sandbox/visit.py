"""What one submission does inside the sandbox: its site, what the site got, what tried to leave."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.model import Order
from replay.sandbox.sites import Hit, Reply, Site, authorities_of

MOST_POSTS = 100
"""Posts of one submission that are told one by one; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Escape:
    """One attempt to reach something that is not of the sandbox. It was stopped."""

    job_id: str | None
    """None where the attempt belongs to no submission: the browser itself made it."""
    directory: str | None
    kind: str
    """How it was tried. By a page: fetch, image, form, popup, websocket, webrtc, proxy and so on;
    by a program: proxy, aws, tcp, udp, ping, dns, unix socket or file."""
    url: str
    layer: str | None = None
    """Which layer of the seal stopped it."""
    step: str | None = None
    """The step of the plan that was being carried out, such as ``3: click #send``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One form that a site was sent."""

    url: str
    values: dict[str, str]
    accepted: bool
    """The site stored a listing of it."""


@dataclass(slots=True, kw_only=True)
class Observation:
    """What the site received of one submission."""

    posts: int = 0
    accepted: int = 0
    """Listings stored; more than one is a duplicate."""
    values: dict[str, str] = field(default_factory=dict)
    """Of the last listing stored, else of the last post."""
    url: str | None = None
    """Where those values were posted to."""
    received: list[Post] = field(default_factory=list)
    """Each post, in its order; of a flood only the first `MOST_POSTS`."""

    def note(self, hit: Hit, reply: Reply | None, *, scheme: str) -> None:
        """Count a request if it is a post."""
        if hit.method != "POST":
            return
        self.posts += 1
        accepts = reply is not None and reply.accepts
        post = Post(url=f"{scheme}://{hit.host}{hit.path}", values=hit.values, accepted=accepts)
        if len(self.received) < MOST_POSTS:
            self.received.append(post)
        if accepts or not self.accepted:
            self.values, self.url = post.values, post.url
        self.accepted += accepts


@dataclass(slots=True, kw_only=True)
class Visit:
    """One submission inside the sandbox, from the moment its door opens until it closes."""

    job_id: str | None
    directory: str | None
    authorities: frozenset[tuple[str, int]]
    site: Site | None
    observation: Observation = field(default_factory=Observation)
    escapes: list[Escape] = field(default_factory=list)
    step: str | None = None
    """Where in its plan the worker is, such as ``3: click #send``; None before it says so."""

    @classmethod
    def of(cls, order: Order, site: Site) -> Visit:
        """The visit of a recorded submission to `site`."""
        return cls(
            job_id=order.job_id,
            directory=order.directory,
            authorities=authorities_of(order),
            site=site,
        )

    @classmethod
    def of_nobody(cls) -> Visit:
        """For what a browser does outside every submission: all of it is an escape."""
        return cls(job_id=None, directory=None, authorities=frozenset(), site=None)

    def allows(self, host: str, port: int) -> bool:
        """Whether this address is the site of this submission."""
        return (host.lower(), port) in self.authorities

    def begin_step(self, step: str) -> None:
        """What tries to leave from now on does so in this step of the plan."""
        self.step = step

    def escape(self, kind: str, url: str, layer: str | None = None) -> None:
        """Record an attempt to leave, and which layer of the seal stopped it."""
        self.escapes.append(
            Escape(
                job_id=self.job_id,
                directory=self.directory,
                kind=kind,
                url=url[:500],
                layer=layer,
                step=self.step,
            )
        )

    def take_escapes(self) -> list[Escape]:
        """The attempts since the last call."""
        taken, self.escapes = self.escapes, []
        return taken
