"""The cluster: its controller, partitions and replicas, and what each broker has of them."""

from typing import Any, ClassVar

from cryptostreamx_tui.details import Detail, Section
from cryptostreamx_tui.format import UNKNOWN, Line, Span, count, date_time, safe
from cryptostreamx_tui.panes.health.view import Listing
from cryptostreamx_tui.state import STATS_STALE_MS
from cryptostreamx_tui.widgets.columns import Column
from pipeline.events import BrokerView, ClusterSeen


def skewed(value: float | None) -> Span:
    """Return a skew as kafka-ui shows it: percent against the brokers' mean; much of it in colour."""
    if value is None:
        return Span(UNKNOWN, "dim")
    return Span(f"{value:+.1f}%", "warn" if abs(value) >= 20 else "dim")


class BrokerRows(Listing[BrokerView]):
    """One line a broker."""

    key: ClassVar[str] = "brokers"
    heading: ClassVar[str] = "Brokers"
    topics: ClassVar[tuple[str, ...]] = ("cluster", "services")
    fields: ClassVar[tuple[str, ...]] = (
        "broker", "host", "port", "reachable", "controller", "leaders", "leader_skew_percent", "replicas",
        "replica_skew_percent", "in_sync", "out_of_sync",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__(
            (
                Column("id", 3, lambda b: Span(str(b.id)), fixed=True, right=True),
                Column("state", 13, self._state),
                Column("leads", 5, lambda b: Span(count(b.leaders)), right=True),
                Column("skew", 8, lambda b: skewed(b.leader_skew), right=True),
                Column("replicas", 8, lambda b: Span(count(b.replicas)), right=True),
                Column("skew", 8, lambda b: skewed(b.replica_skew), right=True),
                Column("in sync", 7, lambda b: Span(count(b.in_sync)), right=True),
                Column(
                    "behind", 6, lambda b: Span(count(b.out_of_sync), "bad" if b.out_of_sync else "dim"), right=True
                ),
                Column("", 10, lambda b: Span("controller" if b.is_controller else "", "accent")),
                Column("address", 21, lambda b: Span(f"{b.host}:{b.port}", "dim"), flexible=True),
            ),
            empty="no broker has answered yet",
        )

    def _state(self, broker: BrokerView) -> Span:
        if self.stale(self.host.now()):
            return Span("◌ STALE", "warn")
        return Span("● reachable", "good") if broker.reachable else Span("✗ unreachable", "bad")

    def everything(self) -> tuple[BrokerView, ...]:
        """Return the brokers that the cluster lists."""
        seen = self.state.cluster
        return () if seen is None else seen.brokers

    def label(self, item: BrokerView) -> str:
        """Return the broker's id and address."""
        return f"{item.id} {item.host}:{item.port}"

    def service_of(self, item: BrokerView) -> str:
        """Return the service of a broker that is run here."""
        return f"kafka-{item.id}"

    def values(self, item: BrokerView) -> tuple[Any, ...]:
        """Return the exported values."""
        return (
            item.id, item.host, item.port, item.reachable, item.is_controller, item.leaders, item.leader_skew,
            item.replicas, item.replica_skew, item.in_sync, item.out_of_sync,
        )  # fmt: skip

    def seen_age(self, now: int) -> int | None:
        """Return the age of the last look."""
        return self.state.stats_age("cluster", now)

    def stale(self, now: int) -> bool:
        """Tell whether the watch is silent."""
        return (self.seen_age(now) or 0) > STATS_STALE_MS

    def trouble(self) -> str | None:
        """Return why no broker answered."""
        return None if self.state.cluster is None else self.state.cluster.error

    def facts(self, now: int) -> Line:  # noqa: ARG002
        """Controller, partitions, replicas."""
        seen = self.state.cluster
        return [] if seen is None else cluster_facts(seen)

    def detail(self, item: BrokerView) -> Detail:
        """Return everything known of a broker."""
        return Detail(
            f"Broker {item.id}",
            (
                Section(
                    "Broker",
                    (
                        ("address", safe(f"{item.host}:{item.port}")),
                        ("port answers", "yes" if item.reachable else "no"),
                        ("controller", "yes" if item.is_controller else "no"),
                        ("leads", f"{count(item.leaders)} partitions, skew {skewed(item.leader_skew).text}"),
                        ("replicas", f"{count(item.replicas)}, skew {skewed(item.replica_skew).text}"),
                        ("in sync", count(item.in_sync)),
                        ("out of sync", count(item.out_of_sync)),
                        ("seen", date_time(self.state.cluster.time if self.state.cluster else None)),
                    ),
                ),
                Section(
                    "Skew",
                    text=("percent above (+) or below (-) the mean of all brokers that the cluster lists",),
                ),
            ),
        )


def cluster_facts(seen: ClusterSeen) -> Line:
    """Return the cluster in one line."""
    bad, behind = bool(seen.offline), bool(seen.under_replicated)
    return [
        Span(
            f"controller {UNKNOWN if seen.controller is None else seen.controller}",
            "" if seen.controller is not None else "bad",
        ),
        Span(f" · {seen.online}/{seen.partitions} online", "bad" if bad else "dim"),
        Span(f" · URP {seen.under_replicated}", "warn" if behind else "dim"),
        Span(f" · in-sync {seen.in_sync}/{seen.replicas}", "warn" if behind else "dim"),
    ]
