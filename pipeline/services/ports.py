"""Free ports on loopback: the usual one where it is free, so that tools find the servers where they expect them."""

import contextlib
import random
import socket
from collections.abc import Mapping

HOST = "127.0.0.1"
# Below the range that systems hand out to outgoing connections (32768 and up on Linux, 49152 and up on macOS). A
# server's port inside that range may be taken by somebody's outgoing connection while the server restarts, and a
# client that keeps trying a closed port of that range on loopback can even end up connected to itself.
_RANGE = range(15_000, 32_000)
_TRIES = 200


def free_port(preferred: int) -> int:
    """Return ``preferred`` if a server could listen there on 127.0.0.1, else any port that is free.

    Raises:
        OSError: no free port was found.
    """
    return free_ports({"": preferred})[""]


def free_ports(preferred: Mapping[str, int]) -> dict[str, int]:
    """Return a free port for each name, all distinct: the preferred one where it is free.

    Raises:
        OSError: no free port was found.
    """
    with contextlib.ExitStack() as held:  # each stays taken until all are chosen
        result: dict[str, int] = {}
        for name, port in preferred.items():
            for candidate in (port, *random.sample(_RANGE, _TRIES)):
                with contextlib.suppress(OSError):
                    held.enter_context(_listening(candidate))
                    result[name] = candidate
                    break
            else:
                raise OSError(f"no free port on {HOST} (tried {port} and {_TRIES} others)")
        return result


def _listening(port: int) -> socket.socket:
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # As the servers do: connections of a server that has just stopped (TIME_WAIT) do not count as taken.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((HOST, port))
        server.listen(1)
    except OSError:
        server.close()
        raise
    return server
