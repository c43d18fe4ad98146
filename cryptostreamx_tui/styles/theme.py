"""The dark theme: low contrast where nothing happens, colour where something does."""

from textual.theme import Theme

NIGHT = Theme(
    name="cryptostreamx-night",
    primary="#7aa2d6",
    secondary="#5f7a99",
    accent="#8ecbd8",
    foreground="#d3d9e1",
    background="#10141a",
    surface="#141920",
    panel="#1c232d",
    success="#7fbf7f",
    warning="#dcae62",
    error="#e57f7f",
    dark=True,
    variables={"foreground-muted": "#8590a0", "footer-key-foreground": "#8ecbd8"},
)
