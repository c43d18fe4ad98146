"""Trades for the tests of the windows."""

from pipeline.model import Trade

BASE = 1_723_161_300_000
"""A full five minutes."""


def trade(
    trade_id: int, after_ms: int, *, symbol: str = "BTCUSDT", price: float = 100.0, quantity: float = 1.0
) -> Trade:
    time = BASE + after_ms
    return Trade(
        event_type="trade",
        event_time=time,
        symbol=symbol,
        trade_id=trade_id,
        price=price,
        quantity=quantity,
        trade_time=time,
        market_maker=False,
        ignore=True,
        received_time=time,
    )
