"""The walkthrough's colors: warm on dark, hot things orange."""

from __future__ import annotations

from rich.terminal_theme import TerminalTheme
from textual.theme import Theme

EMBER = Theme(
    name="ember",
    primary="#ff9f43",
    secondary="#c8b6a6",
    warning="#ffd166",
    error="#ef6461",
    success="#9bc53d",
    accent="#ff9f43",
    foreground="#e8e2d9",
    background="#191716",
    surface="#211e1c",
    panel="#2b2724",
    dark=True,
)
_EIGHT = (
    (25, 23, 22),  # black
    (239, 100, 97),  # red: what goes
    (155, 197, 61),  # green: what comes
    (255, 159, 67),  # yellow: what is hot
    (110, 160, 200),
    (190, 140, 190),
    (110, 185, 180),
    (232, 226, 217),  # white
)
# What the terminal's eight colors, which results are drawn in, look like here.
ANSI = TerminalTheme((25, 23, 22), (232, 226, 217), list(_EIGHT), list(_EIGHT))
