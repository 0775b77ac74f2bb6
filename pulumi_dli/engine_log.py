"""Reports to the user through the log service of Pulumi's engine, or through standard error."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pulumi_dli.operations.notifier import Level, Notifier


def may_show_debug(command_lines: Iterable[Sequence[str]], environment: Mapping[str, str]) -> bool:
    """Tell from the command lines of this process's ancestors whether the engine may show debug messages.

    The engine tells a provider nothing of `--debug`. Each message that it drops costs about 1 ms of CPU, which is a
    tenth of a `destroy` (bench, 2026-11-29). True where no `pulumi` is found: then nobody knows.
    """
    for command, *arguments in filter(None, command_lines):
        if Path(command).name in ("pulumi", "pulumi.exe"):
            return "PULUMI_OPTION_DEBUG" in environment or any(
                re.fullmatch(r"--debug(=.*)?|-[a-z]*d[a-z]*", argument) for argument in arguments
            )
    return True


def ancestor_command_lines(pid: int | None = None) -> Iterator[Sequence[str]]:
    """Give the command lines of the ancestors of a process, the nearest first. Nothing where there is no /proc."""
    current = os.getpid() if pid is None else pid
    with contextlib.suppress(OSError, ValueError, IndexError):
        while current > 1:
            # The second field may hold blanks and parentheses; the parent is the second field after it.
            current = int(Path(f"/proc/{current}/stat").read_text().rpartition(")")[2].split()[1])
            yield os.fsdecode(Path(f"/proc/{current}/cmdline").read_bytes()).split("\0")[:-1]


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
        self._engine: Any = None
        self._is_lost = False

    def notify(self, level: Level, resource: str, message: str) -> None:
        """Show a message: on the resource's row if the call is about it, else on the stack's row."""
        if level is Level.DEBUG and not self._shows_debug:
            return
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
