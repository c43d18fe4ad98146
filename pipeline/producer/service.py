"""The producer at work: start in order, report each second, heed commands, stop without losing what was received."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from pipeline.child import now_ms
from pipeline.events import ChildEvent, Command, FrameFound, Latency, ProducerStats, Ready
from pipeline.feed.binance import Feed
from pipeline.feed.quality import Quality
from pipeline.feed.rest import ExchangeInfo
from pipeline.model import TRADE_TOPIC
from pipeline.producer.clock import ExchangeClock
from pipeline.producer.intake import Intake
from pipeline.producer.kafka import KafkaWriter
from pipeline.producer.symbols import Symbols
from pipeline.quantiles import quantiles
from pipeline.schemas.codec import TradeEncoder
from pipeline.schemas.registry import Registry, RegistryError
from pipeline.schemas.subjects import ensure_subjects

CLOSE_SECONDS = 2.0
"""For closing the connections; a reader that waits for room in Kafka's queue may not come to its end."""
FLUSH_SECONDS = 8.0
"""For Kafka to acknowledge what it was handed."""
REPORT_EVERY = 1.0
REGISTRY_RETRY = 1.0
REGISTRY_REMIND = 30.0

log = logging.getLogger("pipeline.producer")


class UnflushedError(RuntimeError):
    """At the end, trades were left that Kafka had not acknowledged."""


class ProducerService:
    """One run of the producer, from ``run`` to ``stop``."""

    def __init__(
        self,
        ws_url: str,
        rest_url: str,
        symbols: tuple[str, ...],
        registry: Registry,
        kafka: dict[str, Any],
        send: Callable[[ChildEvent], None],
    ) -> None:
        """``kafka`` is ``producer_config``; ``send`` takes what rises. Needs a running event loop."""
        self._registry, self._send = registry, send
        self._stopping = asyncio.Event()
        self._first_symbols = symbols
        self._kafka = kafka
        self._rest_url = rest_url
        self._ws_url = ws_url
        self._command: Callable[[Command], None] = self._early
        self._told: tuple[tuple[str, ...], tuple[str, ...]] = (), ()
        """What the last report said of the subscriptions."""

    def stop(self) -> None:
        """Begin an orderly stop."""
        self._stopping.set()

    def command(self, command: Command) -> None:
        """Heed a command, in the event loop's thread."""
        self._command(command)

    async def run(self) -> None:
        """Work until stopped.

        Raises:
            UnflushedError: Kafka did not acknowledge everything in time, at the end.
            RuntimeError: the Kafka client cannot go on.
        """
        schema_id = await self._until_stopped(self._schema_id())
        if schema_id is None:
            return
        quality = Quality()
        writer = KafkaWriter(self._kafka)
        intake = Intake(quality, TradeEncoder(schema_id), writer)
        feed = Feed(self._ws_url, intake)
        symbols = Symbols(ExchangeInfo(self._rest_url), quality, feed)
        clock = ExchangeClock(self._rest_url)

        def report(*, ids: bool = False) -> None:
            self._told = feed.symbols, feed.pending
            self._send(_stats(intake, writer, feed, clock, symbols.unlisted, quality if ids else None))

        def report_change() -> None:
            if (feed.symbols, feed.pending) != self._told:
                report()

        def heed(command: Command) -> None:
            if command.symbols is not None:
                symbols.ask(command.symbols)
            if command.reconnect:
                feed.reconnect()
            if command.report_ids:
                report(ids=True)
            if command.frame is not None:
                symbol, trade_id = command.frame
                found = intake.kept.find(symbol, trade_id, now_ms())
                frame = None if found is None else found.decode("utf-8", "backslashreplace")
                self._send(FrameFound(symbol=symbol, trade_id=trade_id, frame=frame))

        async def report_each_second() -> None:
            while True:
                await asyncio.sleep(REPORT_EVERY)
                intake.sum_up()
                report()

        self._command = heed
        intake.after_control = report_change  # whoever turned a symbol on or off does not wait for the next second
        symbols.ask(self._first_symbols)
        work = [asyncio.create_task(part) for part in (feed.run(), writer.serve(), report_each_second())]
        measuring = asyncio.create_task(clock.run())
        self._send(Ready(detail=f"schema {schema_id}"))
        try:
            stopping = asyncio.create_task(self._stopping.wait())
            ends: list[asyncio.Future[Any]] = [*work, stopping, writer.fatal]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            for task in work:
                if task.done():
                    task.result()
            if writer.fatal.done():
                raise RuntimeError(writer.fatal.result())
        finally:
            symbols.cancel()
            measuring.cancel()
            await self._finish(feed, writer, work)
            intake.sum_up()
            report()
            left = writer.failed
        log.info("stopped: %d accepted, %d acknowledged", intake.accepted, writer.acknowledged)
        if left:
            raise UnflushedError(f"{left} of {intake.accepted} trades were not acknowledged by Kafka")

    async def _finish(self, feed: Feed, writer: KafkaWriter, work: list[asyncio.Task[None]]) -> None:
        running, serving, reporting = work
        running.cancel()
        reporting.cancel()
        await asyncio.wait([running, reporting])
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await feed.close()
        except TimeoutError:
            log.warning("the feed did not close in time")
        serving.cancel()
        await asyncio.wait([serving])
        left = writer.flush(FLUSH_SECONDS)
        if left:
            log.error("%d trades were not acknowledged within %.0f s and are given up", left, FLUSH_SECONDS)

    def _early(self, command: Command) -> None:
        """Before the registry answered: what is asked for is kept."""
        if command.symbols is not None:
            self._first_symbols = command.symbols

    async def _schema_id(self) -> int:
        """Return the id of the trades' schema, however long the registry is away."""
        said, said_at = "", 0.0
        loop = asyncio.get_running_loop()
        while True:
            try:
                return (await asyncio.to_thread(ensure_subjects, self._registry))[f"{TRADE_TOPIC}-value"]
            except RegistryError as error:
                if str(error) != said or loop.time() - said_at >= REGISTRY_REMIND:
                    said, said_at = str(error), loop.time()
                    log.warning("not ready: %s", error, extra={"reason": "registry"})
            await asyncio.sleep(REGISTRY_RETRY)

    async def _until_stopped(self, work: Awaitable[int]) -> int | None:
        """Return what the work returns, or None if the stop came first."""
        task = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if task.done():
            return task.result()
        task.cancel()
        return None


def _stats(
    intake: Intake,
    writer: KafkaWriter,
    feed: Feed,
    clock: ExchangeClock,
    unlisted: tuple[str, ...],
    quality: Quality | None,
) -> ProducerStats:
    connected_since = feed.connected_since
    acknowledged_after = writer.acknowledged_after.take()
    shown = quantiles(acknowledged_after, 0.50, 0.99)
    return ProducerStats(
        time=now_ms(),
        frames=intake.frames,
        accepted=intake.accepted,
        refused=dict(intake.refusals),
        control=intake.controls,
        # What came twice by our own overlap is nobody's fault, and no trade of its own.
        ignored=intake.ignored_frames + intake.overlapped,
        acknowledged=writer.acknowledged,
        failed=writer.failed,
        in_flight=writer.in_flight,
        queue=writer.queue,
        blocked_ms=writer.blocked_ms,
        dead_letters=writer.dead_letters,
        reconnects=feed.reconnects,
        connected=connected_since is not None,
        connected_since=connected_since,
        last_frame=feed.last_frame,
        symbols=feed.symbols,
        streamed_since=feed.streamed_since,
        pending=feed.pending,
        unlisted=unlisted,
        latency=None if shown is None else Latency(p50=float(shown[0]), p99=float(shown[1])),
        acknowledged_after=acknowledged_after,
        received_after=intake.received_after.take(),
        clock_offset=clock.offset,
        feed_error=None if connected_since is not None else feed.error,
        accepted_ids=None if quality is None else quality.ids(),
    )
