"""How many slots the engine has, and the warning about waits that occupy all of them."""

import pytest

from pulumi_dli.plugin.engine_slots import SlotCounter, available_cpus, slots_of, warning_text

PULUMI = "/usr/bin/pulumi"


@pytest.mark.parametrize(
    ("command_lines", "environment", "slots"),
    [
        ([], {}, 8),
        ([[PULUMI, "up", "--yes"]], {}, 8),
        ([[PULUMI, "up", "--parallel", "20"]], {}, 20),
        ([[PULUMI, "up", "--parallel=20"]], {}, 20),
        ([["python", "x.py"], [], [PULUMI, "up", "-p", "3", "-y"]], {}, 3),
        ([[PULUMI, "up", "-p3"]], {}, 3),
        ([[PULUMI, "up", "--parallel", "20"]], {"PULUMI_PARALLEL": "5"}, 20),
        ([["make", "--parallel=9"], [PULUMI, "up"], ["make", "-p2"]], {}, 8),
        ([], {"PULUMI_PARALLEL": "5"}, 5),
        ([], {"PULUMI_OPTION_PARALLEL": "6", "PULUMI_PARALLEL": "5"}, 6),
        ([], {"PULUMI_PARALLEL": "many"}, 8),
        ([], {"PULUMI_PARALLEL": "0"}, 8),
        ([[PULUMI, "up", "--parallel"]], {}, 8),
    ],
)
def test_the_slots_are_those_of_the_flag_the_variable_or_the_cpus(
    command_lines: list[list[str]], environment: dict[str, str], slots: int
) -> None:
    assert slots_of(command_lines, environment, 2) == slots


def test_there_is_a_cpu() -> None:
    assert available_cpus() >= 1


def test_the_warning_comes_once_when_the_last_slot_is_occupied() -> None:
    counter = SlotCounter(2)
    with counter.occupied() as first:
        with counter.occupied() as second, counter.occupied() as third:
            assert (first, second, third) == (None, warning_text(2), None)
        with counter.occupied() as later:
            assert later is None


def test_waits_one_after_the_other_occupy_one_slot() -> None:
    counter = SlotCounter(2)
    for _ in range(5):
        with counter.occupied() as warning:
            assert warning is None


def test_the_warning_names_both_cures() -> None:
    assert "BatchJobCompletion" in warning_text(8)
    assert "PULUMI_PARALLEL" in warning_text(8)
