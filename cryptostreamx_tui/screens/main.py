"""The main screen: one pane at a time where there is little room, a dashboard where there is more."""

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.events import Click, Resize
from textual.widget import Widget

from cryptostreamx_tui.actions import PANES, action_of, bindings
from cryptostreamx_tui.panes.alerts import AlertsPane
from cryptostreamx_tui.panes.dead_letters import DeadLettersPane
from cryptostreamx_tui.panes.health import HealthPane, Strip
from cryptostreamx_tui.panes.logs import LogPane
from cryptostreamx_tui.panes.messages import MessagesPane
from cryptostreamx_tui.panes.pane import Pane
from cryptostreamx_tui.panes.query import QueryPane
from cryptostreamx_tui.panes.symbols import SymbolsPane
from cryptostreamx_tui.panes.trades import TradesPane
from cryptostreamx_tui.panes.windows import WindowsPane
from cryptostreamx_tui.screens.base import Face
from cryptostreamx_tui.screens.detail import DetailScreen
from cryptostreamx_tui.screens.latency import LatencyScreen
from cryptostreamx_tui.widgets.bars import Chips, Footer, Notice, StatusLine, Tabs
from cryptostreamx_tui.widgets.rows import Rows

ALONE = ("messages", "query", "alerts")
"""Panes that no dashboard has a place for: they get the whole body."""


class MainScreen(Face):
    """Status, panes, keys."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("main")
    # The dashboards need both: breadth for panes side by side, height for panes above each other.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (112, "-wide"), (180, "-broad")]  # noqa: RUF012 - as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-high"), (50, "-tall")]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.pane_name = "trades"
        self.maximised = False

    def compose(self) -> ComposeResult:
        """Everything at once; the style sheet decides what is in sight."""
        yield StatusLine(id="status")
        yield Notice(id="notice")
        yield Chips(id="chips")
        yield Tabs(id="tabs")
        with Container(id="body"):
            # In the order of the grid's cells.
            yield SymbolsPane(id="symbols")
            yield TradesPane(id="trades")
            yield HealthPane(id="health")
            yield WindowsPane(id="windows")
            yield Strip(id="strip")
            yield LogPane(id="log")
            yield DeadLettersPane(id="dead")
            yield MessagesPane(id="messages")
            yield QueryPane(id="query")
            yield AlertsPane(id="alerts")
        yield Footer(("main", "rows", "app"), id="footer")

    def on_mount(self) -> None:
        """Begin with the tape."""
        self.show_pane(self.pane_name)

    def on_resize(self, _: Resize) -> None:
        """Arrange the panes, after Textual has set the breakpoints' classes."""
        self.call_next(self._arrange)

    # ------------------------------------------------------------ panes

    @property
    def pane(self) -> Pane:
        """The current pane."""
        return self.query_one(f"#{self.pane_name}", Pane)

    def fade(self, now: int) -> None:
        """Let the panes dim what is too old at ``now`` (ms since the epoch) to be shown as live."""
        # Walked, not queried: to match a selector against every widget ten times a second costs more than to draw.
        for pane in self.walk_children(Pane):
            if pane.is_mounted:  # not yet while the screen is being made
                pane.fade(self.host.state, now)

    @property
    def roomy(self) -> bool:
        """Whether several panes have room beside each other."""
        broad = self.has_class("-wide") or self.has_class("-broad")
        return broad and (self.has_class("-high") or self.has_class("-tall"))

    @property
    def frozen(self) -> bool:
        """Whether a view of the current pane stands still."""
        return any(stream.held for stream in self.pane.streams)

    def _arrange(self) -> None:
        roomy = self.roomy
        large = self.has_class("-broad") and self.has_class("-tall")
        # Where the dashboard has no place for the health pane, it gets the whole body.
        alone = self.maximised or self.pane_name in ALONE or (self.pane_name == "health" and not large)
        self.update_classes(
            {"-dashboard": roomy and not alone, "-large": large and not alone, "-single": not roomy or alone}
        )
        for pane in self.query(Pane):
            if not roomy or alone:
                pane.styles.display = "block" if pane.key == self.pane_name else "none"
            elif pane.styles.inline.has_rule("display"):
                pane.styles.clear_rule("display")  # the style sheet knows which of them have a place
        self.host.touch()

    def show_pane(self, name: str) -> None:
        """Make a pane the current one and give it the focus."""
        self.pane_name = name
        for pane in self.query(Pane):
            # No style depends on it: to look through the style sheets for each widget of two panes takes 10 ms.
            pane.set_class(pane.key == name, "-current", update=False)
        self._arrange()
        stops = self.pane.stops
        if stops and self.focused not in stops:
            self.set_focus(stops[0], scroll_visible=False)

    def on_click(self, event: Click) -> None:
        """A click into another pane makes that one current."""
        clicked, _ = self.get_widget_at(*event.screen_offset)
        pane = next((node for node in clicked.ancestors_with_self if isinstance(node, Pane)), None)
        if pane is not None and pane.key != self.pane_name:
            self.show_pane(pane.key)

    def _stops(self) -> list[tuple[str, Widget]]:
        """Return every list in reach of tab, in reading order."""
        return [(name, stop) for name in PANES for stop in self.query_one(f"#{name}", Pane).stops]

    def _step(self, by: int) -> None:
        stops = self._stops()
        here = next((i for i, (_, stop) in enumerate(stops) if stop is self.focused), 0)
        name, stop = stops[(here + by) % len(stops)]
        if name != self.pane_name:
            self.show_pane(name)
        self.set_focus(stop, scroll_visible=False)
        self.host.touch()

    # ------------------------------------------------------------ actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        """Some keys mean something in some panes only."""
        if action == "maximise":
            return self.roomy
        if action == "acknowledge_all":
            return bool(self.host.alerts.calling)
        if action == "filter":
            return bool(self.pane.filter_hint)
        known = action_of("main", action)
        return known is None or not known.panes or self.pane_name in known.panes

    def action_pane(self, name: str) -> None:
        """Show a pane."""
        self.show_pane(name)

    def action_next_pane(self) -> None:
        """Go to the next list."""
        self._step(1)

    def action_previous_pane(self) -> None:
        """Go to the previous list."""
        self._step(-1)

    def action_symbol(self, digit: int) -> None:
        """Turn the symbol with a digit on or off."""
        known = list(self.host.state.known)
        if digit <= len(known):
            self.host.commands.toggle(known[digit - 1])
        else:
            self.host.say(f"there is no symbol {digit}")

    async def action_in_pane(self, call: str) -> None:
        """Do what only the current pane can do (for the footer and the palette)."""
        await self.app.run_action(call, default_namespace=self.pane)

    def action_filter(self) -> None:
        """Open the pane's filter line."""
        line = self.pane.filter_line
        if line is not None:
            line.show()

    def action_export(self) -> None:
        """Export what the pane lists."""
        self.pane.begin_export()

    def action_freeze(self) -> None:
        """Hold the pane's views, or let them follow the newest again."""
        streams = self.pane.streams
        if self.frozen:
            for stream in streams:
                stream.follow()
            self.host.say("following the newest")
        else:
            for stream in streams:
                stream.hold()
            self.host.say("frozen: the view, not the pipeline")
        self.host.touch()

    def action_back(self) -> None:
        """Leave the frozen view, or else the maximised pane."""
        held = [stream for stream in self.pane.streams if stream.held]
        line = self.pane.filter_line
        for stream in held:
            stream.follow()
        if held:
            return
        if line is not None and line.display:
            line.hide()
        elif self.maximised:
            self.action_maximise()

    def action_maximise(self) -> None:
        """Give the body to one pane, or take it back."""
        self.maximised = not self.maximised
        self._arrange()

    def action_copy(self) -> None:
        """Copy the selected row."""
        rows: Rows[Any] | None = self.pane.rows
        item = rows.selected if rows is not None else None
        if rows is None or item is None:
            self.host.say("there is no row to copy")
        else:
            self.host.copy(rows.text(item))

    def action_acknowledge_all(self) -> None:
        """Acknowledge every alert."""
        self.host.acknowledge(None)

    def action_latency(self) -> None:
        """Open the latencies by stage."""
        self.host.push_screen(LatencyScreen())

    def action_checklist(self) -> None:
        """Open the start-up checklist."""
        self.host.show_start(by_hand=True)

    def on_rows_opened(self, message: Rows.Opened) -> None:
        """Open a row."""
        self.host.push_screen(DetailScreen(message.detail))
