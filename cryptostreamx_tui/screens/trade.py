"""One trade, whole, with the raw frame it came in: the producer is asked for that when the trade is opened."""

from typing import ClassVar

from cryptostreamx_tui.details import trade_detail
from cryptostreamx_tui.format import Line
from cryptostreamx_tui.screens.detail import DetailPage, DetailScreen
from cryptostreamx_tui.state import TapeEntry
from pipeline.model import TRADE_TOPIC
from pipeline.text import clean

ASKING = "asking the producer…"
GONE = "no longer kept by the producer (it keeps its last 20,000 frames, and none from before its start)"
SLOW_MS = 3_000
SLOW = "the producer has not answered yet; it is asked again when the trade is opened again"
FRAME_LIMIT = 4_000


class TradePage(DetailPage):
    """The sections, and the frame as soon as it is known."""

    topics: ClassVar[tuple[str, ...]] = ("frames",)
    ages: ClassVar[bool] = True

    def __init__(self, entry: TapeEntry) -> None:
        super().__init__(trade_detail(entry, TRADE_TOPIC))
        self._entry = entry
        self._asked: int | None = None
        self._refused: str | None = None
        trade = entry[0].trade
        self._key = trade.symbol, trade.trade_id

    def on_mount(self) -> None:
        """Ask for the frame."""
        super().on_mount()
        self._asked = self.host.now()
        self.state.frames.pop(self._key, None)
        self.run_worker(self._ask(), exit_on_error=True)

    async def _ask(self) -> None:
        try:
            await self.host.stack.ask_frame(*self._key)
        except Exception as error:  # noqa: BLE001 - whatever it is, it stands where the frame would
            self._refused = f"not known: {clean(str(error) or type(error).__name__)}"
            self.redraw()

    def frame(self) -> str:
        """Return the frame, or why it is not there."""
        if self._key in self.state.frames:
            found = self.state.frames[self._key]
            return GONE if found is None else clean(found, FRAME_LIMIT)
        if self._refused is not None:
            return self._refused
        slow = self._asked is not None and self.host.now() - self._asked > SLOW_MS
        return SLOW if slow else ASKING

    def lines(self, width: int, height: int) -> list[Line]:  # noqa: ARG002 - it scrolls
        """Make the lines."""
        return trade_detail(self._entry, TRADE_TOPIC, self.frame()).lines(width)


class TradeScreen(DetailScreen):
    """A trade's page."""

    def __init__(self, entry: TapeEntry) -> None:
        super().__init__(trade_detail(entry, TRADE_TOPIC))
        self._entry = entry

    def page(self) -> DetailPage:
        """Return what is shown below the heading."""
        return TradePage(self._entry)
