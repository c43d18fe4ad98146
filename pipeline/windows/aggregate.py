"""The aggregation of one window: a plain list (it is written to the state as JSON with every trade) and its rules.

Each trade counts once by its id; open and close are the first and last by event time, then trade id, so that neither a
repeated nor a reordered delivery changes a window. Sums are compensated (Neumaier): their error does not grow with the
number of trades. Pure; it knows neither Kafka nor Quix.
"""

from operator import mul
from typing import Any

from pipeline.model import Window
from pipeline.windows import idset

State = list[Any]

# Places in the list. A sum has two: the running sum, and what rounding took from it.
COUNT = 0
QUANTITY = 1
PRICE = 3
VALUE = 5
"""Price times quantity."""
MIN = 7
MAX = 8
OPEN_TIME, OPEN_ID, OPEN = 9, 10, 11
CLOSE_TIME, CLOSE_ID, CLOSE = 12, 13, 14
IDS = 15

QUANTITY_DIGITS = 8
"""Binance states quantities with eight decimals at most; their exact sum has no more, so what follows is noise."""


def empty() -> State:
    """Return the state of a window that has no trade yet."""
    return [0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, None, None, None, None, None, None, None, None, []]


def _sum(state: State, place: int, value: float) -> None:
    total = state[place]
    after = total + value
    if abs(total) >= abs(value):
        state[place + 1] += (total - after) + value
    else:
        state[place + 1] += (value - after) + total
    state[place] = after


def add(state: State, trade_id: int, event_time: int, price: float, quantity: float) -> bool:
    """Take one trade into the window, in place. Return False, and change nothing, where its id is in it already."""
    if not idset.add(state[IDS], trade_id):
        return False
    if state[COUNT] == 0:
        state[MIN] = state[MAX] = price
        state[OPEN_TIME : CLOSE + 1] = [event_time, trade_id, price] * 2
    else:
        if price < state[MIN]:
            state[MIN] = price
        elif price > state[MAX]:
            state[MAX] = price
        if event_time > state[CLOSE_TIME] or (event_time == state[CLOSE_TIME] and trade_id > state[CLOSE_ID]):
            state[CLOSE_TIME : CLOSE + 1] = [event_time, trade_id, price]
        elif event_time < state[OPEN_TIME] or (event_time == state[OPEN_TIME] and trade_id < state[OPEN_ID]):
            state[OPEN_TIME : OPEN + 1] = [event_time, trade_id, price]
    state[COUNT] += 1
    _sum(state, QUANTITY, quantity)
    _sum(state, PRICE, price)
    _sum(state, VALUE, price * quantity)
    return True


def extend(state: State, ids: list[int], times: list[int], prices: list[float], quantities: list[float]) -> None:
    """Take several trades at once, in place: ids consecutive and above all in the window, times in order."""
    low, high = min(prices), max(prices)
    if state[COUNT] == 0:
        state[MIN], state[MAX] = low, high
        state[OPEN_TIME : OPEN + 1] = [times[0], ids[0], prices[0]]
        state[CLOSE_TIME : CLOSE + 1] = [times[-1], ids[-1], prices[-1]]
    else:
        state[MIN], state[MAX] = min(state[MIN], low), max(state[MAX], high)
        if (times[-1], ids[-1]) > (state[CLOSE_TIME], state[CLOSE_ID]):
            state[CLOSE_TIME : CLOSE + 1] = [times[-1], ids[-1], prices[-1]]
        if times[0] < state[OPEN_TIME]:
            state[OPEN_TIME : OPEN + 1] = [times[0], ids[0], prices[0]]
    state[COUNT] += len(ids)
    _sum(state, QUANTITY, sum(quantities))
    _sum(state, PRICE, sum(prices))
    _sum(state, VALUE, sum(map(mul, prices, quantities)))
    idset.add(state[IDS], ids[0])
    state[IDS][-1] = ids[-1]


def together(states: list[State]) -> State:
    """Return the state of the trades of several windows that share none, without their ids; one must have a trade."""
    full = [state for state in states if state[COUNT]]
    result = empty()
    result[COUNT] = sum(state[COUNT] for state in full)
    result[MIN], result[MAX] = min(state[MIN] for state in full), max(state[MAX] for state in full)
    result[OPEN_TIME : OPEN + 1] = min(state[OPEN_TIME : OPEN + 1] for state in full)
    result[CLOSE_TIME : CLOSE + 1] = max(state[CLOSE_TIME : CLOSE + 1] for state in full)
    for place in (QUANTITY, PRICE, VALUE):
        result[place] = sum(state[place] + state[place + 1] for state in full)
    return result


def window(state: State, symbol: str, start: int, end: int) -> Window:
    """Return the closed window. The state must have a trade; every price and quantity was positive."""
    quantity = state[QUANTITY] + state[QUANTITY + 1]
    return Window(
        symbol=symbol,
        window_start=start,
        window_end=end,
        trade_count=state[COUNT],
        total_quantity=round(quantity, QUANTITY_DIGITS),
        avg_price=(state[PRICE] + state[PRICE + 1]) / state[COUNT],
        min_price=state[MIN],
        max_price=state[MAX],
        open_price=state[OPEN],
        close_price=state[CLOSE],
        vwap=(state[VALUE] + state[VALUE + 1]) / quantity,
    )
