"""What the application asks of the pipeline: a stack of its own, one that it watches, or a test's."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from pipeline.events import StackEvent
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.desk import Desk


class StackLike(Protocol):
    """A stack. ``emit`` is called in the application's event loop."""

    settings: Settings

    @property
    def feed(self) -> str:
        """``live``, ``simulated`` or ``replay of <file name>``."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """Known symbols, in order."""

    @property
    def desk(self) -> "Desk | None":
        """Questions to the servers; None while their addresses are not known."""

    async def start(self, emit: Callable[[StackEvent], None]) -> None:
        """Begin; returns at once, everything else comes as events."""

    async def stop(self) -> None:
        """Stop in order; returns when everything has stopped. Events keep coming meanwhile."""

    async def retry(self) -> None:
        """Try again what failed: start-up steps, services, the connection to the exchange."""

    async def restart(self, service: str) -> None:
        """Stop and start one service."""

    async def stop_service(self, service: str) -> None:
        """Stop one service; it stays stopped until a person starts it."""

    async def start_service(self, service: str) -> None:
        """Start one service that was stopped, or given up."""

    async def set_symbols(self, symbols: tuple[str, ...], known: tuple[str, ...]) -> None:
        """Stream exactly these from now on; ``known`` are all that have a digit. Both are kept for the next start."""

    async def ask_frame(self, symbol: str, trade_id: int) -> None:
        """Have the producer tell a trade's raw frame; the answer comes as an event."""

    async def use_simulated(self) -> None:
        """Stop, then start with the simulated exchange in a home of its own."""
