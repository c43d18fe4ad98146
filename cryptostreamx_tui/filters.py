"""What a person types to see only some trades: ``btc buy >1000``. Pure.

Words in any order: parts of symbols (several mean any of them), ``buy`` or ``sell`` (the taker's side), ``>1000`` (the
smallest value, in the quote asset; ``k`` and ``m`` for thousands and millions). Case does not matter.
"""

import re
from dataclasses import dataclass, field

from cryptostreamx_tui.state import TapeEntry

HINT = "symbol, buy or sell, smallest value:  btc buy >1000"
_SIDES = {"buy": False, "sell": True}
"""Word → whether the buyer was the maker."""
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6}
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{0,15})?", re.ASCII)


class FilterError(ValueError):
    """Not a filter; the message says why, in words for the person who typed it."""


@dataclass(frozen=True, slots=True)
class TradeFilter:
    """Calling it with an entry of the tape tells whether that is to be seen."""

    symbols: tuple[str, ...] = ()
    """Parts of names, upper case; any of them. Empty: every symbol."""
    sold: bool | None = None
    least: float = 0.0
    _known: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)
    """Symbol → whether its name matches: there are few symbols and many trades."""

    def __call__(self, entry: TapeEntry) -> bool:
        """Tell whether an entry is to be seen."""
        trade = entry[0].trade
        if self.sold is not None and trade.market_maker is not self.sold:
            return False
        if self.least and not trade.price * trade.quantity >= self.least:
            return False
        if not self.symbols:
            return True
        known = self._known.get(trade.symbol)
        if known is None:
            name = trade.symbol.upper()
            known = any(part in name for part in self.symbols)
            if len(self._known) < 10_000:
                self._known[trade.symbol] = known
        return known

    @property
    def words(self) -> str:
        """The filter as it could be typed."""
        side = () if self.sold is None else ("sell" if self.sold else "buy",)
        value = (f">{self.least:.15f}".rstrip("0").rstrip("."),) if self.least else ()
        return " ".join((*(part.lower() for part in self.symbols), *side, *value))


def parse(text: str) -> TradeFilter | None:
    """Return the filter that a text asks for, None for none.

    Raises:
        FilterError: a word is none of those that are known, or contradicts another one.
    """
    symbols: list[str] = []
    sold: bool | None = None
    least: float | None = None
    for word in text.split():
        lower = word.lower()
        if lower in _SIDES:
            if sold is not None:
                raise FilterError("buy or sell once; without either both are shown")
            sold = _SIDES[lower]
        elif lower[0] in ">≥":
            if least is not None:
                raise FilterError("one smallest value is enough")
            least = _least(lower.lstrip(">≥="), word)
        elif lower[0] in "<=≤":
            raise FilterError(f"{word}: only a smallest value can be given, as in >1000")
        elif word.upper() not in symbols:
            symbols.append(word.upper())
    if not symbols and sold is None and not least:
        return None
    return TradeFilter(tuple(symbols), sold, least or 0.0)


def _least(number: str, word: str) -> float:
    digits, unit = (number[:-1], number[-1]) if number[-1:] in ("k", "m") else (number, "")
    digits = digits.replace(",", "").replace("_", "")
    if not _NUMBER.fullmatch(digits):
        raise FilterError(f"{word}: a number belongs after >, as in >1000 or >2.5k")
    return float(digits) * _UNITS[unit]
