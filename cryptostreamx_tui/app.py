"""The application: it starts the stack, takes its events into the state, and stops it in order.

It constructs no stack and knows no server; ``StackLike`` is all it asks of the pipeline. Drawing is the frame
clock's business, knowledge the state's, keys the table's (``actions.py``).
"""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.dom import DOMNode
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.filter import LineFilter
from textual.screen import Screen

from cryptostreamx_tui.actions import ACTIONS, PANES, Action, bindings
from cryptostreamx_tui.alerts import AlertBook
from cryptostreamx_tui.calling import notification
from cryptostreamx_tui.chosen import ChosenTheme
from cryptostreamx_tui.commands import Commands
from cryptostreamx_tui.configuration import Configuration
from cryptostreamx_tui.copying import Copies
from cryptostreamx_tui.export import FORMATS, Export, place, write
from cryptostreamx_tui.format import UNKNOWN, Line
from cryptostreamx_tui.frame import FRAME_SECONDS, Frame
from cryptostreamx_tui.keys import keymap, remapped
from cryptostreamx_tui.rules import checks
from cryptostreamx_tui.screens.choose import Choice, ChooseScreen
from cryptostreamx_tui.screens.detail import DetailScreen
from cryptostreamx_tui.screens.help import help_detail
from cryptostreamx_tui.screens.startup import StartupScreen
from cryptostreamx_tui.screens.stopping import StoppingScreen
from cryptostreamx_tui.stack_like import StackLike
from cryptostreamx_tui.state import State
from cryptostreamx_tui.styles.colourless import Colourless
from cryptostreamx_tui.styles.theme import NIGHT, THEMES, WORDS, whole_name
from cryptostreamx_tui.terminal import TerminalDriver
from cryptostreamx_tui.widgets.bars import Notice
from pipeline.child import now_ms
from pipeline.events import ChildReport, LogLine, StackEvent
from pipeline.home import Home
from pipeline.text import clean

if TYPE_CHECKING:
    from cryptostreamx_tui.screens.main import MainScreen

SAID_MS = 4_000
"""How long the footer shows what a key did."""
LOOKED_AT = ("phase", "services", "cluster", "stats", "dead")
"""Topics that alerts are about, besides time and prices."""
NOT_OFFERED = ("command_palette", "interrupt")
"""Actions that the palette need not have."""
COLOURLESS = Colourless()


class CryptoStreamX(App[int]):
    """The terminal application. ``run()`` returns 0 after an orderly stop."""

    TITLE = "CryptoStreamX"
    CSS_PATH: ClassVar[list[str | Path]] = ["styles/tones.tcss", "styles/screens.tcss"]  # type: ignore[assignment]
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        stack: StackLike,
        clock: Callable[[], int] = now_ms,
        configuration: Configuration | None = None,
        kept: Path | None = None,
    ) -> None:
        """``kept`` is where the choice of a theme is kept for the next start; without it, nowhere."""
        super().__init__()
        self.configuration = configuration or Configuration()
        self.actions = remapped(ACTIONS, self.configuration.keys)
        """The table of actions with the keys of this person."""
        self._keys = {action.id: action.shown.split(" ")[0] for action in self.actions}
        self.set_keymap(keymap(self.actions))
        for theme in THEMES:
            self.register_theme(theme)
        self._chosen = ChosenTheme(self.configuration.theme, kept)
        chosen = whole_name(self._chosen.name())
        self.theme = chosen if chosen in self.available_themes else NIGHT.name
        self.alerts = AlertBook(checks(self.configuration.alerts))
        self._looked = (-1, 0)
        self._copies = Copies(self)
        self.commands = Commands(self)
        self.stack = stack
        self.now = clock
        """The wall clock, in milliseconds since the epoch."""
        self.state = State()
        self.frame = Frame(self, self.state, clock)
        self.stopping = False
        self._said: tuple[str, str, int] | None = None
        self._main: MainScreen | None = None
        self._start = StartupScreen()
        self._phase: str | None = None
        self._answering = False

    @property
    def main_screen(self) -> "MainScreen":
        """The main screen; made when it is first shown, as what it is made of takes longer than the first frame."""
        if self._main is None:
            from cryptostreamx_tui.screens.main import MainScreen

            self._main = MainScreen()
            self.install_screen(self._main, "main")
        return self._main

    # ------------------------------------------------------------ life

    def get_driver_class(self) -> type[Driver]:
        """Return a driver that stands the loss of its terminal, where Textual would take its own for terminals."""
        driver = super().get_driver_class()
        return TerminalDriver if driver is LinuxDriver else driver

    def on_mount(self) -> None:
        """Show the checklist, then start the stack: the first frame waits for no server."""
        self.state.feed = self.stack.feed
        self.state.attached = self.stack.settings.attach
        self.state.know(self.stack.symbols)
        self.state.want(tuple(self.stack.settings.symbols))
        self.install_screen(self._start, "start")
        self.push_screen("start")
        self.set_interval(FRAME_SECONDS, self.tick)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.begin_stop)
        self.call_after_refresh(self.command, self._start_all(), "start the pipeline")

    async def _start_all(self) -> None:
        """Start the stack; meanwhile, in a thread, get what the main screen is made of."""
        panes = asyncio.to_thread(import_module, "cryptostreamx_tui.screens.main")
        await asyncio.gather(self.stack.start(self.emit), panes)

    def on_unmount(self) -> None:
        """Give the signals back."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)

    def emit(self, event: StackEvent) -> None:
        """Take an event of the stack; nothing is drawn before the next tick."""
        self.state.apply(event, self.now())

    def tick(self) -> None:
        """One tick of the frame clock."""
        if not (self.is_running and self.screen_stack):
            return  # the application is on its way out, the timer not yet
        self.state.feed = self.stack.feed
        self._follow_phase()
        now = self.now()
        if self._main is not None and self.screen is self._main:
            self._main.fade(now)
        for notice in self.screen.walk_children(Notice):
            notice.settle()
        if self._said is not None and now >= self._said[2]:
            self._said = None
            self.touch()
        looked = (now // 1000, sum(self.state.revision[topic] for topic in LOOKED_AT))
        if looked != self._looked and not self.stopping:
            self._looked = looked
            self._look(now)
        self.frame.tick()

    def _look(self, now: int) -> None:
        """Look for what needs a person, once a second and whenever something changed; call for what is new."""
        before = self.alerts.revision
        raised = self.alerts.look(self.state, now)
        if self.alerts.revision != before:
            self.state.revision["alerts"] += 1
        wanted = self.configuration.alerts
        if raised and wanted.bell:
            self.bell()
        if raised and wanted.desktop and self._driver is not None:
            more = f" (and {len(raised) - 1} more)" if len(raised) > 1 else ""
            self._driver.write(notification(f"{raised[0].rule}: {raised[0].words}{more}", os.environ))

    def _follow_phase(self) -> None:
        phase = self.state.phase.phase if self.state.phase else None
        changed, self._phase = phase != self._phase, phase
        if phase == "running" and self.screen is self._start and not self._start.by_hand:
            self.show_main()
        elif changed and phase in ("starting", "failed") and self.screen is self._main:
            self.show_start(by_hand=False)

    def command(self, doing: Coroutine[Any, Any, None], what: str) -> None:
        """Let the stack do something; what it raises is shown and logged, and the screen goes on."""

        async def run() -> None:
            try:
                await doing
            except Exception as error:  # noqa: BLE001 - whatever it is, the user must see it and go on
                message = clean(f"could not {what}: {type(error).__name__}: {error}")
                entry = LogLine(level="ERROR", time=self.now(), message=message)
                self.emit(ChildReport("application", entry))
                self.notify(message, severity="error", markup=False)

        self.run_worker(run(), exit_on_error=True)

    # ------------------------------------------------------------ what widgets ask

    @property
    def pane_name(self) -> str:
        """Name of the current pane."""
        return next(iter(PANES)) if self._main is None else self._main.pane_name

    @property
    def frozen(self) -> bool:
        """Whether a view of the current pane stands still."""
        return self._main is not None and self._main.frozen

    def pane_facts(self) -> Line:
        """What the current pane has to say beside its title."""
        return [] if self._main is None else self._main.pane.facts(self.state, self.now())

    def touch(self) -> None:
        """Say that titles and footer may have changed by a key, and have them drawn."""
        self.state.revision["view"] += 1
        if not self._answering:
            self._answering = True
            self.call_later(self._answer)

    def post_display_hook(self) -> None:
        """Textual calls this when a drawing has gone to the terminal: only now it is on the screen."""
        self.frame.displayed()

    def _answer(self) -> None:
        self._answering = False
        if self.screen_stack:
            self.frame.answer()

    def say(self, text: str, tone: str = "accent") -> None:
        """Show in the footer, for a moment, what a key did."""
        self._said = (clean(text, 100), tone, self.now() + SAID_MS)
        self.touch()

    def said(self) -> tuple[str, str] | None:
        """What the footer shows besides the keys, and its tone."""
        return None if self._said is None else self._said[:2]

    def usable(self, action: Action) -> bool:
        """Whether an action does something at the moment."""
        place: DOMNode = self.screen
        if "app." in action.name or action.place == "app":
            place = self
        elif action.place in PANES:
            if self._main is None or self.screen is not self._main or action.place != self.pane_name:
                return False
            place = self._main.pane
        return bool(place.check_action(action.base, ()))

    def key(self, action: str) -> str:
        """Return the first key of an action, by its id, as people write it; ``–`` where it has none."""
        return self._keys[action] or UNKNOWN

    def copy(self, text: str) -> None:
        """Copy text to the terminal's clipboard, and into a file."""
        self._copies.copy(text)

    def acknowledge(self, number: int | None) -> None:
        """Acknowledge one alert, or all."""
        now = self.now()
        done = self.alerts.acknowledge_all(now) if number is None else int(self.alerts.acknowledge(number, now))
        self.say(f"{done} acknowledged" if done else "there is nothing to acknowledge")
        self.state.revision["alerts"] += 1

    def export(self, export: Export) -> None:
        """Ask for a format, then write a list into the home, in a thread."""

        async def to_file(ending: str) -> None:
            path = place(Home(self.stack.settings.home).exports, export.name, ending, self.now())
            await asyncio.to_thread(lambda: write(path, export.encode(ending)))
            self.notify(f"{len(export.rows):,} rows exported to {clean(str(path))}", markup=False)

        def chosen(ending: str | None) -> None:
            if ending is not None:
                self.command(to_file(ending), "export")

        question = f"Export {len(export.rows):,} rows as"
        self.push_screen(ChooseScreen(question, [Choice(*item) for item in FORMATS.items()]), chosen)

    # ------------------------------------------------------------ screens

    def show_main(self) -> None:
        """Go to the main screen."""
        self._start.by_hand = False
        if self.screen is self._start:
            self.switch_screen(self.main_screen)

    def show_start(self, *, by_hand: bool) -> None:
        """Go to the checklist."""
        self._start.by_hand = by_hand
        if self.screen is self._main:
            self.switch_screen("start")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Fill the palette from the table of actions: everything that does something here."""
        places = {"app", *self._places(screen)}
        for action in self.actions:
            known = action.base != "symbol" or int(action.id.rpartition(".")[2]) <= len(self.state.known)
            if action.place in places and action.base not in NOT_OFFERED and known and self.usable(action):
                title = f"{action.label.capitalize()} ({action.shown})" if action.shown else action.label.capitalize()
                run = self._runner(action.call)
                yield SystemCommand(title, action.description, run, discover=action.palette or action.place in PANES)

    def _places(self, screen: Screen[Any]) -> tuple[str, ...]:
        """Return the places whose actions a screen has."""
        if screen is self._main:
            return ("main", self.pane_name)
        if screen is self._start:
            return ("start",)
        return ("detail",) if isinstance(screen, DetailScreen) else ()

    def _runner(self, call: str) -> Callable[[], Coroutine[Any, Any, bool]]:
        async def run() -> bool:
            return await self.run_action(call)

        return run

    # ------------------------------------------------------------ actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        """Some keys mean something only when something is wrong."""
        if action == "retry":
            return self.state.needs_retry and not self.state.watched_ended
        if action == "simulated":
            return self.state.unreachable is not None and not self.state.attached
        if action in ("help", "command_palette", "theme"):
            return not self.stopping
        return True

    def action_help(self) -> None:
        """Show what is seen here, and what every key does."""
        if not isinstance(self.screen, DetailScreen):
            places = self._places(self.screen)
            self.push_screen(DetailScreen(help_detail(self.actions, places[-1] if places else "")))

    def action_theme(self) -> None:
        """Choose other colours; the choice is kept for the next start."""

        def chosen(name: str | None) -> None:
            if name is not None:
                self.theme = name
                self.command(asyncio.to_thread(self._chosen.keep, name), "keep the theme")

        ours = [Choice(name, *words) for name, words in WORDS.items()]
        others = [Choice(name, name) for name in sorted(self.available_themes) if name not in WORDS]
        self.push_screen(ChooseScreen("Colours", [*ours, *others]), chosen)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the grounds that Textual's own themes have no names for."""
        made = self.current_theme.to_color_system().generate()
        return {"cursor": f"{made['primary']} 40%", "cursor-blurred": f"{made['primary']} 20%", "alarm": made["panel"]}

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what every line passes through; with NO_COLOR no colour is left at all."""
        return (COLOURLESS,) if self.no_color else super().get_line_filters()

    def action_retry(self) -> None:
        """Try again what failed."""
        self.commands.retry()

    def action_simulated(self) -> None:
        """Use the simulated exchange, after asking."""
        self.commands.use_simulated()

    async def action_interrupt(self) -> None:
        """The same as to quit, by keys that work everywhere."""
        self.begin_stop()

    async def action_quit(self) -> None:
        """Stop in order, then leave; asked again, say what is waited for."""
        self.begin_stop()

    def begin_stop(self) -> None:
        """Begin the orderly stop (also on SIGTERM, and on SIGHUP when the terminal was closed)."""
        if self.stopping:
            if isinstance(self.screen, StoppingScreen):
                self.screen.ask_again()
            return
        self.stopping = True
        if self.state.attached:
            self.say("leaving: the pipeline goes on running")
        else:
            self.push_screen(StoppingScreen())
        self.run_worker(self._stop(), exit_on_error=True)

    async def _stop(self) -> None:
        try:
            await self.stack.stop()
        except Exception as error:  # noqa: BLE001 - the way out must stay open, with the reason told
            self.exit(
                1, return_code=1, message=clean(f"The pipeline did not stop in order: {type(error).__name__}: {error}")
            )
        else:
            self.exit(0, message=self._farewell())

    def _farewell(self) -> Text | None:
        """What stands in the terminal after an attached screen was left."""
        if not self.state.attached:
            return None
        if self.state.watched_ended:
            return Text("The pipeline that was watched has ended.")
        return Text(f"The pipeline goes on running in {clean(str(self.stack.settings.home))}.")
