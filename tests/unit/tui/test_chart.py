from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cryptostreamx_tui.chart import LEAST_HEIGHT, Candle, chart
from cryptostreamx_tui.format import plain

MINUTE = 60_000
NOON = 1_723_118_640_000


def candle(ago: int, open_: float, close: float, *, unfinished: bool = False, volume: float = 5.0) -> Candle:
    high, low = max(open_, close) + 1, min(open_, close) - 1
    return Candle(NOON - ago * MINUTE, open_, high, low, close, volume, unfinished)


def drawn(*candles: Candle, width: int = 60, height: int = 16) -> list[str]:
    return [plain(line) for line in chart(candles, MINUTE, width, height)]


def column(lines: list[str], ago: int) -> str:
    """One candle's cells from the top; the newest one stands left of the axis and its gap."""
    axis = lines[0].rindex("│")
    return "".join(line[axis - 2 - 2 * ago] for line in lines[:-1])


prices = st.floats(0.00000001, 100_000_000, allow_nan=False)


@given(
    st.lists(
        st.tuples(st.integers(0, 200), prices, prices, prices, prices, st.floats(0, 1e9)), min_size=1, max_size=60
    ),
    st.integers(24, 200),
    st.integers(LEAST_HEIGHT, 60),
    st.integers(0, 8),
)
def test_it_is_as_wide_and_high_as_asked_whatever_the_prices(
    rows: list[tuple[int, float, float, float, float, float]], width: int, height: int, places: int
) -> None:
    candles = []
    for ago, *four, volume in sorted(rows, key=lambda row: -row[0]):
        low, one, other, high = sorted(four)
        candles.append(Candle(NOON - ago * MINUTE, one, high, low, other, volume))
    lines = chart(candles, MINUTE, width, height, places)
    assert len(lines) == height
    assert len({cell_len(plain(line)) for line in lines[:-1]}) == 1
    assert all(cell_len(plain(line)) <= max(width, places + 24) for line in lines)


def test_direction_is_told_by_shape_not_by_colour_alone() -> None:
    lines = drawn(candle(2, 10, 20), candle(1, 20, 10), candle(0, 10, 15, unfinished=True))
    rising, falling, unfinished = (column(lines, ago) for ago in (2, 1, 0))
    assert "┃" in rising
    assert "█" not in rising[:10]
    assert "█" in falling[:10]
    assert "┃" not in falling
    assert "░" in unfinished
    tones = {span.tone for line in chart([candle(1, 20, 10), candle(0, 10, 20)], MINUTE, 60, 16) for span in line}
    assert {"good", "bad"} <= tones


def test_a_missing_window_is_a_gap() -> None:
    lines = drawn(candle(3, 10, 20), candle(0, 10, 20))
    assert column(lines, 1).strip() == column(lines, 2).strip() == ""
    assert column(lines, 3).strip() != ""


def test_volume_is_as_high_as_its_share_of_the_largest() -> None:
    lines = drawn(candle(1, 10, 10, volume=8), candle(0, 10, 10, volume=1), height=31)
    assert column(lines, 1)[-6:] == "█" * 6
    assert column(lines, 0)[-6:].strip() == "▆"
    assert any("vol 8" in line for line in lines)


def test_the_axes_tell_prices_and_times() -> None:
    lines = drawn(*(candle(ago, 100 + ago, 101 + ago) for ago in range(20, -1, -1)))
    assert "12:00" in lines[-1]
    assert "11:50" in lines[-1]
    marked = [line for line in lines if "◂" in line]
    assert len(marked) == 1
    assert marked[0].endswith("◂101.00")


def test_what_does_not_fit_is_left_out_at_the_left() -> None:
    few, many = drawn(candle(0, 10, 20)), drawn(candle(500, 1, 1000), candle(0, 10, 20))
    assert few == many
