"""The colours of the dashboard: calm ones, in which only a decision stands out."""

from __future__ import annotations

from textual.theme import Theme

SHADOW_THEME = Theme(
    name="shadow",
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
