"""Help for where one is: what is shown here, its keys, then the keys that work everywhere, and the words explained.

Keys come from the table of actions, as this person has them.
"""

from collections.abc import Sequence

from cryptostreamx_tui.actions import ACTIONS, GROUPS, PANES, Action
from cryptostreamx_tui.details import Detail, Section

SHOWN = {
    "trades": "Every trade as it was read back from Kafka, the newest on top: when it happened, its side (▲ somebody "
    "bought at the asked price, ▼ sold at the bid), price, quantity, value, and how long it was under way. Select a "
    "row and the view stands still; what arrives meanwhile is counted.",
    "windows": "What the 1-minute and 5-minute windows made of the trades. A window is closed, and final, ten seconds "
    "of event time after its end; the running one is shown apart and is unfinished.",
    "health": "The servers and processes behind this screen: state, memory, restarts and last error; brokers and their "
    "replicas, topics, consumer groups with their lag, schemas, tables.",
    "messages": "The records of any topic as they stand in Kafka, decoded. Reading here uses no consumer group and "
    "leaves no trace: nobody's place in the topic changes.",
    "log": "Warnings and errors of every process; all of it stands in the home's logs/.",
    "dead": "Records that could not be used, as they came, with the reason: what the quality checks refused "
    "(dlq-producer) and what ClickHouse did not take (dlq-clickhouse). One can be replayed to its topic, once, after a "
    "dry run.",
    "query": "SQL against ClickHouse, where trades and windows are kept. Ready-made queries are a beginning.",
    "symbols": "The symbols this screen knows. Turning one on or off changes the running feed within a second; the "
    "state says what is still waited for.",
    "alerts": "What needed a person: raised once a rule's condition has held for a while, cleared once it has been "
    "over for a while. Acknowledging says that you have seen it; it stays listed until it is over. Rules, bell and "
    "desktop notifications are chosen in the configuration.",
    "start": "Everything that is started, in the order in which it waits for each other, with what each server "
    "answered. The pipeline runs once all of it is done.",
}
"""Pane or screen → what one sees there."""

ABOUT = (
    "Trades flow from the exchange through quality checks, Kafka and windows into ClickHouse. This screen reads them "
    "back from Kafka: what stands here really is in the pipeline. Freezing a view never stops the pipeline."
)
WORDS = (
    ("– ", "Not known (yet). It is never shown as 0."),
    ("STALE 12s", "So old is the newest trade, where one was to be expected by now. What is old is dimmed."),
    ("LIVE, ◆ …", "Only a connected, fresh feed from Binance is called LIVE; another feed is named on every screen."),
    ("lag", "Records that the slower of windows and sink still has to read; 0 means that all is read."),
    ("❄ +1,234", "The view stands still; so many arrived meanwhile. The pipeline goes on."),
    ("dead", "Dead letters: records that could not be used and are kept with the reason."),
    ("refused", "Frames that the quality checks did not let in, since the producer was started."),
    ("seen in 41/74 ms", "From a trade's arrival here until it was on this screen: median and 99th percentile."),
    ("p50, p99", "Half of them were faster than p50, 99 of 100 faster than p99."),
    ("▲0.12%", "Change of the price since this screen saw the symbol's first trade."),
    ("partial", "A first window that began before the trades did: not all of its minute is in it."),
    ("late", "Trades that came after their window was closed: counted, not in the window."),
    ("offset, partition", "A record's number in its partition, and the part of the topic it stands in."),
    ("in-sync, URP", "Replicas that have everything; partitions that have fewer of them than they should."),
    ("copied.txt", "What you copy goes to the terminal's clipboard (OSC 52) and into exports/copied.txt in the home."),
)
"""Words of the screen, explained."""


def help_detail(table: Sequence[Action] = ACTIONS, here: str = "") -> Detail:
    """Return the help page, with what belongs to ``here`` (a pane or a screen) first."""
    title = PANES[here][0] if here in PANES else {"start": "Start-up checklist"}.get(here, "")
    sections = [Section(f"{title}: what is shown", text=(SHOWN[here],))] if title else []
    own = [group for group in GROUPS if here in group[1]]
    for heading, places in own:
        sections += _keys(f"{heading}: its keys", table, places)
    sections.append(Section("About", text=(ABOUT,)))
    for heading, places in GROUPS:
        if (heading, places) not in own:
            sections += _keys(heading, table, places)
    sections.append(Section("Words", WORDS))
    ids = "Keys are changed in the configuration, under [keys], by these names (config.example.toml shows how)."
    sections.append(Section("Names of the actions", tuple((a.id, a.shown or "–") for a in table), (ids,)))
    return Detail(f"Help · {title}" if title else "Help", tuple(sections))


def _keys(heading: str, table: Sequence[Action], places: tuple[str, ...]) -> list[Section]:
    actions = [a for a in table if a.place in places and (a.base != "symbol" or a.id == "main.symbol.1")]
    return [Section(heading, tuple(_field(action) for action in actions))] if actions else []


def _field(action: Action) -> tuple[str, str]:
    if action.base == "symbol":
        return "1 … 9", "Turn the symbol with this digit on or off"
    where = f" ({', '.join(PANES[name][0] for name in action.panes)})" if 0 < len(action.panes) < len(PANES) else ""
    return action.shown or "–", action.description + where
