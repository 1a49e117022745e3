"""The channels that the settings and the environment switch on."""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import SettingsError
from harness.notify.channels.channel import Channel
from harness.notify.channels.command import CommandChannel
from harness.notify.channels.file import FileChannel
from harness.settings import WEBHOOK_VARIABLE, Settings


def channels_of(settings: Settings, environ: Mapping[str, str]) -> list[Channel]:
    """Every channel that is set. Raises SettingsError where there is none, or one is wrong."""
    chosen, found = settings.notify, list[Channel]()
    url = environ.get(WEBHOOK_VARIABLE, "").strip()
    if url:
        # Only here: it loads the HTTP library.
        from harness.notify.channels.webhook import WebhookChannel

        found.append(WebhookChannel(url, timeout_s=chosen.timeout))
    if chosen.command:
        found.append(CommandChannel(chosen.command, timeout_s=chosen.timeout, secrets=[url]))
    if chosen.file:
        found.append(FileChannel(chosen.file))
    if not found:
        raise SettingsError(
            "Nobody is told anything yet. Switch on a channel: export "
            f"{WEBHOOK_VARIABLE}=https://…, or set notify.command or notify.file in shadow.toml."
        )
    return found
