import pytest

from pulumi_dli.local.durations import parse_duration


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
