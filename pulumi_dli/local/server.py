"""The server: a socket on 127.0.0.1, and a thread with the event loop in which everything happens."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import uvicorn
from h11 import LocalProtocolError
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from pulumi_dli.local.call_counter import CallCounter
from pulumi_dli.local.credentials import Credentials, CredentialsError
from pulumi_dli.local.engines import Engine
from pulumi_dli.local.engines.timeline import TimelineEngine
from pulumi_dli.local.faults import Faults
from pulumi_dli.local.gateway import TRANSPORT, Gateway
from pulumi_dli.local.jobs import Jobs
from pulumi_dli.local.keystone import Keystone
from pulumi_dli.local.obs import ObjectStore
from pulumi_dli.local.page import Page
from pulumi_dli.local.private_files import make_private_dir, open_private
from pulumi_dli.local.queues import Queues, read_queues
from pulumi_dli.local.routes import BatchApi, SignInApi, TestApi
from pulumi_dli.local.sign_in_links import SignInLinks
from pulumi_dli.local.table import JobTable

Result = TypeVar("Result")
EngineName = Literal["spark", "timeline"]
HOST = "127.0.0.1"
STARVE_AFTER = 3 * 3600.0
"""Seconds for which a job waits for capacity ("about 3 hours": dli_02_0124, table of states, 2026-04)."""
KEEP_FINISHED = 6 * 3600.0
"""Seconds for which the record of an ended job is kept (Huawei Cloud user guide, 2021: 6 hours)."""

_STOP_TIMEOUT = 60.0
_IDLE_TIMEOUT = 75
"""Seconds after which a connection without calls is closed: longer than the 10 s between two looks of a wait."""


class LocalDliError(Exception):
    """The local DLI cannot start or go on. `str(error)` says why and what to do."""


class LocalDli:
    """A local DLI in this process: a context manager that starts and stops it.

    `data` is its directory. `port` 0 takes a free one. `engine` is `spark`, or `timeline` for states without Spark;
    `master` is for Spark. `slots` is how many jobs run at once: by default half of the processors with Spark, any
    number with timelines. `queues` are queues beside `default`, `NAME` or `NAME:CUs`; one without CUs has no limit.
    `starve_after` is how many seconds a job waits before it is given up, `keep_finished` how many seconds the record of
    an ended job is kept. `now` gives the seconds since 1970, for the times of jobs and credentials; what
    jobs do takes real time. `conf_of` is for timelines (see `TimelineEngine`). `start` and `stop`, and so `with`, raise
    LocalDliError.
    """

    def __init__(
        self,
        data: Path | str,
        *,
        port: int = 0,
        engine: EngineName = "spark",
        master: str = "local[*]",
        slots: int | None = None,
        queues: Sequence[str] = (),
        starve_after: float = STARVE_AFTER,
        keep_finished: float = KEEP_FINISHED,
        now: Callable[[], float] = time.time,
        conf_of: Callable[[str], Mapping[str, str]] = lambda _name: {},
    ) -> None:
        self.data = Path(data).absolute()
        self.call_counter = CallCounter()
        self.faults = Faults()
        self._port = port
        self._engine: EngineName = engine
        self._master = master
        self._slots = slots
        self._queues = tuple(queues)
        self._starve_after = starve_after
        self._keep_finished = keep_finished
        self._now = now
        self._conf_of = conf_of
        self._credentials: Credentials | None = None
        self._links: SignInLinks | None = None
        self._batches: BatchApi | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._stop_requested = False

    @property
    def credentials(self) -> Credentials:
        """The account, with the addresses of the running server."""
        if self._credentials is None:
            raise RuntimeError("the local DLI has not been started")
        return self._credentials

    @property
    def endpoint(self) -> str:
        """The address, as in `http://127.0.0.1:8080`."""
        return self.credentials.endpoint

    def sign_in_link(self) -> str:
        """Make a link to the page that signs a browser in. It works once, while this server runs."""
        if self._links is None:
            raise RuntimeError("the local DLI has not been started")
        return self._links.new_link()

    def submit(self, body: bytes) -> str:
        """Accept a job as its create call does, and give its id. No call is counted or spoiled. Raises ApiError."""
        return self._do(lambda batches: batches.submit(body)).id

    def cancel(self, job_id: str) -> None:
        """Cancel a job, and return when it is dead. No call is counted or spoiled. Raises ApiError."""
        self._do(lambda batches: batches.jobs.cancel_and_wait(job_id))

    def bucket(self, name: str) -> Path:
        """Give the directory of a bucket, made if it is not there: `obs://name/key` is the file `key` in it."""
        return make_private_dir(self.data / "obs" / name)

    def start(self) -> None:
        """Start the server; it answers when this returns. Raises LocalDliError."""
        try:
            cus = read_queues(self._queues)
        except ValueError as error:
            raise LocalDliError(str(error)) from None
        with ExitStack() as cleanup:
            try:
                make_private_dir(self.data)
                cleanup.callback(os.close, _lock(self.data))
                store = ObjectStore(self.data)
                engine = self._make_engine(store)
                listener = cleanup.enter_context(_listen(self._port))
                port = listener.getsockname()[1]
                self._credentials = Credentials.load_or_make(self.data).at(f"http://{HOST}:{port}")
                self._links = SignInLinks(self.endpoint)
                table = JobTable(self.data / "jobs.sqlite")
                cleanup.callback(table.close)
                self._credentials.save(self.data)
                directory = make_private_dir(self.data / "jobs")
            except (OSError, sqlite3.Error) as error:
                raise LocalDliError(f"the directory {self.data} cannot be used: {error}") from None
            except CredentialsError as error:
                raise LocalDliError(str(error)) from None
            jobs = Jobs(
                table=table,
                engine=engine,
                directory=directory,
                slots=self._slots,
                queues=cus,
                starve_after=self._starve_after,
                keep_finished=self._keep_finished,
                now=self._now,
            )
            self._server = _Server(self._build_application(jobs, cus, self._links, port))
            if self._stop_requested:
                self._server.should_exit = True
            self._thread = threading.Thread(
                target=self._run, args=(self._server, jobs, listener, cleanup.pop_all()), name="local-dli"
            )
        self._thread.start()
        self._server.has_started.wait()
        if self._failure is not None:
            self.stop()

    def wait(self) -> None:
        """Wait until the server has ended: it was asked to, or it failed."""
        if self._thread is not None:
            self._thread.join()

    def request_stop(self) -> None:
        """Have the server stop soon, even one that is only starting. Takes no lock: signal handlers may call it."""
        self._stop_requested = True
        if self._server is not None:
            self._server.should_exit = True

    def stop(self) -> None:
        """Stop the server, with all processes of its jobs. What waits goes on when it is started again."""
        if self._thread is None:
            return
        self.request_stop()
        self._thread.join(_STOP_TIMEOUT)
        if self._thread.is_alive():
            raise LocalDliError(f"the local DLI has not stopped within {_STOP_TIMEOUT:.0f} s")
        self._thread = None
        self._stop_requested = False
        if (failure := self._failure) is not None:
            self._failure = None
            raise LocalDliError(f"the local DLI has failed: {type(failure).__name__}: {failure}") from failure

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _do(self, work: Callable[[BatchApi], Coroutine[Any, Any, Result]]) -> Result:
        """Have something done in the server's event loop."""
        if self._batches is None or self._loop is None:
            raise RuntimeError("the local DLI is not running")
        return asyncio.run_coroutine_threadsafe(work(self._batches), self._loop).result()

    def _make_engine(self, store: ObjectStore) -> Engine:
        if self._engine == "timeline":
            return TimelineEngine(self._conf_of)
        from pulumi_dli.local.engines.spark import Spark, SparkEngine, SparkError  # noqa: PLC0415

        try:
            return SparkEngine(Spark.find(), store, self._master, slots=self._slots)
        except SparkError as error:
            raise LocalDliError(str(error)) from None

    def _build_application(self, jobs: Jobs, cus: Mapping[str, int | None], links: SignInLinks, port: int) -> ASGIApp:
        account = self.credentials
        keystone = Keystone(account, lambda: datetime.fromtimestamp(self._now(), UTC))
        queues = Queues(cus, used=jobs.used_cus, owner=account.username, created=jobs.now())
        self._batches = BatchApi(jobs, queues, self.faults, account.username)
        apis = (self._batches, keystone, SignInApi(links), TestApi(self.call_counter, self.faults))
        routes = [route for api in apis for route in api.routes()]
        gateway = Gateway(routes, authenticator=keystone, call_counter=self.call_counter, faults=self.faults)
        return Page(gateway, jobs=jobs, queues=cus, links=links, port=port)

    def _run(self, server: _Server, jobs: Jobs, listener: socket.socket, cleanup: ExitStack) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            try:
                await jobs.start()
                await server.serve([listener])
            finally:
                self._loop = None
                await jobs.stop()

        try:
            with cleanup:
                asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001  raised again in the thread that starts or stops the server
            self._failure = error
        finally:
            server.has_started.set()


class _Server(uvicorn.Server):
    """Says when it answers, and hands the connection on, for faults that cut it."""

    def __init__(self, application: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                http=_Protocol,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=_IDLE_TIMEOUT,
                timeout_graceful_shutdown=5,
            )
        )
        self.has_started = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.has_started.set()


class _Protocol(H11Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        application = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:
            scope["extensions"] = {TRANSPORT: transport}
            await application(scope, receive, send)

        self.app = with_transport

    def send_400_response(self, msg: str) -> None:
        try:
            super().send_400_response(msg)
        except LocalProtocolError:  # the answer to a HEAD has no body, or another one has begun
            self.transport.close()
        if self.cycle is not None:  # and the application's own answer comes too late
            self.cycle.disconnected = True


def _lock(data: Path) -> int:
    """Keep others off the directory while this process has it open."""
    lock = open_private(data / "lock", os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise LocalDliError(f"another local DLI works in {data}: stop it, or give another --data") from None
    return lock


def is_running(data: Path) -> bool:
    """True where a service works in this directory."""
    try:
        os.close(_lock(data))
    except LocalDliError:
        return True
    return False


def _listen(port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise LocalDliError(f"port {port} cannot be used: it is not from 0 to 65535")
    # With the protocol named, asyncio sends without delay; an answer in two parts else waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise LocalDliError(f"port {port} cannot be used: {error.strerror}. Give another --port, or 0") from None
    return listener
