"""The consumer groups: state, members, lag and how it moved over the last minute; opened, the lag by partition."""

from typing import Any, ClassVar

from cryptostreamx_tui.details import Detail, Section
from cryptostreamx_tui.format import UNKNOWN, Line, Span, count, safe, sparkline
from cryptostreamx_tui.panes.health.view import Listing
from cryptostreamx_tui.widgets.columns import Column
from pipeline.inventory import GroupView, LagView, MemberView

SPARK = 14
GOOD = ("STABLE",)
PASSING = ("PREPARING_REBALANCING", "COMPLETING_REBALANCING", "ASSIGNING", "RECONCILING")


def lag_words(group: GroupView) -> str:
    """Return a group's lag: ``120``, ``≥ 120`` where some partitions are unknown, ``–`` where all are."""
    if group.lag is None:
        return UNKNOWN
    return f"≥ {group.lag:,}" if group.unknown else f"{group.lag:,}"


def growth_words(growth: int | None) -> str:
    """Return how a lag moved over the last minute: ``▲ 1,200``, ``▼ 300``, ``= 0``."""
    if growth is None:
        return UNKNOWN
    return f"{'▲' if growth > 0 else '▼' if growth < 0 else '='} {abs(growth):,}"


class GroupRows(Listing[GroupView]):
    """One line a group."""

    key: ClassVar[str] = "groups"
    heading: ClassVar[str] = "Consumer groups"
    topics: ClassVar[tuple[str, ...]] = ("inventory",)
    fields: ClassVar[tuple[str, ...]] = (
        "group", "state", "members", "topic", "partition", "committed", "end", "lag",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__(
            (
                Column("group", 22, lambda g: Span(g.name), fixed=True, flexible=True),
                Column("state", 9, self._state),
                Column("lag", 9, lambda g: Span(lag_words(g)), right=True),
                Column("last minute", SPARK, self._spark),
                Column("change", 9, self._growth, right=True),
                Column("members", 7, lambda g: Span(count(None if g.members is None else len(g.members))), right=True),
                Column("unknown", 7, lambda g: Span(str(g.unknown) if g.unknown else "", "dim"), right=True),
                Column("error", 10, lambda g: Span(g.error or "", "bad"), flexible=True),
            ),
            empty="no consumer group is known yet",
        )

    def _state(self, group: GroupView) -> Span:
        word = group.state.lower().replace("_", " ")
        return Span(word, "good" if group.state in GOOD else "warn" if group.state in PASSING else "dim")

    def _spark(self, group: GroupView) -> Span:
        return Span(sparkline(self.state.inventory.trend(group.name, self.host.now()), SPARK), "accent")

    def _growth(self, group: GroupView) -> Span:
        growth = self.state.inventory.growth(group.name, self.host.now())
        return Span(growth_words(growth), "warn" if growth and growth > 0 else "dim")

    def everything(self) -> tuple[GroupView, ...]:
        """Return the groups by name."""
        seen = self.state.inventory.groups.seen
        return () if seen is None else seen.groups

    def label(self, item: GroupView) -> str:
        """Return the group's name."""
        return item.name

    def export_rows(self) -> list[tuple[Any, ...]]:
        """Return a row for each group and partition; a group without partitions has one row."""
        rows: list[tuple[Any, ...]] = []
        for group in self.items():
            head = (group.name, group.state, None if group.members is None else len(group.members))
            lags = group.lags or ()
            rows += [(*head, lag.topic, lag.partition, lag.committed, lag.end, lag.lag) for lag in lags]
            if not lags:
                rows.append((*head, None, None, None, None, None))
        return rows

    def seen_age(self, now: int) -> int | None:
        """Return the age of the last good look."""
        return self.state.inventory.groups.age(now)

    def stale(self, now: int) -> bool:
        """Tell whether that is too old."""
        return self.state.inventory.groups.stale(now)

    def trouble(self) -> str | None:
        """Return why groups are missing."""
        return self.state.inventory.groups.error

    def facts(self, now: int) -> Line:  # noqa: ARG002
        """How many there are."""
        seen = self.state.inventory.groups.seen
        return [] if seen is None else [Span(str(len(seen.groups)), "dim")]

    def detail(self, item: GroupView) -> Detail:
        """Return everything known of a group."""
        inventory, now = self.state.inventory, self.host.now()
        return group_detail(item, inventory.trend(item.name, now), inventory.growth(item.name, now))


def group_detail(group: GroupView, trend: list[int], growth: int | None) -> Detail:
    """Return a group with its members, its lag by partition, and how the lag moved."""
    moved = (f"{sparkline(trend, 60)}  {min(trend):,} – {max(trend):,}",) if trend else ("not known yet",)
    return Detail(
        f"Consumer group {safe(group.name, 60)}",
        (
            Section(
                "Group",
                (
                    ("state", safe(group.state)),
                    ("lag", lag_words(group)),
                    ("unknown", f"{group.unknown} partition(s) without a commit, or whose end is not known"),
                    ("coordinator", UNKNOWN if group.coordinator is None else f"broker {group.coordinator}"),
                    ("assignor", safe(group.assignor) or UNKNOWN),
                    *((("error", safe(group.error)),) if group.error else ()),
                ),
            ),
            Section("Lag over the last minute", (("change", growth_words(growth)),), moved),
            Section(
                "Lag by partition",
                tuple((safe(f"{lag.topic}/{lag.partition}", 80), _lag(lag)) for lag in group.lags or ()),
                () if group.lags else ("unknown" if group.lags is None else "it has committed nothing",),
            ),
            *(_member(member) for member in group.members or ()),
            *(() if group.members else (Section("Members", text=("unknown" if group.members is None else "none",)),)),
        ),
    )


def _lag(lag: LagView) -> str:
    committed = "nothing committed" if lag.committed is None else f"committed {lag.committed}"
    return f"lag {count(lag.lag)} · {committed} · end {UNKNOWN if lag.end is None else lag.end}"


def _member(member: MemberView) -> Section:
    places = " ".join(f"{topic}/{partition}" for topic, partition in member.partitions)
    return Section(
        f"Member {safe(member.client_id, 60)}",
        (
            ("id", safe(member.id)),
            ("host", safe(member.host)),
            ("static member", safe(member.instance or "no")),
            ("reads", safe(places, 4_000) or "nothing"),
        ),
    )
