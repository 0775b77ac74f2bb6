"""Shows messages to the user: through the log of Pulumi's engine, or on standard error."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pulumi_dli.jobs.screen import shown_text
from pulumi_dli.operations.notifier import Level, Notifier


def may_show_debug(command_lines: Iterable[Sequence[str]], environment: Mapping[str, str]) -> bool:
    """Return whether the engine may show debug messages, judged by the command lines of this process's ancestors.

    The engine does not tell a provider about `--debug`. Each debug message that it drops costs about 1 ms of CPU, in
    total a tenth of a `destroy` (bench, 2026-11-29). If no ancestor is `pulumi`, the answer is True.
    """
    for command, *arguments in filter(None, command_lines):
        if Path(command).name in ("pulumi", "pulumi.exe"):
            return "PULUMI_OPTION_DEBUG" in environment or any(
                re.fullmatch(r"--debug(=.*)?|-[a-z]*d[a-z]*", argument) for argument in arguments
            )
    return True


def ancestor_command_lines(pid: int | None = None) -> Iterator[Sequence[str]]:
    """Yield the command lines of a process's ancestors, the nearest first. Yield nothing if there is no /proc."""
    current = os.getpid() if pid is None else pid
    with contextlib.suppress(OSError, ValueError, IndexError):
        while current > 1:
            # The second field may contain blanks and parentheses. The parent is the second field after it.
            current = int(Path(f"/proc/{current}/stat").read_text().rpartition(")")[2].split()[1])
            yield os.fsdecode(Path(f"/proc/{current}/cmdline").read_bytes()).split("\0")[:-1]


class StderrLog:
    """Writes `name: message` lines to standard error. The engine shows them under the stack's row.

    It omits debug messages. Without an engine, `DLI_LOG` turns the debug log on.
    """

    def notify(self, level: Level, resource: str, message: str) -> None:
        """Write one message. A closed standard error is ignored: it must not fail the operation."""
        if level is Level.DEBUG:
            return
        with contextlib.suppress(OSError, ValueError):
            print(shown_text(f"{resource}: {message}"), file=sys.stderr, flush=True)


class EngineLog:
    """Sends messages to the engine, which shows them with their level on the row of the resource.

    After the first failed call, all messages go to `fallback`. An engine that has ended does not come back, and each
    further call would only wait for its timeout.

    Args:
        address: The engine's gRPC address, `host:port`.
        current_urn: Returns the URN of the resource of this thread's request, or an empty string if it is unknown.
        fallback: Shows the messages that the engine does not accept.
        timeout: Seconds that one call may take.
        shows_debug: Whether the engine may show debug messages. If not, they are not sent.
    """

    def __init__(
        self,
        address: str,
        current_urn: Callable[[], str],
        fallback: Notifier | None = None,
        timeout: float = 5.0,
        *,
        shows_debug: bool = True,
    ) -> None:
        self._address = address
        self._current_urn = current_urn
        self._fallback = fallback or StderrLog()
        self._timeout = timeout
        self._shows_debug = shows_debug
        self._lock = threading.Lock()
        self._stub: Any = None
        self._has_failed = False

    def notify(self, level: Level, resource: str, message: str) -> None:
        """Show a message: on the resource's row if the call is about it, else on the stack's row."""
        if level is Level.DEBUG and not self._shows_debug:
            return
        if self._has_failed or not self._send(level, resource, message):
            self._fallback.notify(level, resource, message)

    def show_progress(self, urn: str, message: str) -> None:
        """Show a message on the row of a resource until the next one replaces it. Do nothing without an engine."""
        if not self._has_failed:
            self._call(Level.INFO, urn, message, is_ephemeral=True)

    def _send(self, level: Level, resource: str, message: str) -> bool:
        """Send a message to the engine. Return whether the engine accepted it."""
        urn = self._current_urn()
        is_own_row = urn.rpartition("::")[2] == resource
        # The name is in the text, because `--diff` shows messages without any row.
        return self._call(level, urn if is_own_row else "", f"{resource}: {message}")

    def _call(self, level: Level, urn: str, text: str, *, is_ephemeral: bool = False) -> bool:
        # Import gRPC late, because a program that only declares jobs does not need it.
        import grpc  # noqa: PLC0415
        from pulumi.runtime.proto import engine_pb2  # noqa: PLC0415

        severities = {
            Level.DEBUG: engine_pb2.DEBUG,
            Level.INFO: engine_pb2.INFO,
            Level.WARNING: engine_pb2.WARNING,
        }
        request = engine_pb2.LogRequest(
            severity=severities[level],
            message=shown_text(text.encode(errors="backslashreplace").decode()),  # gRPC refuses lone surrogates
            urn=urn,
            ephemeral=is_ephemeral,
        )
        try:
            self._engine().Log(request, timeout=self._timeout)
        except (grpc.RpcError, ValueError):  # ValueError: gRPC has closed the channel, because the process ends
            self._has_failed = True
            return False
        return True

    def _engine(self) -> Any:
        """Return the gRPC stub of the engine."""
        import grpc  # noqa: PLC0415
        from pulumi.runtime.proto import engine_pb2_grpc  # noqa: PLC0415

        with self._lock:
            if self._stub is None:
                # The engine is on this machine, so the call must not go to a proxy from the environment.
                channel = grpc.insecure_channel(self._address, options=[("grpc.enable_http_proxy", 0)])
                self._stub = engine_pb2_grpc.EngineStub(channel)
            return self._stub
