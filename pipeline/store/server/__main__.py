"""``python -m pipeline.store.server --port P --path DIR``: the ClickHouse process of the local profile."""

import argparse
import contextlib
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from types import FrameType

from pipeline.child import Channel, start_logging
from pipeline.events import Failed, Ready
from pipeline.settings import Settings, SettingsError

HOST = "127.0.0.1"
STOP_SECONDS = 4
"""How long running queries may go on after SIGTERM."""


def main() -> int:
    """Serve until SIGTERM, SIGINT or the end of standard input; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.store.server", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--path", type=Path, required=True, help="folder of the data; made if it is not there")
    arguments = parser.parse_args()
    channel = Channel()
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        channel.send(Failed(reason=str(error)))
        channel.flush()
        return 2
    start_logging(channel, settings, "clickhouse")
    try:
        return serve(channel, settings, arguments.port, arguments.path)
    finally:
        channel.flush()  # the exit below runs no exit handlers


def serve(channel: Channel, settings: Settings, port: int, path: Path) -> int:
    """Open the engine and serve it; what cannot be opened is told as ``Failed``."""
    import uvicorn
    from starlette.applications import Starlette

    from pipeline.store.server.engine import Engine, LockedError
    from pipeline.store.server.errors import ServerError
    from pipeline.store.server.http import Interface

    log = logging.getLogger("pipeline.store.server")
    # asyncio sets TCP_NODELAY only on sockets that say they are TCP; without it an answer takes 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            engine = Engine(path)
        except (LockedError, ServerError, OSError) as error:
            log.error("cannot start: %s", error)
            channel.send(Failed(reason=f"ClickHouse engine (port {port}, folder {path}): {error}"))
            return 1
        listener.listen(128)
        url = f"http://{HOST}:{listener.getsockname()[1]}"
        password = settings.clickhouse_password
        interface = Interface(
            engine, settings.clickhouse_username, password.get_secret_value() if password is not None else ""
        )

        @contextlib.asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            channel.send(Ready(detail=url))  # the socket listens already: who connects now is served
            yield
            interface.close()

        application = interface.application()
        application.router.lifespan_context = lifespan
        server = uvicorn.Server(
            uvicorn.Config(
                application,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=STOP_SECONDS,
                timeout_keep_alive=30,
            )
        )

        def stop(_signal: int | None = None, _frame: FrameType | None = None) -> None:
            server.should_exit = True

        # uvicorn sends itself the signal again when it has stopped: with its default action the exit would not be 0.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        channel.listen(lambda _: None, stop)
        log.info("serving %s at %s (ClickHouse %s)", path, url, engine.version)
        server.run(sockets=[listener])
        engine.close()
        log.info("stopped")
    return 0


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    # The engine's threads are gone with close(); its library's own exit handlers can take seconds more.
    os._exit(code)
