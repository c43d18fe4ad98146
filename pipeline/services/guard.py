"""Leaves no orphans: a small process that ends an instance's processes when the application dies without doing so.

``python -m pipeline.services.guard RUN_ID INSTANCE``. It waits on its standard input, whose other end is the
application's. The line ``done`` means an orderly end; an end of file without it, that the application is dead.
"""

import signal
import sys

from pipeline.services.leftovers import end_leftovers

DONE = b"done"


def main(arguments: list[str]) -> int:
    """Wait for the application's end."""
    run_id, instance = arguments
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for line in sys.stdin.buffer:
        if line.strip() == DONE:
            return 0
    end_leftovers(run_id, instance)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
