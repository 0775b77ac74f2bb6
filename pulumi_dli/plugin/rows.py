"""Shows messages on the rows of resources. The engine does not show what a native provider writes to its streams."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pulumi_dli.engine_log import EngineLog, StderrLog
from pulumi_dli.jobs.spelling import with_target
from pulumi_dli.operations.notifier import Level, Notifier
from pulumi_dli.plugin.urn import Urn

TARGET = "**dli:index:BatchJob::"
"""The pattern that chooses a job of a stack for a command, without the job's name."""

_call_urn: ContextVar[str] = ContextVar("call_urn", default="")
_row: ContextVar[str] = ContextVar("row", default="")


@contextmanager
def call_about(urn: str) -> Iterator[None]:
    """Set the resource of the engine's request in this block."""
    token = _call_urn.set(urn)
    try:
        yield
    finally:
        _call_urn.reset(token)


def spelled(message: str) -> str:
    """Return a message in which a target chooses a native resource."""
    return with_target(message, TARGET)


class Rows:
    """Shows each message on the row of the resource that it is about. Threads may share it.

    A message about a resource that this process does not know stands on the stack's row.

    Args:
        engine_address: The engine's gRPC address, `host:port`. Anything else means that there is no engine.
        shows_debug: Whether the engine may show debug messages. If not, they are not sent.
    """

    def __init__(self, engine_address: str, *, shows_debug: bool = True) -> None:
        has_engine = re.fullmatch(r"[\w.\[\]:-]+:\d+", engine_address) is not None
        self._engine = EngineLog(engine_address, _row.get, shows_debug=shows_debug) if has_engine else None
        self._log: Notifier = self._engine or StderrLog()
        self._lock = threading.Lock()
        self._urns: dict[str, str] = {}

    def add(self, urn: str) -> None:
        """Add the row of a resource."""
        with self._lock:
            self._urns[Urn.parse(urn).name] = urn

    def notify(self, level: Level, resource: str, message: str) -> None:
        """Show a message about a resource, given by its logical name."""
        call_urn = _call_urn.get()
        is_own = call_urn.rpartition("::")[2] == resource
        with self._lock:
            urn = call_urn if is_own else self._urns.get(resource, "")
        token = _row.set(urn)
        try:
            self._log.notify(level, resource, spelled(message))
        finally:
            _row.reset(token)

    def show_progress(self, urn: str, message: str) -> None:
        """Show a message on a row until the next one replaces it."""
        if self._engine is not None:
            self._engine.show_progress(urn, message)
