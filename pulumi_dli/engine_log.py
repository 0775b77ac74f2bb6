"""Reports to the user through the log service of Pulumi's engine, or through standard error."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable
from typing import Any

from pulumi_dli.operations.notifier import Level, Notifier


class StderrLog:
    """Writes `name: message` lines to standard error. The engine shows them under the stack's row.

    It leaves debug messages out: without the engine, `DLI_LOG` tells whether anybody wants to see them.
    """

    def notify(self, level: Level, resource: str, message: str) -> None:
        """Write one message. A closed standard error is no reason to fail the call at hand."""
        if level is Level.DEBUG:
            return
        with contextlib.suppress(OSError, ValueError):
            print(f"{resource}: {message}", file=sys.stderr, flush=True)


class EngineLog:
    """Sends messages to the engine, which shows them with their level on the row of the resource.

    After the first failed call, all messages go to `fallback`: an engine that ended does not come back, and no later
    call waits for it.

    Args:
        address: The engine's gRPC address, `host:port`.
        current_urn: Gives the URN of the resource that the engine asks for in this thread. Empty if unknown.
        fallback: Shows the messages that the engine does not accept.
        timeout: Seconds that one call may take.
    """

    def __init__(
        self, address: str, current_urn: Callable[[], str], fallback: Notifier | None = None, timeout: float = 5.0
    ) -> None:
        self._address = address
        self._current_urn = current_urn
        self._fallback = fallback or StderrLog()
        self._timeout = timeout
        self._lock = threading.Lock()
        self._engine: Any = None
        self._is_lost = False

    def notify(self, level: Level, resource: str, message: str) -> None:
        """Show a message: on the resource's row if the call is about it, else on the stack's row."""
        if self._is_lost or not self._is_sent(level, resource, message):
            self._fallback.notify(level, resource, message)

    def _is_sent(self, level: Level, resource: str, message: str) -> bool:
        # Imported late, because a program that only declares jobs must not pay for it.
        import grpc  # noqa: PLC0415
        from pulumi.runtime.proto import engine_pb2  # noqa: PLC0415

        severities = {
            Level.DEBUG: engine_pb2.DEBUG,
            Level.INFO: engine_pb2.INFO,
            Level.WARNING: engine_pb2.WARNING,
        }
        urn = self._current_urn()
        is_own_row = urn.rpartition("::")[2] == resource
        text = f"{resource}: {message}"  # with `--diff` the engine shows the text alone, without any row
        request = engine_pb2.LogRequest(
            severity=severities[level],
            message=text.encode(errors="backslashreplace").decode(),  # gRPC refuses lone surrogates
            urn=urn if is_own_row else "",
        )
        try:
            self._stub().Log(request, timeout=self._timeout)
        except (grpc.RpcError, ValueError):  # ValueError: the channel is closed, because the process ends
            self._is_lost = True
            return False
        return True

    def _stub(self) -> Any:
        import grpc  # noqa: PLC0415
        from pulumi.runtime.proto import engine_pb2_grpc  # noqa: PLC0415

        with self._lock:
            if self._engine is None:
                # The engine is on this machine: a proxy from the environment must not get the call.
                channel = grpc.insecure_channel(self._address, options=[("grpc.enable_http_proxy", 0)])
                self._engine = engine_pb2_grpc.EngineStub(channel)
            return self._engine
