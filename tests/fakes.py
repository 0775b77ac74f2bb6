"""Stand-ins that tests hand in: a clock that nobody waits for, and a service that answers as it is told."""

import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from pulumi_dli.api.location import Location
from pulumi_dli.operations.notifier import Level

CERTIFICATE = Path(__file__).parent / "data" / "loopback.pem"
PROJECT = "48cc2c48765f481480c7db940d6409d1"


class FakeNotifier:
    """Calls `hear` with the name and the text of each message but debug messages."""

    def __init__(self, hear: Callable[[str, str], object] = lambda _resource, _message: None) -> None:
        self._hear = hear

    def notify(self, level: Level, resource: str, message: str) -> None:
        if level is not Level.DEBUG:
            self._hear(resource, message)


class FakeClock:
    """A clock that goes on only when somebody sleeps. `during_sleep` is called at the end of each sleep."""

    def __init__(self, during_sleep: Callable[[], None] = lambda: None) -> None:
        self.slept: list[float] = []
        self._now = 1000.0
        self.during_sleep = during_sleep

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += seconds
        self.during_sleep()


@dataclass(frozen=True)
class Call:
    """A request as it arrived. `path` is what follows `…/batches`."""

    method: str
    url: str
    path: str
    query: dict[str, str]
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What the service answers: a JSON document, or bytes as they are."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


CUT = Answer(b"cut")
"""The connection is closed without an answer."""
SILENCE = Answer(b"silence")
"""The connection stays open without an answer, until the test ends."""


class ScriptedService:
    """A service on loopback. It gives the answers of its script in their order, or those that `answer` makes.

    A call that is not in the script, and a script that was not used up, fail the test at its end. `tls`: it speaks
    HTTPS, with a certificate that nobody knows.
    """

    def __init__(self, *script: Answer, is_listening: bool = True, tls: bool = False) -> None:
        self.calls: list[Call] = []
        self.answer: Callable[[Call], Answer] = self._next
        self.date: float | None = None
        """The time in the header Date of each answer, in seconds since 1970."""
        self._script = list(script)
        self._surprises: list[str] = []
        self._is_closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._make_handler(), bind_and_activate=False)
        self._server.server_bind()  # nobody else gets the port, and until `listen` connections are refused
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.location = Location(f"{'https' if tls else 'http'}://{self.address}", "eu-de", PROJECT)
        if is_listening:
            self.listen()

    def listen(self) -> None:
        """Begin to answer."""
        self._server.server_activate()
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def script(self, *answers: Answer) -> None:
        """Add answers."""
        self._script += answers

    def asked(self) -> list[str]:
        """Name the calls so far, as in `GET /id/state`."""
        return [f"{call.method} {call.path}".strip() for call in self.calls]

    def _next(self, call: Call) -> Answer:
        if not self._script:
            self._surprises.append(f"{call.method} {call.url}")
            return Answer({"error_msg": "not in the script"}, 400)
        return self._script.pop(0)

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline()
                if self.raw_requestline and self.parse_request():
                    service._serve(self)

        return Handler

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        call = Call(
            method=handler.command,
            url=handler.path,
            path=url.path.removeprefix(f"/v2.0/{PROJECT}/batches"),
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers=handler.headers,
            body=handler.rfile.read(int(handler.headers.get("Content-Length", 0))),
        )
        self.calls.append(call)
        answer = self.answer(call)
        if answer is SILENCE:
            self._is_closing.wait()
        if answer is CUT or answer is SILENCE:
            return
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        headers = {"Content-Length": str(len(content))}
        if self.date is not None:
            headers["Date"] = formatdate(self.date, usegmt=True)
        lines = [f"HTTP/1.0 {answer.status} -"]
        lines += [f"{name}: {value}" for name, value in (headers | answer.headers).items()]
        handler.wfile.write("\r\n".join([*lines, "", ""]).encode() + content)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closing.set()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        if error is None:
            assert not self._surprises, f"calls that are not in the script: {self._surprises}"
            assert not self._script, f"answers that nobody asked for: {self._script}"


class Tunnel:
    """A proxy on loopback that makes tunnels to one address, whatever it is asked for."""

    def __init__(self, address: str) -> None:
        host, port = address.split(":")

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while self.rfile.readline().strip():
                    pass
                with socket.create_connection((host, int(port))) as service:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                    there = threading.Thread(target=_pass_on, args=(self.connection, service))
                    there.start()
                    _pass_on(service, self.connection)
                    there.join()

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes, until there is no more."""
    with suppress(OSError):  # the other side hung up
        while piece := source.recv(65536):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
