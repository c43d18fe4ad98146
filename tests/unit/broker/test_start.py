import pytest

from pipeline.broker.start import Beginning, End, Offset, Start, Time, parse_start

NOON = 1_723_118_671_342
"""2024-08-08 12:04:31.342 UTC."""


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("end", End()),
        (" Newest ", End()),
        ("beginning", Beginning()),
        ("0", Offset(0)),
        ("1,234,567", Offset(1_234_567)),
        ("12:04", Time(1_723_118_640_000)),
        ("12:04:31.3", Time(1_723_118_671_300)),
        ("12:05", Time(1_723_118_700_000 - 86_400_000)),
        ("2024-08-08T12:04", Time(1_723_118_640_000)),
        ("2024-08-08 14:04+02:00", Time(1_723_118_640_000)),
        ("2024-08-08", Time(1_723_075_200_000)),
        ("-5m", Time(NOON - 300_000)),
        ("- 2 h", Time(NOON - 7_200_000)),
        ("@1723118671000", Time(1_723_118_671_000)),
    ],
)
def test_what_a_person_types(text: str, start: Start) -> None:
    assert parse_start(text, NOON) == start


@pytest.mark.parametrize("text", ["", "yesterday", "25:00", "12:61", "-5", "1.5", "9" * 30, "@x", "-9999999d", "٣"])
def test_what_is_no_place_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"no place|no such time|a time lies"):
        parse_start(text, NOON)


def test_a_place_is_said_in_words() -> None:
    words = [str(start) for start in (End(), Beginning(), Offset(5120), Time(NOON))]
    assert words == ["the end", "the beginning", "offset 5,120", "2024-08-08 12:04:31.342 UTC"]
