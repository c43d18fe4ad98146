"""``python -m pipeline.producer``: settings from the environment, events out, commands in, exit code."""

import asyncio
import logging
import signal
import sys

from pipeline.child import Channel, start_logging
from pipeline.events import Command, Failed
from pipeline.producer.kafka import producer_config
from pipeline.producer.service import ProducerService
from pipeline.schemas.registry import registry_of
from pipeline.settings import Settings
from pipeline.text import clean


async def _run(settings: Settings, channel: Channel) -> None:
    service = ProducerService(
        ws_url=settings.binance_ws_url,
        rest_url=settings.binance_rest_url,
        symbols=settings.symbols,
        registry=registry_of(settings),
        kafka=producer_config(settings.kafka_config()),
        send=channel.send,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)

    def on_command(command: Command) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(service.command, command)

    def on_end() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(service.stop)

    channel.listen(on_command, on_end)
    await service.run()


def main() -> int:
    """Run the producer; return its exit code."""
    channel = Channel()
    try:
        settings = Settings.from_environment()
        start_logging(channel, settings, "producer")
        asyncio.run(_run(settings, channel))
    except Exception as error:
        # The outermost edge: whatever it was, the supervisor is told.
        logging.getLogger("pipeline.producer").critical("the producer cannot go on", exc_info=True)
        channel.send(Failed(reason=clean(f"{type(error).__name__}: {error}")))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
