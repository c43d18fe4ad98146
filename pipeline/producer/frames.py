"""The last frames as they came, for a person who opens a trade. No clock, no I/O.

Keeping one costs an append (about 40 ns): nothing is made of a frame before somebody asks for it, and who asks waits
some milliseconds for a look through all of them.
"""

import re
from collections import deque

from pipeline.feed.wire import decode
from pipeline.model import Trade

KEPT = 20_000
"""Frames; of trades, which have about 230 bytes each, that is 5 MB."""
LARGEST = 1_024
"""Bytes of a frame that is kept at most. A trade's is a quarter of it; larger ones could fill the memory."""


class Frames:
    """A ring of frames. ``keep`` takes one of at most ``LARGEST`` bytes; its caller sees to that, at each trade."""

    def __init__(self, kept: int = KEPT) -> None:
        self._frames: deque[bytes] = deque(maxlen=kept)
        self.keep = self._frames.append

    def find(self, symbol: str, trade_id: int, received_time: int) -> bytes | None:
        """Return the newest kept frame of a trade, or None where it is not kept (any more).

        ``received_time``: when it was received (ms); the decoder judges a trade's times by it.
        """
        digits = b"%d" % trade_id
        field = re.compile(rb'"t"\s*:\s*%d[^0-9]' % trade_id).search
        for frame in reversed(self._frames):
            if digits in frame and field(frame):
                found = decode(frame, received_time)
                if isinstance(found, Trade) and (found.symbol, found.trade_id) == (symbol, trade_id):
                    return frame
        return None
