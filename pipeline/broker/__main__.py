"""``python -m pipeline.broker``: looks at topics and consumer groups again and again, and tells what it saw.

A process of its own, because librdkafka's admin client does not always outlive a group's coordinator: it aborted the
process that asked, with one of three brokers away, and once while the brokers were starting. Settings come from the
environment; it ends on SIGTERM, SIGINT or the end of standard input.
"""

import signal
import sys
import threading

from confluent_kafka import KafkaException

from pipeline.broker.inventory import KafkaInventory
from pipeline.broker.topics import admin_client
from pipeline.child import Channel, start_logging
from pipeline.events import Failed, Looked, Ready
from pipeline.inventory import INVENTORY
from pipeline.settings import Settings, SettingsError

PAUSE_S = 5.0
"""Between two looks, however long they took."""


def main() -> int:
    """Look until told to stop; return the exit code."""
    channel = Channel()
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        channel.send(Failed(reason=str(error)))
        return 2
    start_logging(channel, settings, INVENTORY)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    channel.listen(lambda _: None, stopping.set)
    try:
        inventory = KafkaInventory(admin_client(settings))
    except KafkaException as error:
        channel.send(Failed(reason=str(error)))
        return 1
    channel.send(Ready())
    while not stopping.is_set():
        channel.send(Looked(topics=inventory.topics()))
        if not stopping.is_set():
            channel.send(Looked(groups=inventory.groups()))
        stopping.wait(PAUSE_S)
    return 0


if __name__ == "__main__":
    sys.exit(main())
