"""Every key and what it does, from the table of actions."""

from collections.abc import Sequence

from cryptostreamx_tui.actions import ACTIONS, GROUPS, Action
from cryptostreamx_tui.details import Detail, Section

ABOUT = (
    "Trades flow from the exchange through quality checks, Kafka and windows into ClickHouse. This screen reads them "
    "back from Kafka: what stands here really is in the pipeline. Freezing a view never stops the pipeline.",
    "Digits belong to the symbols, letters and function keys to the panes. What is older than it should be is dimmed "
    "and says STALE; what is not known is shown as –.",
    "seen in 41/74 ms: time from a trade's arrival here to its being on this screen, median and 99th percentile of the "
    "last seconds. lag: records the slower of windows and sink still has to read. ▲0.12%: change since this screen "
    "saw the symbol's first trade.",
)


def help_detail(table: Sequence[Action] = ACTIONS, here: str = "") -> Detail:
    """Return the help page."""
    sections = [Section("About", text=ABOUT)]
    for heading, places in GROUPS:
        actions = [a for a in table if a.place in places and not (a.base == "symbol" and a.shown != "1")]
        sections.append(Section(heading, tuple(_field(action) for action in actions)))
    return Detail("Help", tuple(sections))


def _field(action: Action) -> tuple[str, str]:
    if action.base == "symbol":
        return "1 … 9", "Turn the symbol with this digit on or off"
    where = f" ({', '.join(action.panes)})" if action.panes else ""
    return action.shown, action.description + where
