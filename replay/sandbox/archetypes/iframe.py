"""A site whose form stands in a frame, as embedded form services do it."""

from __future__ import annotations

from replay.sandbox.archetypes.base import Archetype, FormSite
from replay.sandbox.archetypes.plain import FIVE
from replay.sandbox.exchange import Hit, Reply
from replay.sandbox.forms import HEAD

_OUTER = f"""{HEAD}<main><h1>Add a business</h1>
<iframe src="?frame=1" title="Form" width="600" height="800"></iframe></main>"""


class IframeSite(FormSite):
    """The page has only the frame; the frame has the form."""

    def show(self, hit: Hit) -> Reply | None:
        """The frame, or the page around it."""
        return super().show(hit) if "frame" in hit.asked else Reply(body=_OUTER)


IFRAME = Archetype(
    name="iframe",
    title="The form stands in a frame of the page",
    make=IframeSite,
    fields=FIVE,
)
