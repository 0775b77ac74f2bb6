"""The clock whose sleeps end when the user interrupts a command."""

import threading

import pytest

from pulumi_dli.plugin.interruption import CommandInterruptedError, InterruptibleClock


def test_a_sleep_ends_when_the_command_is_interrupted() -> None:
    clock, ended = InterruptibleClock(), threading.Event()

    def sleep() -> None:
        with pytest.raises(CommandInterruptedError):
            clock.sleep(3600)
        ended.set()

    thread = threading.Thread(target=sleep)
    thread.start()
    clock.interrupt()
    thread.join(30)
    assert ended.is_set()
    assert clock.is_interrupted


def test_a_submission_is_not_interrupted() -> None:
    clock = InterruptibleClock()
    clock.interrupt()
    with clock.completing():
        clock.sleep(0.001)
    with pytest.raises(CommandInterruptedError):
        clock.sleep(0.001)


def test_the_next_command_is_not_interrupted() -> None:
    clock = InterruptibleClock()
    clock.interrupt()
    clock.interrupt()
    clock.reset()
    clock.sleep(0.001)
    assert not clock.is_interrupted
