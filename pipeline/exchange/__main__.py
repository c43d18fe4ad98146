"""``python -m pipeline.exchange``: the simulated exchange as a supervised process. See ``--help``."""

import argparse
import asyncio
import logging
import math
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.child import Channel, now_ms, start_logging
from pipeline.events import Command, ExchangeStats, Failed, Ready
from pipeline.exchange import faults
from pipeline.exchange.connection import TIMING, Timing
from pipeline.exchange.generator import MARKETS, Generator, UnknownMarketError
from pipeline.exchange.ledger import HISTORY, Ledger
from pipeline.exchange.limits import CONNECTION_ATTEMPTS
from pipeline.exchange.recording import BrokenRecordingError
from pipeline.exchange.rest import Rest
from pipeline.exchange.sources import Generated, Recorded, Source
from pipeline.exchange.websocket import HOST, StreamServer
from pipeline.settings import Settings, SettingsError
from pipeline.text import clean

GENERATED = "generated"
REPORT_S = 1.0
CLOSE_S = 3.0

log = logging.getLogger("pipeline.exchange")


def arguments() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.exchange",
        description="Binance's WebSocket and REST interface on loopback, over generated or recorded trades.",
        epilog=faults.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", choices=[HOST], default=HOST, help="only loopback is served")
    add("--port", type=int, default=9443, help="for WebSocket and REST; 0: any free one (default: %(default)s)")
    add("--source", default=GENERATED, metavar="generated|FILE", help="or a recording: .frames or .frames.gz")
    add("--speed", type=_speed, default=1.0, metavar="N|max", help="pace of a recording (default: 1)")
    add("--rate", type=_positive, default=200.0, help="generated trades a second, all symbols (default: %(default)s)")
    add("--burst", type=_positive, default=3.0, help="mean size of a burst of trades (default: %(default)s)")
    add("--seed", type=int, default=1, help="of the generator and of the faults (default: %(default)s)")
    add("--symbols", default=",".join(MARKETS), metavar="A,B,…", help="generated symbols (default: %(default)s)")
    add("--history", type=int, default=HISTORY, help="trades a symbol that REST keeps (default: %(default)s)")
    add("--ping-interval", type=_positive, default=TIMING.ping_interval, help="seconds (default: %(default)s)")
    add("--pong-timeout", type=_positive, default=TIMING.pong_timeout, help="seconds (default: %(default)s)")
    add("--max-age", type=_positive, default=TIMING.max_age, help="seconds a connection lives (default: %(default)s)")
    add(
        "--connection-limit",
        type=int,
        default=CONNECTION_ATTEMPTS,
        help="attempts in 5 minutes (default: %(default)s)",
    )
    add("--fault", action="append", default=[], metavar="NAME[:key=value,…]", help="may be repeated; see below")
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _speed(text: str) -> float:
    return math.inf if text in ("max", "inf") else _positive(text)


class Exchange:
    """One run: the source, the ledger, the server, and what goes up to and comes down from the supervisor."""

    def __init__(self, options: argparse.Namespace, channel: Channel) -> None:
        """Set everything up without opening anything but the recording.

        Raises:
            FaultError: a fault cannot be made.
            UnknownMarketError: a symbol is not known.
            BrokenRecordingError: the recording is broken.
            OSError: the recording cannot be read.
        """
        self._options = options
        self._channel = channel
        self._plan = faults.FaultPlan(options.seed)
        for text in options.fault:
            self._plan.ask(*faults.parse_fault(text))
        self._source: Source
        if options.source == GENERATED:
            symbols = [name.strip().upper() for name in options.symbols.split(",") if name.strip()]
            self._source = Generated(
                Generator(symbols, seed=options.seed, start=now_ms(), rate=options.rate, burst=options.burst)
            )
        else:
            self._source = Recorded(Path(options.source), options.speed)
        self._ledger = Ledger(self._source.listings, options.history)
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Serve until SIGTERM, SIGINT or the end of standard input.

        Raises:
            OSError: the port cannot be bound, or the recording cannot be read any more.
            BrokenRecordingError: the recording was changed while it was replayed.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        self._server = StreamServer(
            Rest(self._ledger, self._source.listings),
            self._plan,
            self._source.routed,
            timing=Timing(self._options.ping_interval, self._options.pong_timeout, self._options.max_age),
            connection_limit=self._options.connection_limit,
        )
        server = await self._server.start(self._options.port)
        port = server.sockets[0].getsockname()[1]

        def heed(command: Command) -> None:
            loop.call_soon_threadsafe(self._heed, command)

        def stop() -> None:
            loop.call_soon_threadsafe(self._stop.set)

        self._channel.listen(heed, stop)
        self._channel.send(Ready(detail=f"ws://{HOST}:{port}"))
        log.info("serving %s on port %d", clean(self._options.source), port)
        work = [asyncio.create_task(self._replay()), asyncio.create_task(self._report())]
        stopped = asyncio.create_task(self._stop.wait())
        waiting: set[asyncio.Task[object]] = {stopped, *work}
        while not stopped.done():
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        for task in work:
            task.cancel()
        server.close()
        await asyncio.wait([asyncio.create_task(server.wait_closed())], timeout=CLOSE_S)
        self._channel.send(self._stats())

    async def _replay(self) -> None:
        await self._source.run(self._server, self._ledger)
        self._channel.send(self._stats())

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT_S)
            self._channel.send(self._stats())

    def _stats(self) -> ExchangeStats:
        return ExchangeStats(
            time=now_ms(),
            clients=self._server.clients,
            frames_sent=self._server.frames_sent,
            faults=dict(self._plan.made),
            withheld=self._server.withheld,
            total=self._source.total,
            ended=self._source.ended,
        )

    def _heed(self, command: Command) -> None:
        if command.fault is None:
            return
        try:
            self._plan.ask(command.fault, command.fault_args)
        except faults.FaultError as error:
            log.error("%s", clean(str(error)))
            return
        log.info("fault asked for: %s %s", command.fault, command.fault_args or "")
        for action in self._plan.actions():
            self._server.act(action)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the exchange; return the exit code."""
    options = arguments().parse_args(argv)
    channel = Channel()
    try:
        start_logging(channel, Settings.from_environment(), "exchange")
        # It logs each opened and closed connection, and readiness probes that connect and leave.
        logging.getLogger("websockets.server").setLevel(logging.WARNING)
        asyncio.run(_run(options, channel))
    except (SettingsError, faults.FaultError, BrokenRecordingError, UnknownMarketError, OSError) as error:
        log.error("cannot go on: %s", error)
        channel.send(Failed(reason=clean(str(error))))
        return 1
    return 0


async def _run(options: argparse.Namespace, channel: Channel) -> None:
    await Exchange(options, channel).run()


if __name__ == "__main__":
    sys.exit(main())
