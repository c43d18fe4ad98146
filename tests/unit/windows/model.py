"""The windows by brute force, from the definition alone: what the real ones are held against."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import fsum, isclose

from pipeline.model import GRACE_MS, WINDOW_MS, Trade, Window


@dataclass
class Expected:
    windows: dict[tuple[str, str, int], list[Trade]] = field(default_factory=dict)
    """(size, symbol, start) → its trades in order, of every closed window."""
    late: dict[str, Counter[str]] = field(default_factory=lambda: {size: Counter() for size in WINDOW_MS})
    late_windows: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    """(size, symbol, start) → late trades of that window."""
    duplicates: int = 0


def expected(trades: Iterable[Trade]) -> Expected:
    """One partition's windows, late trades and duplicates."""
    result = Expected()
    inside: dict[tuple[str, str, int], dict[int, Trade]] = {}
    came_late: dict[tuple[str, str, int], set[int]] = {}
    largest = -1
    for trade in trades:
        repeated = False
        for size, ms in WINDOW_MS.items():
            start = trade.event_time // ms * ms
            place = (size, trade.symbol, start)
            if trade.trade_id in inside.get(place, {}) or trade.trade_id in came_late.get(place, ()):
                repeated = True
            elif start + ms + GRACE_MS <= largest:
                came_late.setdefault(place, set()).add(trade.trade_id)
                result.late[size][trade.symbol] += 1
                result.late_windows[size, trade.symbol, start] += 1
            else:
                inside.setdefault(place, {})[trade.trade_id] = trade
        result.duplicates += repeated
        largest = max(largest, trade.event_time)
    for place, by_id in inside.items():
        size, _, start = place
        if start + WINDOW_MS[size] + GRACE_MS <= largest:
            result.windows[place] = sorted(by_id.values(), key=lambda trade: (trade.event_time, trade.trade_id))
    return result


def assert_window(window: Window, trades: list[Trade]) -> None:
    """Assert that a window holds exactly these trades (in their order)."""
    prices = [trade.price for trade in trades]
    quantity = fsum(trade.quantity for trade in trades)
    assert window.trade_count == len(trades)
    assert (window.min_price, window.max_price) == (min(prices), max(prices))
    assert (window.open_price, window.close_price) == (prices[0], prices[-1])
    assert isclose(window.total_quantity, quantity, rel_tol=1e-9)
    assert isclose(window.avg_price, fsum(prices) / len(prices), rel_tol=1e-9)
    assert isclose(window.vwap, fsum(trade.price * trade.quantity for trade in trades) / quantity, rel_tol=1e-9)


def assert_windows(windows: Iterable[Window], model: Expected) -> None:
    """Assert that these are the model's windows, each of them; one that comes again must be identical."""
    found: dict[tuple[str, str, int], Window] = {}
    for window in windows:
        place = (window.size, window.symbol, window.window_start)
        assert found.setdefault(place, window) == window
    assert found.keys() == model.windows.keys()
    for place, window in found.items():
        assert_window(window, model.windows[place])
