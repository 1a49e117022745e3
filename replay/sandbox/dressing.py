"""Which kind of site each directory has, where the record does not tell and a person does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from harness.errors import SettingsError
from harness.model import Order
from replay.sandbox.archetypes import ARCHETYPES
from replay.sandbox.archetypes.saved import load_archetypes
from replay.sandbox.conditions import Condition
from replay.sandbox.exchange import Site
from replay.sandbox.sites import SiteMaker, make_site


def site_maker(sites: Mapping[str, str], *, folder: Path | None, seed: int | None) -> SiteMaker:
    """Return what makes the site of a submission; the condition is always the recorded one.

    sites: names of archetypes by host without ``www.``; all others as the record tells. folder: of
    captured archetypes, beside the sandbox's own. seed: of sites that are not always the same.
    Raises SettingsError for a name that is no archetype, or a folder that cannot be read.
    """
    known = ARCHETYPES | (load_archetypes(folder, ARCHETYPES) if folder else {})
    for host, name in sites.items():
        if name not in known:
            raise SettingsError(
                f"replay.sites: {host} = {name} is no kind of site. Known: {', '.join(known)}."
            )
        if len(known[name].conditions) == 1:
            raise SettingsError(
                f"replay.sites: {host} = {name} stands for what became of a visit, and that is the "
                "record's word. Give a kind that says how a form is reached, such as wizard."
            )
    kinds = {host.lower(): known[name] for host, name in sites.items()}

    def make(order: Order, condition: Condition) -> Site:
        return make_site(order, condition, kinds.get(order.directory.lower()), seed=seed or 0)

    return make


def dressing_digest(sites: Mapping[str, str], folder: Path | None) -> str:
    """Twelve hex digits that change with what a person said of the sites; empty if nothing.

    Files of captured archetypes count with their content.
    """
    if not sites:
        return ""
    digest = hashlib.blake2b(digest_size=6)
    for host, name in sorted(sites.items()):
        digest.update(f"{host.lower()}={name}\n".encode())
    if folder is not None:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                digest.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return digest.hexdigest()
