"""What a person lets the stack do: after a question where it interrupts something, told while it is done.

The screens call these; what the stack raises is shown and logged by ``CryptoStreamX.command``.
"""

from typing import TYPE_CHECKING

from cryptostreamx_tui.screens.confirm import ConfirmScreen
from pipeline.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from cryptostreamx_tui.app import CryptoStreamX


class Commands:
    """Commands to the application's stack."""

    def __init__(self, app: "CryptoStreamX") -> None:
        self._app = app

    def retry(self) -> None:
        """Try again what failed."""
        self._app.command(self._app.stack.retry(), "retry")
        self._app.say("trying again")

    def use_simulated(self) -> None:
        """Use the simulated exchange, after asking."""

        def answered(yes: bool | None) -> None:
            if yes:
                self._app.command(self._app.stack.use_simulated(), "use the simulated exchange")
                self._app.say("changing to the simulated exchange")

        question = (
            "Use the simulated exchange? The pipeline stops and starts again with made-up trades, in a home of its "
            "own; what was stored of the live feed stays as it is."
        )
        self._app.push_screen(ConfirmScreen(question), answered)

    # ------------------------------------------------------------ services

    def restart(self, service: str, why: str = "") -> None:
        """Restart a service, after asking; ``why`` says what that interrupts."""
        question = f"Restart {clean(service, 40)}? {why}"
        self._ask(question, service, lambda: self._app.stack.restart(service), "restart", "restarting")

    def stop_service(self, service: str, why: str) -> None:
        """Stop a service, after asking; it stays stopped until a person starts it."""
        question = f"Stop {clean(service, 40)} until you start it again? {why}"
        self._ask(question, service, lambda: self._app.stack.stop_service(service), "stop", "stopping")

    def start_service(self, service: str) -> None:
        """Start a service that was stopped, or given up: nothing is interrupted, so nothing is asked."""
        self._app.command(self._app.stack.start_service(service), f"start {service}")
        self._app.say(f"starting {service}")

    def _ask(
        self,
        question: str,
        service: str,
        doing: "Callable[[], Coroutine[Any, Any, None]]",
        verb: str,
        while_done: str,
    ) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._app.command(doing(), f"{verb} {service}")
                self._app.say(f"{while_done} {service}")
            else:
                self._app.say(f"{service} was left alone")

        self._app.push_screen(ConfirmScreen(question.strip()), answered)

    # ------------------------------------------------------------ symbols

    def toggle(self, symbol: str) -> None:
        """Turn a symbol on or off on the running feed."""
        wanted = self._app.state.wanted
        if symbol in wanted:
            wanted = tuple(s for s in wanted if s != symbol)
            if not wanted:
                self._app.say("the last symbol stays on: a feed needs one", "warn")
                return
            self._app.say(f"{symbol} off")
        else:
            wanted = tuple(s for s in self._app.state.known if s in wanted or s == symbol)
            self._app.say(f"{symbol} on")
        self.choose_symbols(tuple(self._app.state.known), wanted)

    def choose_symbols(self, known: tuple[str, ...], wanted: tuple[str, ...]) -> None:
        """Know these symbols, in this order, and stream those that are wanted."""
        self._app.state.arrange(known)
        self._app.state.want(wanted)
        self._app.command(self._app.stack.set_symbols(wanted, known), "change the symbols, or keep the choice of them")
