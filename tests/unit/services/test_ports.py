import socket

from pipeline.services.ports import HOST, free_port, free_ports


def test_the_preferred_port_is_taken_when_it_is_free() -> None:
    port = free_port(0)
    assert free_port(port) == port or _taken(port)


def test_another_one_is_taken_when_it_is_not() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        other = free_port(port)
        assert other != port
        with socket.create_server((HOST, other)):
            assert free_port(other) not in (port, other)


def test_all_interfaces_count_as_taken() -> None:
    with socket.create_server(("", 0)) as server:
        port = server.getsockname()[1]
        assert free_port(port) != port


def test_ports_are_distinct() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        chosen = free_ports({"a": port, "b": port, "c": port})
        assert sorted(chosen) == ["a", "b", "c"]
        assert len({port, *chosen.values()}) == 4


def test_a_server_that_has_just_stopped_leaves_its_port_free() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection((HOST, port))
        server.accept()[0].close()  # the server closes first: its side stays in TIME_WAIT
    client.close()
    assert free_port(port) == port


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
