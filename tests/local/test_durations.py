import pytest

from pulumi_dli.local.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("20ms", 0.02), ("0.5s", 0.5), ("90", 90), ("0", 0), ("20m", 1200), ("6h", 21600), ("1d", 86400), (" 3 s ", 3)],
)
def test_a_span_of_time_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "-1s", "1 week", "1,5s", "1s2s", "1e3", "1S", "٣s", "9" * 10])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a duration: .* as in 500ms"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.05, "0.1 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (10, "10 s"),
        (59.99, "59 s"),
        (60, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (86_399, "23 h 59 min"),
        (100_000, "1 d 3 h"),
    ],
)
def test_a_span_of_time_is_written_to_be_read(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
