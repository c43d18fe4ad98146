"""A symbol by its name: suggestions from the exchange's list while one types, and a check against it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cryptostreamx_tui.screens.prompt import PromptScreen, Suggestions
from pipeline.feed.listing import Listed
from pipeline.settings import can_be_symbol
from pipeline.text import clean

if TYPE_CHECKING:
    from cryptostreamx_tui.app import CryptoStreamX

QUESTION = "Which symbol? Its name, or a part of it; ↓ goes to the suggestions."
TRADING = "TRADING"
SUGGESTED = 50


class Names:
    """What is known of the exchange's list while the question is asked. Pure."""

    def __init__(self, known: Sequence[str]) -> None:
        self._known = set(known)
        self._listed: dict[str, Listed] | None = None
        self.error: str | None = None
        """Why the list is not there, in the exchange's or the system's words."""
        self._told: str | None = None
        """The name of which was said that it cannot be checked, or has no trades: once more, and it is taken."""

    def take(self, listed: Sequence[Listed]) -> None:
        """Take the list."""
        self._listed = {one.symbol: one for one in listed}

    def suggest(self, text: str) -> list[tuple[str, str]]:
        """Return names that match, the best first: equal, then those that begin with it, then those that hold it."""
        part = text.strip().upper()
        if self._listed is None or not part:
            return []
        found = [one for name, one in self._listed.items() if part in name and name not in self._known]

        def rank(one: Listed) -> tuple[bool, bool, bool, bool, str]:
            base = one.baseAsset.upper()
            return (
                one.status != TRADING,
                part not in (one.symbol, base),
                not one.symbol.startswith(part),
                one.quoteAsset != "USDT",
                one.symbol,
            )

        return [(one.symbol, _words(one)) for one in sorted(found, key=rank)[:SUGGESTED]]

    def check(self, text: str) -> str | None:
        """Return what is wrong with a name, or None where it may be added."""
        name = text.strip().upper()
        if not name:
            return "a name is wanted"
        if name in self._known:
            return f"{clean(name, 40)} is there already"
        if not can_be_symbol(name):
            return f"{clean(name, 40)} cannot be a symbol"
        if self._listed is None and self.error is None:
            return "the exchange's list is still being asked for"
        if self._listed is not None and name not in self._listed:
            return f"the exchange does not list {clean(name, 40)}"
        if self._told == name:
            return None
        if self._listed is None:
            self._told = name
            return f"it cannot be checked: {self.error}. Enter again adds it unchecked"
        status = self._listed[name].status
        if status != TRADING:
            self._told = name
            return f"{clean(name, 40)} is listed, but has no trades now ({clean(status, 40)}). Enter again adds it"
        return None


def _words(one: Listed) -> str:
    pair = f"{one.baseAsset} / {one.quoteAsset}" if one.quoteAsset else ""
    return pair if one.status == TRADING else f"{pair} · {one.status}"


def add_symbol(host: "CryptoStreamX", added: Callable[[str], None]) -> None:
    """Ask for a name; ``added`` gets one that may be streamed."""
    names = Names(tuple(host.state.known))

    def answered(text: str | None) -> None:
        if text is not None:
            added(text.strip().upper())

    screen = PromptScreen(QUESTION, hint="btc", suggest=names.suggest, check=names.check)

    async def ask() -> None:
        desk = host.stack.desk
        if desk is None:
            names.error = "the exchange's address is not known yet"
            return
        try:
            names.take(await desk.listing())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told where the name is checked
            names.error = clean(str(error) or type(error).__name__, 200)
        if screen.query(Suggestions):  # the answer may be there before the question, or after it was left
            screen.look_again()

    host.push_screen(screen, answered)
    host.run_worker(ask(), exit_on_error=True)
