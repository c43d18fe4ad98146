"""A trade, a window, a dead letter, a log line, a service: everything that is known of it, as text. Pure."""

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
    hex_dump,
    millis,
    safe,
    size,
    wrap,
)
from cryptostreamx_tui.state import LogEntry, TapeEntry
from pipeline.events import ServiceChanged
from pipeline.model import PRODUCER_DLQ, DeadLetter, Window
from pipeline.text import clean, clean_bytes

NAME_WIDTH = 18
LONGEST_NAME = 42
VALUE_LIMIT = 4000
STACK_TRACE_LIMIT = 8000


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


def trade_detail(entry: TapeEntry, topic: str) -> Detail:
    """Return everything known of one trade on the tape."""
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
            Section(
                "Place in Kafka", (("topic", topic), ("partition", str(read.partition)), ("offset", str(read.offset)))
            ),
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


def stage(letter: DeadLetter) -> str:
    """Return where a dead letter was refused."""
    if letter.topic == PRODUCER_DLQ:
        return "quality"
    return letter.header("__connect.errors.stage") or "sink"


def source(letter: DeadLetter) -> str:
    """Return the record a dead letter came from (``topic/partition@offset``), or ``–`` for a frame of the feed."""
    topic = letter.header("__connect.errors.topic")
    if topic is None:
        return UNKNOWN
    partition = letter.header("__connect.errors.partition") or UNKNOWN
    return f"{topic}/{partition}@{letter.header('__connect.errors.offset') or UNKNOWN}"


def explanation(letter: DeadLetter) -> str:
    """Return why, in the words of whoever refused it."""
    return letter.header("error.detail") or letter.header("__connect.errors.exception.message") or UNKNOWN


def letter_detail(letter: DeadLetter) -> Detail:
    """Return one dead letter: why, where from, every header, the payload as text and bytes."""
    value = letter.value
    trace = letter.header("__connect.errors.exception.stacktrace")
    payload: tuple[Section, ...]
    if value is None:
        payload = (Section("Payload", text=("no value (a tombstone)",)),)
    else:
        payload = (
            Section(f"Payload as text · {size(len(value))}", text=(clean_bytes(value, VALUE_LIMIT, multiline=True),)),
            Section("Payload as bytes", text=tuple(hex_dump(value))),
        )
    return Detail(
        f"Dead letter · {safe(letter.topic, 60)}/{letter.partition}@{letter.offset}",
        (
            Section(
                "Refused",
                (
                    ("reason", clean(letter.reason)),
                    ("stage", clean(stage(letter))),
                    ("field", clean(letter.header("error.field") or UNKNOWN)),
                    ("detail", clean(explanation(letter), VALUE_LIMIT)),
                    ("source", clean(source(letter))),
                    ("exception", clean(letter.header("__connect.errors.exception.class.name") or UNKNOWN)),
                    ("time", date_time(letter.timestamp)),
                    ("key", UNKNOWN if letter.key is None else clean_bytes(letter.key)),
                ),
            ),
            Section(
                "Headers",
                tuple(
                    (clean(h.key, 80), "null" if h.value is None else clean_bytes(h.value, VALUE_LIMIT))
                    for h in letter.headers
                    if h.key != "__connect.errors.exception.stacktrace"
                ),
                () if letter.headers else ("none",),
            ),
            *((Section("Stack trace", text=(clean(trace, STACK_TRACE_LIMIT, multiline=True),)),) if trace else ()),
            *payload,
        ),
    )
