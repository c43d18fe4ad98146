from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cryptostreamx_tui import format as fmt

UNSAFE = ("\x1b", "\x00", "\x07", "\u202e", "\x9b", "\n")


@pytest.mark.parametrize(
    ("ms", "shown"),
    [(0, "0s"), (9_400, "9s"), (192_000, "3m12s"), (7_500_000, "2h05m"), (356_400_000, "4d03h"), (None, "–")],
)
def test_duration(ms: int | None, shown: str) -> None:
    assert fmt.duration(ms) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (41.4, "41 ms"), (9_999, "9,999 ms".replace(",", "")), (12_345, "12.3 s"), (200_000, "3m20s")],
)
def test_millis(value: float | None, shown: str) -> None:
    assert fmt.millis(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), (0, "0/s"), (3.42, "3.4/s"), (312.4, "312/s"), (5012, "5,012/s")]
)
def test_rate(value: float | None, shown: str) -> None:
    assert fmt.per_second(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), (0.00118, "▲0.12%"), (-0.004, "▼0.40%"), (0.00001, "=0.00%")]
)
def test_change_has_a_sign_besides_its_colour(value: float | None, shown: str) -> None:
    assert fmt.change(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), (512, "512 B"), (210 * 2**20, "210 MB"), (1_288_490_189, "1.2 GB")]
)
def test_size(value: int | None, shown: str) -> None:
    assert fmt.size(value) == shown


@given(st.integers(1, 253_402_300_799_999))
def test_date_and_clock_agree_with_datetime(ms: int) -> None:
    exact = datetime.fromtimestamp(ms // 1000, UTC)
    assert fmt.date_time(ms) == f"{exact:%Y-%m-%d %H:%M:%S}.{ms % 1000:03} UTC"
    assert fmt.clock(ms) == f"{exact:%H:%M:%S}.{ms % 1000:03}"


@pytest.mark.parametrize("ms", [None, 0, -5, 10**18])
def test_what_is_no_time_is_unknown(ms: int | None) -> None:
    assert fmt.date_time(ms) == "–"


@given(st.floats(0, 1e9), st.integers(0, 8), st.integers(0, 8))
def test_decimal_points_stand_below_each_other(value: float, places: int, more: int) -> None:
    column = min(8, places + more)
    text = fmt.aligned(value, places, column, 30)
    assert len(text) == 30
    point = text.index(".") if places else len(text.rstrip())
    assert point == 30 - column - (1 if column else 0)


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(0, 8))
def test_aligned_takes_any_float(value: float, places: int) -> None:
    assert fmt.aligned(value, places, 8, 12)


@pytest.mark.parametrize(
    ("value", "places"), [(61837.63, 2), (0.00001234, 8), (5.0, 0), (0.1 + 0.2, 1), (float("nan"), 0)]
)
def test_decimals(value: float, places: int) -> None:
    assert fmt.decimals(value) == places


@given(st.text(max_size=60), st.integers(1, 40), st.booleans())
def test_fit_is_exact_and_harmless(text: str, width: int, right: bool) -> None:
    shown = fmt.fit(text, width, right=right)
    assert cell_len(shown) == width
    assert not any(bad in shown for bad in UNSAFE)


@given(st.text(max_size=300), st.integers(2, 40))
def test_wrap_keeps_every_character_and_the_width(text: str, width: int) -> None:
    lines = fmt.wrap(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "").replace("\n", "") == text.replace(" ", "").replace("\n", "")


def test_hex_dump_is_cut_and_says_so() -> None:
    lines = fmt.hex_dump(b"trade\x00\xff" * 3, limit=16)
    assert lines[0].startswith("000000  74 72 61 64 65 00 ff 74")
    assert lines[0].endswith("trade··trade··tr")
    assert lines[-1] == "… 5 more bytes"


@given(st.lists(st.floats(-1e6, 1e6), max_size=40))
def test_sparkline_has_a_block_for_each_value(values: list[float]) -> None:
    assert len(fmt.sparkline(values, 20)) == min(20, len(values))


def test_bar() -> None:
    assert fmt.bar(1, 4, 8) == ("━━", "──────")
    assert fmt.bar(0, 0, 4) == ("", "────")
