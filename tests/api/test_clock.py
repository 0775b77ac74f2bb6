import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulumi_dli.api.clock import SystemClock, format_duration, parse_duration


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("90s", 90),
        ("20m", 1200),
        ("2h", 7200),
        ("1d", 86400),
        ("1.5h", 5400),
        (" 90 s ", 90),
        ("90", 90),
        (90, 90),
        (0.5, 0.5),
        (7200.0, 7200),
        ("0", 0),
        ("1h30m", 5400),
        ("1h30m0s", 5400),
        ("2d1.5h", 178200),
    ],
)
def test_a_duration_is_read_in_seconds(value: str | float, seconds: float) -> None:
    assert parse_duration(value) == seconds


@pytest.mark.parametrize(
    "value", ["", "soon", "-1", -5, "5 minutes", "30m1h", "1h30", "2w", "1,5h", "H", float("nan"), float("inf"), True]
)
def test_what_is_no_duration_is_refused_with_how_to_write_one(value: str | float) -> None:
    with pytest.raises(ValueError, match=r"not a duration: .*; write it as in '90s', '20m', '2h', or as a number"):
        parse_duration(value)


@settings(deadline=None)
@given(st.integers(0, 10**9), st.sampled_from([("s", 1), ("m", 60), ("h", 3600), ("d", 86400)]))
def test_a_number_and_its_unit_multiply(number: int, unit: tuple[str, int]) -> None:
    name, seconds = unit
    assert parse_duration(f"{number}{name}") == parse_duration(number) * seconds


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0.0 s"),
        (0, "0.0 s"),
        (4.24, "4.2 s"),
        (10, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (185, "3 min 5 s"),
        (3599.6, "1 h 0 min"),
        (7800, "2 h 10 min"),
        (90061, "25 h 1 min"),
    ],
)
def test_a_duration_is_said_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert format_duration(seconds) == words


def test_the_machines_clock_never_goes_back_and_sleeps_as_long_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    clock = SystemClock()
    before = clock.now()
    clock.sleep(2.5)
    assert slept == [2.5]
    assert clock.now() >= before
