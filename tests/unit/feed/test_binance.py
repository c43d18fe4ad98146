"""The feed against a small WebSocket server: resets, silence, shutdown, refusals, live subscribing, back-pressure."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import serve
from websockets.http11 import Request, Response

from pipeline.feed.backoff import Backoff
from pipeline.feed.binance import Feed, Pace
from pipeline.feed.link import Timing
from pipeline.feed.wire import Control, ControlKind
from pipeline.model import Reason, Rejection, Trade
from tests.unit.feed.small_exchange import Exchange, ServerConnection, exchange, frame, until

QUICK = Pace(
    stable=0.2, overlap=0.1, stragglers=0.3, timing=Timing(open=2, close=0.2, silence=0.3, answer=0.2, check=0.01)
)


class Taken:
    """A receiver that keeps everything, and can be full."""

    def __init__(self) -> None:
        self.trades: list[tuple[int, bool]] = []
        self.symbols: list[str] = []
        self.refusals: list[Rejection] = []
        self.controls: list[Control] = []
        self.others = 0
        self.free = asyncio.Event()
        self.free.set()

    def trade(self, trade: Trade, frame: bytes, *, overlapping: bool) -> None:
        self.trades.append((trade.trade_id, overlapping))
        self.symbols.append(trade.symbol)

    def refused(self, rejection: Rejection) -> None:
        self.refusals.append(rejection)

    def control(self, control: Control) -> None:
        self.controls.append(control)

    def ignored(self) -> None:
        self.others += 1

    def room(self) -> Awaitable[Any] | None:
        return None if self.free.is_set() else self.free.wait()

    @property
    def ids(self) -> list[int]:
        return [trade_id for trade_id, _ in self.trades]


@asynccontextmanager
async def feeding(
    url: str, taken: Taken, symbols: tuple[str, ...] = ("BTCUSDT",), pace: Pace = QUICK
) -> AsyncIterator[Feed]:
    feed = Feed(url, taken, pace, Backoff(first=0.02, most=0.1))
    feed.want(symbols)
    task = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        task.cancel()
        await asyncio.wait([task])
        await feed.close()
        assert task.cancelled()


async def test_the_streams_stand_in_the_url_and_trades_arrive() -> None:
    async def handle(state: Exchange, connection: ServerConnection) -> None:
        for trade_id in range(3):
            await connection.send(frame(trade_id, "币安人生USDT"))
        await connection.send('{"stream":"btcusdt@depth","data":{}}')
        await connection.send("garbage")
        await state.commands(connection)

    taken = Taken()
    async with exchange(handle) as state, feeding(state.url, taken, ("BTCUSDT", "币安人生USDT")) as feed:
        await until(lambda: taken.refusals)
        assert taken.trades == [(0, False), (1, False), (2, False)]
        assert taken.others == 1
        assert taken.refusals[0].reason is Reason.NOT_JSON
        assert feed.symbols == ("BTCUSDT", "币安人生USDT")
        assert feed.pending == ()
        assert feed.error is None
        assert feed.connected_since is not None
        assert feed.last_frame is not None
    assert state.paths == ["/stream?streams=btcusdt@trade/%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9Fusdt@trade"]


async def test_symbols_are_subscribed_and_unsubscribed_live() -> None:
    async def handle(state: Exchange, connection: ServerConnection) -> None:
        await state.commands(connection)

    async with exchange(handle) as state, feeding(state.url, Taken()) as feed:
        await until(lambda: feed.symbols == ("BTCUSDT",))
        assert feed.streamed_since == {"BTCUSDT": feed.connected_since}
        feed.want(("BTCUSDT", "ETHUSDT"))
        assert feed.pending == ("ETHUSDT",)
        await until(lambda: feed.symbols == ("BTCUSDT", "ETHUSDT"))
        since = feed.streamed_since
        assert since["ETHUSDT"] >= since["BTCUSDT"]
        feed.want(("ETHUSDT",))
        await until(lambda: len(state.requests) == 2 and feed.symbols == ("ETHUSDT",))
        assert feed.streamed_since == {"ETHUSDT": since["ETHUSDT"]}
        assert [(r["method"], r["params"]) for r in state.requests] == [
            ("SUBSCRIBE", ["ethusdt@trade"]),
            ("UNSUBSCRIBE", ["btcusdt@trade"]),
        ]
        assert len(state.paths) == 1


async def test_more_symbols_than_fit_the_url_are_requested_in_batches() -> None:
    async def handle(state: Exchange, connection: ServerConnection) -> None:
        await state.commands(connection)

    symbols = tuple(f"S{n}USDT" for n in range(250))
    async with exchange(handle) as state, feeding(state.url, Taken(), symbols) as feed:
        await until(lambda: not feed.pending)
        assert state.paths[0].count("@trade") == 100
        assert [len(r["params"]) for r in state.requests] == [100, 50]


async def test_a_refused_subscription_stays_pending_and_is_said(caplog: pytest.LogCaptureFixture) -> None:
    async def handle(state: Exchange, connection: ServerConnection) -> None:
        request = json.loads(await connection.recv())
        await connection.send(json.dumps({"error": {"code": -1121, "msg": "no \x1b such"}, "id": request["id"]}))
        await state.commands(connection)

    taken = Taken()
    async with exchange(handle) as state, feeding(state.url, taken) as feed:
        await until(lambda: feed.symbols)
        feed.want(("BTCUSDT", "NOUSDT"))
        await until(lambda: taken.controls)
        assert feed.pending == ("NOUSDT",)
        assert "refused to subscribe NOUSDT: no \\x1b such (code -1121)" in caplog.text


async def test_a_reset_is_followed_by_a_new_connection() -> None:
    async def handle(state: Exchange, connection: ServerConnection) -> None:
        await connection.send(frame(len(state.paths)))
        if len(state.paths) < 3:
            await asyncio.sleep(0.01)
            connection.transport.abort()
        await state.commands(connection)

    taken = Taken()
    async with exchange(handle) as state, feeding(state.url, taken) as feed:
        await until(lambda: len(state.paths) == 3 and feed.connected_since)
        await until(lambda: 3 in taken.ids)
        assert feed.reconnects == 2
        assert feed.error is None


async def test_silence_is_noticed_and_a_quiet_market_is_not_silence() -> None:
    async def handle(state: Exchange, connection: ServerConnection) -> None:
        state.answers = len(state.paths) > 1
        await state.commands(connection)

    async with exchange(handle) as state, feeding(state.url, Taken()) as feed:
        await until(lambda: feed.error is not None)
        assert feed.error is not None
        assert feed.error.startswith("no message from the exchange")
        await until(lambda: len(state.paths) == 2)
        # From here on nothing comes but answers, for twice the silence.
        await until(lambda: len(state.requests) >= 5)
        assert len(state.paths) == 2
        assert {r["method"] for r in state.requests} == {"LIST_SUBSCRIPTIONS"}


async def test_a_server_shutdown_loses_nothing_and_doubles_nothing_unmarked() -> None:
    open_now: set[ServerConnection] = set()

    async def handle(state: Exchange, connection: ServerConnection) -> None:
        open_now.add(connection)
        try:
            await state.commands(connection)
        finally:
            open_now.discard(connection)

    async def broadcast(state: Exchange) -> None:
        for trade_id in range(10_000):
            await asyncio.gather(*(connection.send(frame(trade_id)) for connection in open_now), return_exceptions=True)
            if trade_id == 20:
                await state.connections[0].send('{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}')
            await asyncio.sleep(0.005)

    taken = Taken()
    async with exchange(handle) as state, feeding(state.url, taken) as feed:
        await until(lambda: open_now and feed.streamed_since)
        since = feed.streamed_since
        sending = asyncio.create_task(broadcast(state))
        await until(lambda: len(state.paths) == 2)
        await until(lambda: len(open_now) == 1 and state.connections[1] in open_now)
        closed_at = max(taken.ids)
        await until(lambda: taken.ids[-1] > closed_at + 100)
        sending.cancel()
        assert feed.streamed_since == since, "without a break"
        assert feed.reconnects == 1
        assert feed.error is None
    assert set(taken.ids) == set(range(max(taken.ids) + 1)), "nothing is missing"
    repeats = [overlapping for at, (trade_id, overlapping) in enumerate(taken.trades) if trade_id in taken.ids[:at]]
    assert repeats
    assert all(repeats), "what came twice was marked"
    assert not any(overlapping for _, overlapping in taken.trades[-20:]), "the overlap has an end"
    assert [control.kind for control in taken.controls] == [ControlKind.SHUTDOWN]


async def test_the_old_connection_stays_until_one_lives_that_replaces_it() -> None:
    async def handle(state: Exchange, connection: ServerConnection) -> None:
        if len(state.paths) in (2, 3):
            await connection.close()  # the first replacements die at once
        await state.commands(connection)

    async with exchange(handle) as state, feeding(state.url, Taken()) as feed:
        await until(lambda: feed.connected_since)
        feed.reconnect()
        await until(lambda: len(state.paths) == 3)
        assert state.connections[0].state.name == "OPEN"
        await until(lambda: state.connections[0].state.name == "CLOSED")
        assert len(state.paths) == 4
        assert state.connections[3].state.name == "OPEN"
        assert feed.symbols == ("BTCUSDT",)


async def test_what_the_receiver_raises_ends_the_feed(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Taken):
        def trade(self, trade: Trade, frame: bytes, *, overlapping: bool) -> None:
            raise ZeroDivisionError("a bug")

    async def handle(state: Exchange, connection: ServerConnection) -> None:
        await connection.send(frame(1))
        await state.commands(connection)

    async with exchange(handle) as state:
        feed = Feed(state.url, Broken(), QUICK)
        feed.want(["BTCUSDT"])
        with pytest.raises(ZeroDivisionError, match="a bug"):
            await feed.run()
        await feed.close()
        assert "ZeroDivisionError: a bug" in caplog.text


async def test_a_connection_that_brings_nothing_does_not_reset_the_backoff() -> None:
    async def handle(state: Exchange, connection: ServerConnection) -> None:
        await connection.close()

    backoff = Backoff(first=0.01, factor=3, most=10, jitter=0)
    feed = Feed("", Taken(), QUICK, backoff)
    async with exchange(handle) as state:
        feed = Feed(state.url, Taken(), QUICK, backoff)
        feed.want(["BTCUSDT"])
        task = asyncio.create_task(feed.run())
        await until(lambda: len(state.paths) == 4)  # after 0.01, 0.03 and 0.09 s
        task.cancel()
        await asyncio.wait([task])
        await feed.close()
    assert backoff.delay() > 0.2


async def test_a_stable_connection_resets_the_backoff() -> None:
    async def handle(state: Exchange, connection: ServerConnection) -> None:
        await connection.send(frame(len(state.paths)))
        await asyncio.sleep(0.3)
        await connection.close()

    backoff = Backoff(first=0.01, factor=100, most=50, jitter=0)
    async with exchange(handle) as state:
        feed = Feed(state.url, Taken(), QUICK, backoff)
        feed.want(["BTCUSDT"])
        task = asyncio.create_task(feed.run())
        await until(lambda: len(state.paths) == 3)
        task.cancel()
        await asyncio.wait([task])
        await feed.close()


async def test_the_command_to_reconnect_ends_the_wait() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken_port:
        port = taken_port.getsockname()[1]
    feed = Feed(f"ws://127.0.0.1:{port}", Taken(), QUICK, Backoff(first=60, jitter=0))
    feed.want(["BTCUSDT"])
    task = asyncio.create_task(feed.run())
    await until(lambda: feed.error is not None)
    assert feed.error is not None
    assert "refused" in feed.error.lower() or "Connect call failed" in feed.error
    first, feed.error = feed.error, None
    feed.reconnect()
    await until(lambda: feed.error == first)
    task.cancel()
    await asyncio.wait([task])
    await feed.close()


async def test_a_region_that_is_refused_is_said_in_the_exchanges_words() -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(451, "Service unavailable from a restricted location\n")

    async def nothing(connection: ServerConnection) -> None:
        raise AssertionError("never opened")

    async with serve(nothing, "127.0.0.1", 0, process_request=refuse) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        async with feeding(url, Taken()) as feed:
            await until(lambda: feed.error is not None)
            assert feed.error is not None
            assert "HTTP 451" in feed.error
            assert "restricted location" in feed.error
            assert feed.connected_since is None


async def test_a_name_that_does_not_resolve_is_said() -> None:
    async with feeding("ws://no-such-host.invalid", Taken()) as feed:
        await until(lambda: feed.error is not None)
        assert feed.error is not None
        assert "no-such-host.invalid" in feed.error


async def test_a_full_receiver_stops_the_reading_and_is_no_silence() -> None:
    sent = 0

    async def handle(state: Exchange, connection: ServerConnection) -> None:
        nonlocal sent
        while True:
            await connection.send(frame(sent) + " " * 10_000)
            sent += 1

    taken = Taken()
    taken.free.clear()
    async with exchange(handle) as state, feeding(state.url, taken) as feed:
        await until(lambda: taken.trades)
        blocked_at = len(taken.trades)
        await asyncio.sleep(2 * QUICK.timing.silence)  # what is tested is that this time changes nothing
        assert len(taken.trades) == blocked_at == 1
        assert feed.connected_since is not None
        assert feed.reconnects == 0
        taken.free.set()
        await until(lambda: len(taken.trades) > 100)
        assert taken.ids[:100] == list(range(100))


async def test_an_oversized_message_is_said() -> None:
    async def handle(state: Exchange, connection: ServerConnection) -> None:
        if len(state.paths) == 1:
            await connection.send("x" * (5 * 1024 * 1024))
        await state.commands(connection)

    async with exchange(handle) as state, feeding(state.url, Taken()) as feed:
        await until(lambda: feed.error is not None)
        assert feed.error is not None
        assert "1009" in feed.error


async def test_without_symbols_no_connection_is_opened() -> None:
    async def handle(state: Exchange, connection: ServerConnection) -> None:
        await state.commands(connection)

    async with exchange(handle) as state, feeding(state.url, Taken(), ()) as feed:
        await asyncio.sleep(0.1)  # what is tested is that nothing happens
        assert state.paths == []
        feed.want(["BTCUSDT"])
        await until(lambda: feed.symbols == ("BTCUSDT",))


async def test_closing_delivers_what_had_been_received() -> None:
    async def handle(state: Exchange, connection: ServerConnection) -> None:
        for trade_id in range(500):
            await connection.send(frame(trade_id))
        await state.commands(connection)

    taken = Taken()
    async with exchange(handle) as state:
        async with feeding(state.url, taken):
            await until(lambda: taken.trades)
        assert taken.ids == list(range(500))
