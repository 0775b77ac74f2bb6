"""The connections of the server: how many there may be, and how long a client may take for its headers."""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import time
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from pulumi_dli.local.gateway import TRANSPORT

HEADER_TIMEOUT = 20.0
"""The seconds that a client has to send the headers of a call. Then its connection is closed."""
BODY_TIMEOUT = 60.0
"""The seconds that a client has to send the body of a call."""
DRAIN_TIMEOUT = 5.0
"""The seconds that a client has to send the rest of a body whose call was answered before it was read."""

_RESERVED_FILES = 32
"""The file descriptors that connections leave to the table, the logs and the processes of jobs."""
_MOST_CONNECTIONS = 2000
_LOG_INTERVAL = 60.0
_NO_FILES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

logger = logging.getLogger(__name__)


def max_connections() -> int:
    """Return how many connections may be open at once, within the limit of this process for open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (
        _MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else min(max(soft - _RESERVED_FILES, 8), _MOST_CONNECTIONS)
    )


class RareLog:
    """Logs a kind of warning at most once a minute, because a flood of connections must not fill the log."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._logged_at: float | None = None

    def warn(self, text: str) -> None:
        now = self._now()
        if self._logged_at is None or now - self._logged_at >= _LOG_INTERVAL:
            self._logged_at = now
            logger.warning(text)


_too_many, _no_files = RareLog(), RareLog()


def handle_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error of the event loop. Without file descriptors, asyncio reports a thousand errors a second."""
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in _NO_FILES:
        _no_files.warn(f"cannot accept connections: {error.strerror}. It goes on when some are closed.")
    else:
        loop.default_exception_handler(context)


def time_limit(their_state: Any, *, has_begun: bool, is_answered: bool) -> float | None:
    """Return the seconds that a client has for what it does now, or None if it need not send anything.

    Args:
        their_state: What h11 expects of the client.
        has_begun: Whether the client owes the rest of its headers. A new connection owes all of them.
        is_answered: Whether the call has its answer already.
    """
    if their_state is h11.IDLE:
        return HEADER_TIMEOUT if has_begun else None
    if their_state is h11.SEND_BODY:
        return DRAIN_TIMEOUT if is_answered else BODY_TIMEOUT
    return None


class Protocol(H11Protocol):
    """One connection. It passes its transport to the application, for faults that close it."""

    _timer: asyncio.TimerHandle | None = None
    _limit: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > max_connections():
            _too_many.warn(f"more than {max_connections()} connections at once: the newest ones are closed")
            transport.close()
            return
        self._set_limit(HEADER_TIMEOUT)
        application = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:
            scope["extensions"] = {TRANSPORT: transport}
            await application(scope, receive, send)

        self.app = with_transport

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._update_limit()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._update_limit()

    def connection_lost(self, exc: Exception | None) -> None:
        self._set_limit(None)
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        try:
            super().send_400_response(msg)
        except h11.LocalProtocolError:  # the answer to a HEAD has no body, or another answer has begun
            self.transport.close()
        if self.cycle is not None:  # the application must not answer any more
            self.cycle.disconnected = True

    def _update_limit(self) -> None:
        is_answered = self.cycle is not None and self.cycle.response_complete
        has_begun = self.cycle is None or bool(self.conn.trailing_data[0])
        self._set_limit(time_limit(self.conn.their_state, has_begun=has_begun, is_answered=is_answered))

    def _set_limit(self, seconds: float | None) -> None:
        """Close the connection after so many seconds in this phase. The same limit again does not prolong it."""
        if self.transport.is_closing():
            seconds = None
        if seconds == self._limit:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._limit = seconds
        self._timer = None if seconds is None else self.loop.call_later(seconds, self.transport.close)
