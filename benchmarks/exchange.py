"""How fast the simulated exchange sends to one client: frames in batches against ``await connection.send(frame)``.

Both ways side by side in one run, so that the ratio means something on any machine: ``python benchmarks/exchange.py``.
The server has a process of its own; the client counts frames on a bare socket, so that it is never the slower one.
"""

import asyncio
import multiprocessing
import os
import socket
import time
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe

from websockets.asyncio.server import ServerConnection, serve

from pipeline.exchange.connection import wire_text
from pipeline.exchange.generator import MARKETS, Generator
from pipeline.exchange.trades import trade_frame

HOST = "127.0.0.1"
FRAMES = 100_000
BATCH = 500
ROUNDS = 3
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"


def frames() -> list[bytes]:
    generator = Generator(MARKETS, seed=1, start=1_790_000_000_000, rate=50_000)
    made: list[bytes] = []
    now = 1_790_000_000_000
    while len(made) < FRAMES:
        now += 10
        made += [trade_frame(trade).text for trade in generator.advance(now)]
    return made[:FRAMES]


async def one_by_one(connection: ServerConnection, texts: list[bytes]) -> None:
    for text in texts:
        await connection.send(text, text=True)


async def in_batches(connection: ServerConnection, texts: list[bytes]) -> None:
    for at in range(0, len(texts), BATCH):
        connection.transport.write(b"".join([wire_text(text) for text in texts[at : at + BATCH]]))
        await connection.drain()


WAYS: dict[str, tuple[Callable[[ServerConnection, list[bytes]], object], bool]] = {
    "one by one, permessage-deflate": (one_by_one, True),
    "one by one": (one_by_one, False),
    "in batches": (in_batches, False),
}


def server(way: str, pipe: Pipe) -> None:
    texts = frames()
    send, deflate = WAYS[way]

    async def converse(connection: ServerConnection) -> None:
        begin, busy = time.perf_counter(), time.process_time()
        await send(connection, texts)  # type: ignore[misc]
        pipe.send((time.perf_counter() - begin, time.process_time() - busy))

    async def run() -> None:
        compression = "deflate" if deflate else None
        async with serve(converse, HOST, 0, compression=compression, write_limit=256 * 1024) as serving:
            pipe.send(serving.sockets[0].getsockname()[1])
            await asyncio.get_running_loop().run_in_executor(None, pipe.recv)

    asyncio.run(run())


def measure(way: str) -> tuple[float, float]:
    """Return frames a second, and the server's CPU time a frame in microseconds."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=server, args=(way, theirs))
    process.start()
    try:
        with socket.create_connection((HOST, ours.recv())) as client:
            client.sendall(UPGRADE + (DEFLATE if WAYS[way][1] else b"") + b"\r\n")
            while not ours.poll():
                client.recv(1 << 20)
            wall, busy = ours.recv()
        ours.send("enough")
    finally:
        process.join(10)
        process.kill()
    return FRAMES / wall, busy / FRAMES * 1e6


def main() -> None:
    print(f"{FRAMES} trade frames to one client, best of {ROUNDS}, {os.cpu_count()} cores")
    best = {way: max(measure(way) for _ in range(ROUNDS)) for way in WAYS}
    base = best["one by one"][0]
    for way, (rate, busy) in best.items():
        print(f"{way:32} {rate:>9,.0f} frames/s {busy:6.2f} us CPU/frame   x{rate / base:.2f}")


if __name__ == "__main__":
    main()
