"""Blocking work outside the event loop, which a disk that hangs must not stop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

Result = TypeVar("Result")


async def run_in_own_thread(work: Callable[[], Result]) -> Result:
    """Run blocking work in a thread of its own, and return its result or raise its exception.

    `asyncio.to_thread` shares a few threads, which calls that hang would use up. The end of the event loop and of the
    process wait for those threads, but not for this one.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Result] = loop.create_future()

    def settle(method: Callable[[Any], None], value: Any) -> None:
        if not done.done():  # otherwise nobody waits any more
            method(value)

    def run() -> None:
        try:
            outcome: tuple[Callable[[Any], None], Any] = done.set_result, work()
        except BaseException as error:  # noqa: BLE001  whoever waits raises it again
            outcome = done.set_exception, error
        with suppress(RuntimeError):  # the event loop has ended meanwhile
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, name="local-dli-files", daemon=True).start()
    return await done
