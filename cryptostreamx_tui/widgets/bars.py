"""The single lines of the main screen: status on top, notice, symbols' chips, tabs, the footer."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len

from cryptostreamx_tui.actions import PANES, footer
from cryptostreamx_tui.alerts import Alert
from cryptostreamx_tui.format import (
    UNKNOWN,
    Line,
    Span,
    change,
    count,
    duration,
    fit,
    hms,
    per_second,
    plain,
    safe,
    wrap,
)
from cryptostreamx_tui.latency_words import latency_line
from cryptostreamx_tui.state import FEED_STALE_MS, STATS_STALE_MS, State
from cryptostreamx_tui.widgets.view import Lines


def spread(left: Line, right: Line, width: int) -> Line:
    """Return a line with ``right`` at its end; the left part is cut where both do not fit."""
    room = width - cell_len(plain(right))
    line: Line = []
    for span in left:
        length = cell_len(span.text)
        if length > room:
            line.append(Span(fit(span.text, room), span.tone, span.action))
            room = 0
            break
        line.append(span)
        room -= length
    return [*line, Span(" " * room), *right]


def feed_words(state: State, now: int) -> Span:
    """Return the feed's name and condition: only what is connected and fresh is called LIVE."""
    name = state.feed
    if state.watched_ended:
        return Span("✗ ENDED", "bad")
    if name == "live":
        if state.unreachable is not None:
            return Span("✗ NO FEED", "bad")
        if state.producer is None or not state.producer.connected:
            return Span("○ CONNECTING", "warn")
        word, sign, tone = "LIVE", "●", "good"
    elif name == "simulated":
        word, sign, tone = "SIMULATED", "◆", "warn"
    else:
        word, sign, tone = (
            safe(name, 40).upper() if len(name) < 12 else f"REPLAY {safe(name.removeprefix('replay of '), 40)}",
            "◆",
            "warn",
        )
    if state.ended:
        return Span(f"■ {word} ENDED", tone)
    age = state.feed_age(now)
    if age is not None and age > FEED_STALE_MS and state.wanted:
        return Span(f"◌ {'FEED' if name == 'live' else word} STALE {duration(age)}", "warn")
    return Span(f"{sign} {word}", tone)


def attached_words(state: State) -> Line:
    """Return the word for a screen that only watches, so that nobody takes it for the pipeline's own."""
    return [Span(" attached", "accent")] if state.attached else []


class StatusLine(Lines):
    """Feed, rates, latency, lag, refusals and the clock: always there."""

    topics: ClassVar[tuple[str, ...]] = ("phase", "stats", "dead", "reader")
    ages: ClassVar[bool] = True

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - one line
        """Make the line."""
        state, now = self.state, self.host.now()
        line: Line = [Span(" "), feed_words(state, now), *attached_words(state)]
        phase = state.phase.phase if state.phase else "starting"
        if phase != "running":
            line.append(Span(f" {phase}", "bad" if phase == "failed" else "warn"))

        def fresh(kind: str) -> bool:
            age = state.stats_age(kind, now)
            return age is not None and age <= STATS_STALE_MS

        line += [Span("  "), Span(per_second(state.rate.value(now)), "strong"), *latency_line(state, now, width)]
        facts = [
            ("lag ", count(state.lag if fresh("windows") and fresh("sink") else None), ""),
            ("dead ", count(state.dead_letters), "warn" if state.dead_letters else ""),
            ("refused ", count(state.refused if fresh("producer") else None), "warn" if state.refused else ""),
        ]
        for label, value, tone in facts:
            line.append(Span("  " + label, "dim"))
            line.append(Span(value, tone or "strong"))
        if state.trouble is not None:
            line.append(Span(f"  not reading: {safe(state.trouble.message or '')}", "bad"))
        return [spread(line, [Span(f"  {hms(now)}Z ", "dim")], width)]


class Notice(Lines):
    """What needs a person: Binance out of reach, failed services. Takes no room otherwise."""

    topics: ClassVar[tuple[str, ...]] = ("stats", "services", "phase", "steps", "alerts")
    ages: ClassVar[bool] = True

    def __init__(self, *, id: str, services: bool = True) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._services = services
        """Whether failed services are told here too (the checklist tells of them by itself)."""

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - as high as it needs to be
        """Make the lines."""
        host, place = self.host, "main" if self._services else "start"
        keys = (host.key(f"{place}.retry"), host.key(f"{place}.simulated"))
        lines = notice(self.state, width, services=self._services, keys=keys)
        if self._services and host.alerts.calling:
            lines.append(alert_line(host.alerts.calling, width, (host.key("main.pane.alerts"), host.key(ACKNOWLEDGE))))
        return lines

    def on_mount(self) -> None:
        """Join the clock."""
        super().on_mount()
        self.settle()

    def settle(self) -> None:
        """Take as much room as there is to say."""
        wanted = len(self.lines(self.screen.size.width, 0))
        if self.display != bool(wanted):
            self.display = bool(wanted)
        if wanted and self.styles.height is not None and self.styles.height.value != wanted:
            self.styles.height = wanted


ACKNOWLEDGE = "main.acknowledge_all"


def alert_line(calling: Sequence[Alert], width: int, keys: tuple[str, str]) -> Line:
    """Return the newest of the alerts that nobody has acknowledged, how many more there are, and the keys for it."""
    more = f" (+{len(calling) - 1} more)" if len(calling) > 1 else ""
    opens, acknowledges = "screen.pane('alerts')", "screen.acknowledge_all"
    right = [
        Span(f"  {keys[0]}", "key", opens),
        Span(" alerts  ", "", opens),
        Span(keys[1], "key", acknowledges),
        Span(" acknowledge ", "", acknowledges),
    ]
    words = safe(f"{calling[0].rule}: {calling[0].words}")
    room = width - cell_len(plain(right)) - 3 - cell_len(more)
    left = [Span(" ▲ ", "alarm", opens), Span(fit(words, max(0, room)).rstrip() + more, "alarm", opens)]
    return spread(left, right, width)


def notice(state: State, width: int, *, services: bool, keys: tuple[str, str] = ("r", "s")) -> list[Line]:
    """Return what needs a person, and the keys for it: to retry, and for the simulated exchange."""
    retry, simulated = keys
    if state.watched_ended:
        words = (
            "✗ The pipeline that was watched has ended: what stands here is old. The next one in this home is watched."
        )
        first, *rest = wrap(words, max(20, width - 4))
        return [[Span(" " + first, "alarm")], *([Span("   " + part, "alarm")] for part in rest)]
    lines: list[Line] = []
    error = state.unreachable
    if error is not None:
        first, *rest = wrap(f"✗ Binance cannot be reached: {safe(error)}", max(20, width - 4))[:3]
        lines.append([Span(" " + first, "alarm")])
        lines.extend([Span("   " + part, "alarm")] for part in rest)
        lines.append(
            [
                Span("   "),
                Span(retry, "key", "app.retry"),
                Span(" retry   ", "", "app.retry"),
            ]
        )
        if not state.attached:
            lines[-1].extend(
                [
                    Span(simulated, "key", "app.simulated"),
                    Span(" use the simulated exchange", "", "app.simulated"),
                    Span("  (its trades are made up)", "dim"),
                ]
            )
    for service in state.failed_services[:3] if services else []:
        reason = safe(service.last_error or "no reason given")
        lines.append([Span(fit(f" ✗ {safe(service.name)} FAILED: {reason}", width), "alarm")])
        log = f"   log {safe(service.log_path)}   " if service.log_path else "   "
        hint: Line = [Span(retry, "key", "app.retry"), Span(" retry ", "", "app.retry")]
        lines.append(spread([Span(log, "dim")], hint, width))
    return lines


class Chips(Lines):
    """The symbols with their digits, in one line."""

    topics: ClassVar[tuple[str, ...]] = ("symbols", "stats")
    ages: ClassVar[bool] = True

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - one line
        """Make the line: with all that is known where it fits; where not even all symbols do, how many more."""
        state, now = self.state, self.host.now()
        names = list(state.known)
        for more in (2, 1, 0):
            chips = [self._chip(state, symbol, index, now, more) for index, symbol in enumerate(names)]
            if sum(cell_len(plain(chip)) for chip in chips) <= width:
                break
        line: Line = []
        used = 0
        for index, chip in enumerate(chips):
            length = cell_len(plain(chip))
            rest = f" +{len(names) - index}"
            if used + length + (len(rest) if index < len(names) - 1 else 0) > width:
                line.append(Span(rest, "dim", "screen.pane('symbols')"))
                break
            line.extend(chip)
            used += length
        return [line]

    @staticmethod
    def _chip(state: State, symbol: str, index: int, now: int, more: int) -> Line:
        """``more``: 1 for the change of the price as well, 2 for the rate besides."""
        digit = str(index + 1) if index < 9 else " "
        action = f"screen.symbol({index + 1})" if index < 9 else ""
        word = state.subscription(symbol)
        on = symbol in state.wanted
        head: Line = [
            Span(f" {digit}", "key", action),
            Span("●" if on else "○", "good" if word == "on" else "dim", action),
        ]
        head.append(Span(short(symbol) + " ", "" if on else "dim", action))
        summary = state.symbols.get(symbol)
        stale = state.stale(symbol, now)
        if word != "on" and word != "leaving…" and (not on or summary is None):
            return [*head, Span(word + " ", "dim", action)]
        if summary is None or summary.price is None:
            return [*head, Span(UNKNOWN + " ", "dim", action)]
        price = f"{summary.price:,.{summary.price_places}f} "
        if stale is not None:
            return [*head, Span(price, "dim", action), Span(f"STALE {duration(stale)} ", "warn", action)]
        chip = [*head, Span(price, "strong", action)]
        if more:
            label, moved = longest_change(state, symbol, now)
            chip += [Span(label, "dim", action), Span(change(moved) + " ", tone_of(moved), action)]
        if more > 1:
            chip.append(Span(per_second(summary.rate.value(now)) + " ", "dim", action))
        return chip


def longest_change(state: State, symbol: str, now: int) -> tuple[str, float | None]:
    """Return the change over the longest time that is known of, and which that is."""
    day = state.day_change(symbol, now)
    if day is not None:
        return "24h", day
    summary = state.symbols.get(symbol)
    for label, seconds in (("5m", 300), ("1m", 60)):
        moved = summary.change(now, seconds) if summary else None
        if moved is not None:
            return label, moved
    return "", None


def tone_of(value: float | None) -> str:
    """Return the tone of a rise or a fall."""
    return "dim" if value is None or abs(value) < 0.00005 else "good" if value > 0 else "bad"


def short(symbol: str) -> str:
    """Return the base asset of a symbol quoted in USDT, which most are; any other symbol as it is."""
    return safe(symbol.removesuffix("USDT") or symbol, 40)


class Tabs(Lines):
    """The panes' names, where one is shown at a time; what the current one has to say stands at the right."""

    topics: ClassVar[tuple[str, ...]] = ("view", "trades", "dead", "log")
    ages: ClassVar[bool] = True

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - one line
        """Make the line; where there is little room the other panes' names are shortened, never the current one's."""
        facts: Line = [*self.host.pane_facts(), Span(" ")]
        room = width - cell_len(plain(facts))
        line = self._names(99)
        for longest in (5, 4, 3, 2):
            if cell_len(plain(line)) <= room:
                break
            line = self._names(longest)
        return [spread(line, facts, width)]

    def _names(self, longest: int) -> Line:
        line: Line = []
        for name, (title, _, _) in PANES.items():
            letter = self.host.key(f"main.pane.{name}")
            action = f"screen.pane('{name}')"
            word = title.split()[0]
            if name == self.host.pane_name:
                line.append(Span(f"▸{word}", "tab", action))
                continue
            word = word[:longest]
            at = word.lower().find(letter) if len(letter) == 1 else -1
            before, key, after = (word[:at], word[at], word[at + 1 :]) if at >= 0 else ("", letter, f" {word}")
            line.extend([Span(" " + before, "dim", action), Span(key, "key", action), Span(after, "dim", action)])
        return line


class Footer(Lines):
    """The keys that matter here, from the table of actions, and for a moment what the last key did."""

    topics: ClassVar[tuple[str, ...]] = ("view", "phase", "stats", "services", "steps")
    ages: ClassVar[bool] = True

    def __init__(self, places: tuple[str, ...], *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._places = places

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - one line
        """Make the line."""
        said = self.host.said()
        right: Line = [Span(f" {safe(said[0])} ", said[1])] if said else []
        line: Line = [Span(" ")]
        room = width - 1 - cell_len(plain(right))
        focused = self.screen.focused
        typing = focused is not None and focused.check_consume_key("a", "a")
        for action in footer(self._places, self.host.pane_name, self.host.actions):
            if not (action.shown and self.host.usable(action)):
                continue
            key = action.shown.split(" ")[0]
            if typing and len(key) == 1:
                continue  # it would be typed
            label = "resume" if action.base == "freeze" and self.host.frozen else action.label
            label = "leave" if action.base == "quit" and self.state.attached else label
            length = len(key) + len(label) + 3
            if length > room:
                break
            room -= length
            line.extend([Span(key, "key", action.call), Span(f" {label}  ", "dim", action.call)])
        return [spread(line, right, width)]
