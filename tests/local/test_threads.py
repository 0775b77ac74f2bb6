import asyncio
import threading

import pytest

from pulumi_dli.local.threads import run_in_own_thread


def test_the_result_comes_from_another_thread() -> None:
    assert asyncio.run(run_in_own_thread(threading.get_ident)) != threading.get_ident()


def test_an_error_is_raised_where_the_result_is_awaited() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(run_in_own_thread(lambda: 1 // 0))


def test_work_that_hangs_keeps_neither_its_caller_nor_the_event_loop() -> None:
    answers = threading.Event()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await run_in_own_thread(answers.wait)

    asyncio.run(give_up())
    answers.set()
