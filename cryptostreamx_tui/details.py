"""A trade, a window, a log line, a service: everything that is known of it, as text. Pure."""

from dataclasses import dataclass

from cryptostreamx_tui.format import (
    UNKNOWN,
    Line,
    Span,
    count,
    date_time,
    decimals,
    duration,
    fit,
    millis,
    safe,
    size,
    wrap,
)
from cryptostreamx_tui.state import LogEntry, TapeEntry
from pipeline.events import ServiceChanged
from pipeline.model import Window
from pipeline.text import clean

NAME_WIDTH = 18
LONGEST_NAME = 42
VALUE_LIMIT = 4000


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with fields (name, value) or lines of text under it."""

    heading: str
    fields: tuple[tuple[str, str], ...] = ()
    text: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Detail:
    """A titled page of sections."""

    title: str
    sections: tuple[Section, ...]

    def lines(self, width: int) -> list[Line]:
        """Return the page for a width; long values go on in the next line."""
        lines: list[Line] = []
        for section in self.sections:
            if lines:
                lines.append([])
            lines.append([Span(" " + section.heading, "head")])
            names = max([NAME_WIDTH, *(min(LONGEST_NAME, len(name) + 2) for name, _ in section.fields)])
            for name, value in section.fields:
                first, *rest = wrap(value, max(10, width - names - 4))
                lines.append([Span("   " + fit(name, names - 1) + " ", "dim"), Span(first)])
                lines.extend([Span(" " * (names + 3) + more)] for more in rest)
            for text in section.text:
                lines.extend([Span("   " + part)] for part in wrap(text, max(10, width - 4)))
        return lines


def _number(value: float) -> str:
    return f"{value:,.{max(2, decimals(value))}f}" if abs(value) < 1e12 else repr(value)


def side(market_maker: bool) -> tuple[str, str]:
    """Return the taker's side as shown, and its tone: a buyer who was the maker means that the taker sold."""
    return ("▼ sell", "bad") if market_maker else ("▲ buy", "good")


def trade_detail(entry: TapeEntry, topic: str, frame: str = UNKNOWN) -> Detail:
    """Return everything known of one trade on the tape. ``frame``: the raw frame, cleaned, or why it is not there."""
    read, read_at = entry
    trade = read.trade
    received = trade.received_time if trade.received_time > 0 else None
    return Detail(
        f"Trade {trade.trade_id} · {safe(trade.symbol, 40)}",
        (
            Section(
                "Trade",
                (
                    ("symbol", safe(trade.symbol)),
                    ("side (taker)", side(trade.market_maker)[0]),
                    ("price", _number(trade.price)),
                    ("quantity", _number(trade.quantity)),
                    ("value", _number(trade.price * trade.quantity)),
                ),
            ),
            Section(
                "Place in Kafka",
                (
                    ("topic", topic),
                    ("partition", str(read.partition)),
                    ("offset", str(read.offset)),
                    ("schema id", UNKNOWN if read.schema_id is None else str(read.schema_id)),
                ),
            ),
            Section(
                "Record",
                (
                    ("event_type", safe(trade.event_type)),
                    ("event_time", f"{trade.event_time}  {date_time(trade.event_time)}"),
                    ("symbol", safe(trade.symbol)),
                    ("trade_id", str(trade.trade_id)),
                    ("price", repr(trade.price)),
                    ("quantity", repr(trade.quantity)),
                    ("trade_time", f"{trade.trade_time}  {date_time(trade.trade_time)}"),
                    ("market_maker", str(trade.market_maker).lower()),
                    ("ignore", str(trade.ignore).lower()),
                    ("received_time", f"{trade.received_time}  {date_time(trade.received_time)}"),
                    ("source", str(trade.source)),
                ),
            ),
            Section("Raw frame", text=(frame,)),
            Section(
                "Way",
                (
                    ("received", date_time(received)),
                    ("record timestamp", date_time(read.timestamp)),
                    ("read back", date_time(read_at)),
                    ("received → read", millis(None if received is None else max(0, read_at - received))),
                ),
            ),
        ),
    )


def window_detail(window: Window) -> Detail:
    """Return everything known of one closed window."""
    return Detail(
        f"Window {safe(window.symbol, 40)} · {window.size}",
        (
            Section(
                "Window",
                (
                    ("symbol", safe(window.symbol)),
                    ("start", f"{window.window_start}  {date_time(window.window_start)}"),
                    ("end (exclusive)", f"{window.window_end}  {date_time(window.window_end)}"),
                    ("size", window.size),
                ),
            ),
            Section(
                "Trades",
                (
                    ("trade_count", count(window.trade_count)),
                    ("total_quantity", _number(window.total_quantity)),
                    ("open_price", _number(window.open_price)),
                    ("min_price", _number(window.min_price)),
                    ("max_price", _number(window.max_price)),
                    ("close_price", _number(window.close_price)),
                    ("vwap", repr(window.vwap)),
                    ("avg_price", repr(window.avg_price)),
                ),
            ),
        ),
    )


def log_detail(entry: LogEntry, path: str | None) -> Detail:
    """Return one log line, whole."""
    return Detail(
        f"{safe(entry.level, 20)} · {safe(entry.service, 40)}",
        (
            Section(
                "Log line",
                (
                    ("time", date_time(entry.time)),
                    ("level", safe(entry.level)),
                    ("service", safe(entry.service)),
                    ("reason", safe(entry.reason or UNKNOWN)),
                    ("symbol", safe(entry.symbol or UNKNOWN)),
                    ("log file", safe(path or UNKNOWN)),
                ),
            ),
            Section("Message", text=(clean(entry.message, VALUE_LIMIT, multiline=True),)),
        ),
    )


def service_detail(service: ServiceChanged, now: int) -> Detail:
    """Return everything known of one service."""
    return Detail(
        f"Service {safe(service.name, 40)}",
        (
            Section(
                "Service",
                (
                    ("state", f"{service.state} for {duration(now - service.since)}"),
                    ("pid", UNKNOWN if service.pid is None else str(service.pid)),
                    ("address", safe(service.address or UNKNOWN)),
                    ("memory", size(service.memory)),
                    ("restarts", str(service.restarts)),
                    ("next start", date_time(service.retry_at)),
                    ("log file", safe(service.log_path or UNKNOWN)),
                ),
            ),
            Section("Last error", text=(clean(service.last_error or "none", VALUE_LIMIT, multiline=True),)),
        ),
    )
