"""ZooKeeper of the local profile: one server on loopback, for the local brokers alone."""

import asyncio
import os
import re
from collections.abc import Sequence
from pathlib import Path

from pipeline.home import Home
from pipeline.services import jvm
from pipeline.services.ports import HOST
from pipeline.services.probe import TIMEOUT
from pipeline.services.service import STOP_ZOOKEEPER, Probe, Service
from pipeline.text import clean, clean_bytes

NAME = "zookeeper"
TICK_MS = 1000
"""ZooKeeper's unit of time: sessions end at a whole number of it, and last two at least."""
_HEAP = 96
_LOG4J = """\
log4j.rootLogger=WARN, console
# Asked in the moment before it serves it answers so, and logs a NullPointerException.
log4j.logger.org.apache.zookeeper.server.ServerCnxn=OFF
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{yyyy-MM-dd'T'HH:mm:ss.SSS}Z %p %c{1} %m%n
"""


def zookeeper_service(home: Home, java: jvm.JavaRuntime, jars: Sequence[Path], port: int) -> Service:
    """Return ZooKeeper, with its configuration written into ``home.run``.

    Raises:
        JavaError: the home's path cannot stand in it.
        OSError: the configuration cannot be written.
    """
    home = Home(jvm.plain_path(home.path))
    run = jvm.fresh_folder(home.run / NAME)
    log4j = run / "log4j.properties"
    log4j.write_text(_LOG4J, encoding="ascii")
    configuration = run / "zoo.cfg"
    configuration.write_text(
        jvm.properties_text(
            {
                "dataDir": str(home.data / NAME),
                "clientPort": str(port),
                "clientPortAddress": HOST,
                "tickTime": str(TICK_MS),
                "admin.enableServer": "false",
                "4lw.commands.whitelist": "srvr,mntr",
                "autopurge.snapRetainCount": "3",
                "autopurge.purgeInterval": "1",
                "preAllocSize": "1024",  # KiB of zeroes at a time in the transaction log, instead of 64 MiB
            }
        ),
        encoding="ascii",
    )
    return Service(
        name=NAME,
        command=java.command(
            (
                "-cp",
                os.pathsep.join(map(str, jars)),
                "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                str(configuration),
            ),
            kind=NAME,
            jars=jars,
            heap=_HEAP,
            properties={"log4j.configuration": log4j.as_uri(), "zookeeper.jmx.log4j.disable": "true"},
            scratch=run,
            record=True,
        ),
        log_path=home.logs / f"{NAME}.log",
        environment=jvm.environment(),
        probe=ready(port),
        address=f"{HOST}:{port}",
        start_timeout=jvm.START_TIMEOUT,
        stop_timeout=jvm.STOP_TIMEOUT,
        stop_rank=STOP_ZOOKEEPER,
    )


def ready(port: int) -> Probe:
    """Ready when it answers ``mntr``, and no session of brokers that are gone is left.

    A broker that died without a word, and ZooKeeper with it, left its ephemeral node behind; ZooKeeper keeps it until
    the session's time is over, counted anew from its start, and a broker that finds its own node there gives up. So
    nobody is let in before. As soon as a client is connected the nodes are those of living brokers, and ZooKeeper
    alone was started again.
    """

    async def probe() -> str | None:
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await _ask(port, b"mntr")
        except TimeoutError:
            return f"{HOST}:{port}: no answer within {TIMEOUT:g} s"
        except OSError as error:
            return f"{HOST}:{port}: {error.strerror or error}"
        figures = dict(re.findall(rb"^(\w+)\t(\d+)", answer, re.MULTILINE))
        if b"zk_ephemerals_count" not in figures or b"zk_num_alive_connections" not in figures:
            return clean(f"mntr answered {clean_bytes(answer, limit=80)!r}")
        ephemerals = int(figures[b"zk_ephemerals_count"])
        if ephemerals and int(figures[b"zk_num_alive_connections"]) <= 1:  # the one is ours
            return f"waiting for sessions of an earlier run to end ({ephemerals} nodes)"
        return None

    return probe


async def _ask(port: int, word: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(word)
        await writer.drain()
        return await reader.read()  # to its end: ZooKeeper logs a stack trace for a reader who leaves before
    finally:
        writer.close()
