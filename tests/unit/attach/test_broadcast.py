"""The socket as the instance serves it, on a real socket: who comes late, who does not read, who says nonsense."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pipeline.attach import broadcast as module
from pipeline.attach.broadcast import Broadcast
from pipeline.attach.lines import Answer, AnyOrder, Hello, Restart, Retry, SetSymbols, Told, line_of_order, told_in
from pipeline.attach.place import place_of
from pipeline.events import StackPhase
from pipeline.home import Home
from tests.tui import fakes
from tests.tui.fakes import NOON

HELLO = Hello(version="1", pid=7, feed="live", feed_setting="live", known=("A",), wanted=("A",), addresses={})
SECONDS = 5


class Instance:
    """A broadcast that notes what it was asked."""

    def __init__(self, path: Path) -> None:
        self.home = Home(path)
        self.home.create()
        self.asked: list[AnyOrder] = []
        self.broadcast = Broadcast(self.home, lambda: HELLO, self.obey)

    async def obey(self, order: AnyOrder) -> None:
        self.asked.append(order)
        if isinstance(order, Restart):
            raise KeyError(order.service)


class Visitor:
    """A plain connection to it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def line(self) -> Told | None:
        async with asyncio.timeout(SECONDS):
            line = await self.reader.readline()
        if not line:
            raise EOFError
        return told_in(line)


@pytest.fixture
async def instance(tmp_path: Path) -> AsyncIterator[Instance]:
    made = Instance(tmp_path / "h")
    await made.broadcast.open()
    yield made
    made.broadcast.close()


async def visit(instance: Instance) -> Visitor:
    return Visitor(*await asyncio.open_unix_connection(str(place_of(instance.home)), limit=2**24))


async def test_who_comes_late_is_greeted_and_told_the_present_then_what_happens(instance: Instance) -> None:
    starting, kafka = StackPhase("starting", NOON), fakes.service("kafka-0", NOON)
    instance.broadcast.publish(starting)
    instance.broadcast.publish(kafka)
    late = await visit(instance)
    assert [await late.line(), await late.line(), await late.line()] == [HELLO, starting, kafka]
    instance.broadcast.publish(fakes.trades(5, NOON))  # whoever watches reads these from Kafka
    instance.broadcast.publish(StackPhase("running", NOON + 1))
    assert await late.line() == StackPhase("running", NOON + 1)


async def test_orders_are_carried_out_and_answered(instance: Instance) -> None:
    visitor = await visit(instance)
    assert await visitor.line() == HELLO
    orders = [Retry(number=1), SetSymbols(number=2, symbols=("A", "B")), Restart(number=3, service="nobody")]
    visitor.writer.write(b"".join(map(line_of_order, orders)))
    answers = [await visitor.line(), await visitor.line(), await visitor.line()]
    assert answers == [Answer(1), Answer(2), Answer(3, "KeyError: 'nobody'")]
    assert instance.asked == orders


@pytest.mark.parametrize("nonsense", [b"restart\n", b'{"order":"format","number":1}\n', b"\x00\xff\n", b"x" * 100_000])
async def test_nonsense_ends_the_connection_and_nothing_else(instance: Instance, nonsense: bytes) -> None:
    visitor, other = await visit(instance), await visit(instance)
    assert await visitor.line() == await other.line() == HELLO
    visitor.writer.write(nonsense)
    with pytest.raises((EOFError, ConnectionResetError)):
        await visitor.line()
    instance.broadcast.publish(StackPhase("running", NOON))
    assert await other.line() == StackPhase("running", NOON)
    assert instance.asked == []


async def test_who_does_not_read_is_cut_off_and_nobody_waits(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNREAD_BYTES", 100_000)
    deaf, other = await visit(instance), await visit(instance)
    assert await deaf.line() == await other.line() == HELLO
    deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]
    told = 0
    while instance.broadcast.watchers == 2:
        told += 1
        event = StackPhase("running", told, "x" * 10_000)
        instance.broadcast.publish(event)
        assert await other.line() == event
    assert instance.broadcast.watchers == 1
    assert told < 1_000  # what the kernel holds, and the bound


async def test_too_many_are_turned_away(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WATCHERS", 1)
    first = await visit(instance)
    assert await first.line() == HELLO
    second = await visit(instance)
    with pytest.raises((EOFError, ConnectionResetError)):
        await second.line()


async def test_the_end_is_told_before_the_socket_goes(instance: Instance) -> None:
    visitor = await visit(instance)
    assert await visitor.line() == HELLO
    instance.broadcast.publish(StackPhase("stopped", NOON))
    path = place_of(instance.home)
    instance.broadcast.close()
    assert await visitor.line() == StackPhase("stopped", NOON)
    with pytest.raises(EOFError):
        await visitor.line()
    assert not path.exists()


async def test_an_event_that_cannot_be_encoded_harms_nobody(instance: Instance) -> None:
    visitor = await visit(instance)
    assert await visitor.line() == HELLO
    instance.broadcast.publish(StackPhase("running", NOON, object()))  # type: ignore[arg-type]
    instance.broadcast.publish(StackPhase("stopping", NOON))
    assert await visitor.line() == StackPhase("stopping", NOON)
