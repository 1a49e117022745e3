"""The colours of the dashboard: calm ones, in which only a decision stands out.

No colour carries a meaning alone: every state also has a sign and a word.
"""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="shadow-dark",
    primary="#6f9fc8",
    secondary="#8a9bb0",
    accent="#c7a96b",
    foreground="#d3dae2",
    background="#12161b",
    surface="#171c22",
    panel="#202730",
    success="#7cc08c",
    warning="#dcb35c",
    error="#e5736f",
    dark=True,
    variables={
        "border": "#2f3945",
        "block-cursor-background": "#31506b",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#232d38",
        "block-cursor-blurred-foreground": "#d3dae2",
        "footer-key-foreground": "#c7a96b",
        "footer-description-foreground": "#a5b1be",
        "footer-background": "#171c22",
        "input-cursor-background": "#d3dae2",
        "scrollbar": "#2f3945",
        "scrollbar-background": "#171c22",
    },
)

LIGHT = Theme(
    name="shadow-light",
    primary="#1f5f96",
    secondary="#4f5d6b",
    accent="#7a5a10",
    foreground="#1b2129",
    background="#fbfaf7",
    surface="#f2f0ea",
    panel="#e4e1d8",
    success="#1d6b37",
    warning="#855400",
    error="#ad2320",
    dark=False,
    variables={
        "border": "#b9b4a6",
        "block-cursor-background": "#cfe0f0",
        "block-cursor-foreground": "#10151b",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#e4e1d8",
        "block-cursor-blurred-foreground": "#1b2129",
        "footer-key-foreground": "#7a5a10",
        "footer-description-foreground": "#4f5d6b",
        "footer-background": "#f2f0ea",
        "input-cursor-background": "#1b2129",
        "scrollbar": "#b9b4a6",
        "scrollbar-background": "#f2f0ea",
    },
)
HIGH_CONTRAST = Theme(
    name="shadow-high-contrast",
    primary="#5fd7ff",
    secondary="#e0e0e0",
    accent="#ffff5f",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    success="#5fff87",
    warning="#ffd75f",
    error="#ff8787",
    dark=True,
    variables={
        "border": "#bcbcbc",
        "block-cursor-background": "#ffffff",
        "block-cursor-foreground": "#000000",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#444444",
        "block-cursor-blurred-foreground": "#ffffff",
        "footer-key-foreground": "#ffff5f",
        "footer-description-foreground": "#ffffff",
        "footer-background": "#000000",
        "input-cursor-background": "#ffffff",
        "scrollbar": "#bcbcbc",
        "scrollbar-background": "#000000",
    },
)
NO_COLOUR = Theme(
    name="shadow-no-colour",
    primary="#d0d0d0",
    secondary="#a8a8a8",
    accent="#e4e4e4",
    foreground="#e4e4e4",
    background="#121212",
    surface="#121212",
    panel="#262626",
    success="#e4e4e4",
    warning="#c6c6c6",
    error="#ffffff",
    dark=True,
    variables={
        "border": "#6c6c6c",
        "block-cursor-background": "#4e4e4e",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#303030",
        "block-cursor-blurred-foreground": "#e4e4e4",
        "footer-key-foreground": "#ffffff",
        "footer-description-foreground": "#a8a8a8",
        "footer-background": "#121212",
        "input-cursor-background": "#e4e4e4",
        "scrollbar": "#6c6c6c",
        "scrollbar-background": "#121212",
    },
)

THEMES = (DARK, LIGHT, HIGH_CONTRAST, NO_COLOUR)
"""In the order in which a key goes through them."""


def next_theme(current: str) -> str:
    """The name of the theme after `current`; the first one after a theme that is not ours."""
    names = [theme.name for theme in THEMES]
    return names[(names.index(current) + 1) % len(names)] if current in names else names[0]
