"""What the simulated exchange makes malformed, the feed must refuse: both lists held together."""

import pytest

from pipeline.exchange.malformed import KINDS, MALFORMED
from pipeline.exchange.trades import MadeTrade, trade_frame
from pipeline.feed.wire import decode
from pipeline.model import Rejection, Trade

NOW = 1_790_000_000_000
TEXT = trade_frame(MadeTrade("BTCUSDT", 3735683259, 6183763000000, 2000000, NOW, NOW, True)).text


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_refused(kind: str) -> None:
    assert isinstance(decode(MALFORMED[kind](TEXT), NOW), Rejection)


def test_the_frame_they_are_made_from_is_taken() -> None:
    assert isinstance(decode(TEXT, NOW), Trade)
