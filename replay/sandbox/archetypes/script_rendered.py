"""A site that is empty when it arrives; a script puts the form there a moment later."""

from __future__ import annotations

from replay.sandbox.archetypes.base import Archetype, FormSite
from replay.sandbox.archetypes.plain import FIVE
from replay.sandbox.exchange import Hit, Reply

RENDERED_AFTER_MS = 800
_SCRIPT = f"""<script>setTimeout(() => {{
  const form = document.querySelector('template');
  form.replaceWith(form.content);
}}, {RENDERED_AFTER_MS})</script>"""


class ScriptRenderedSite(FormSite):
    """The form waits in a template."""

    def show(self, hit: Hit) -> Reply | None:
        """The page before its script has run."""
        shown = super().show(hit)
        if shown is None:
            return None
        start, end = shown.body.index("<form"), shown.body.rindex("</form>") + len("</form>")
        form = shown.body[start:end]
        body = f"{shown.body[:start]}<template>{form}</template>{shown.body[end:]}{_SCRIPT}"
        return Reply(body=body)


SCRIPT_RENDERED = Archetype(
    name="script_rendered",
    title="A script shows the form 0.8 s after the page has loaded",
    make=ScriptRenderedSite,
    fields=FIVE,
)
