"""The server: a socket on 127.0.0.1, and a thread whose event loop does all work."""

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
from starlette.types import ASGIApp

from pulumi_dli.local.call_counter import CallCounter
from pulumi_dli.local.connections import Protocol, handle_loop_error
from pulumi_dli.local.credentials import Credentials, CredentialsError
from pulumi_dli.local.engines import Engine
from pulumi_dli.local.engines.spark_paths import check_path
from pulumi_dli.local.engines.timeline import TimelineEngine
from pulumi_dli.local.faults import Faults
from pulumi_dli.local.gateway import Gateway
from pulumi_dli.local.jobs import Jobs
from pulumi_dli.local.keystone import Keystone
from pulumi_dli.local.obs import ObjectStore
from pulumi_dli.local.page import Page
from pulumi_dli.local.page_access import PageAccess
from pulumi_dli.local.private_files import NotOwnError, check_is_own, make_private_dir, open_private
from pulumi_dli.local.queues import Queues, read_queues
from pulumi_dli.local.routes import BatchApi, SignInApi, TestApi
from pulumi_dli.local.sign_in_links import SignInLinks
from pulumi_dli.local.table import JobTable

Result = TypeVar("Result")
EngineName = Literal["spark", "timeline"]
HOST = "127.0.0.1"
STARVE_AFTER = 3 * 3600.0
"""The seconds after which a job without capacity is dead ("about 3 hours": dli_02_0124, table of states, 2026-04)."""
KEEP_FINISHED = 6 * 3600.0
"""The seconds for which the record of an ended job is kept (Huawei Cloud user guide, 2021: 6 hours)."""

_STOP_TIMEOUT = 60.0
_WAKE_INTERVAL = 0.5
_IDLE_TIMEOUT = 75
"""The seconds after which an idle connection is closed. Waiting clients poll every 10 s on the same connection."""


class LocalDliError(Exception):
    """The local DLI cannot start, or it has failed. `str(error)` says why and what to do."""


class LocalDli:
    """A local DLI in this process, as a context manager. `start`, `stop` and `with` raise LocalDliError.

    Args:
        data: The data directory. Only one server at a time can use it. Spark cannot use every path (`spark_paths`).
        port: The port on 127.0.0.1. 0 means a free one.
        engine: `spark` runs the jobs, `timeline` only plays their states.
        master: The Spark master.
        slots: The number of jobs that run at once. Default: half of the processors with Spark, no limit with timelines.
        queues: Queues beside `default`, as `NAME` or `NAME:CUs`. A queue without CUs has no limit.
        starve_after: The seconds after which a job that still waits for capacity ends as dead.
        keep_finished: The seconds for which the record of an ended job is kept.
        now: Returns the seconds since 1970 for the times of jobs and credentials. Jobs still take real time.
        conf_of: Returns defaults for the `conf` of a job by its name (see `TimelineEngine`).
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
        self._description = ""
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
        """The address, for example `http://127.0.0.1:8080`."""
        return self.credentials.endpoint

    @property
    def description(self) -> str:
        """What the engine does with jobs, and with which versions of Spark and Java. Empty before the start."""
        return self._description

    def sign_in_link(self) -> str:
        """Make a link that signs a browser in to the page. It works once, until this server stops."""
        if self._links is None:
            raise RuntimeError("the local DLI has not been started")
        return self._links.new_link()

    def submit(self, body: bytes) -> str:
        """Accept a job like the create call, and return its id. Faults and call counts ignore this. Raises ApiError."""
        return self._do(lambda batches: batches.submit(body)).id

    def cancel(self, job_id: str) -> None:
        """Cancel a job, and return when it is dead. Faults and call counts ignore this. Raises ApiError."""
        self._do(lambda batches: batches.jobs.cancel_and_wait(job_id))

    def bucket(self, name: str) -> Path:
        """Return the directory of a bucket, and make it if it is missing. `obs://name/key` is the file `key` in it."""
        return make_private_dir(self.data / "obs" / name)

    def start(self) -> None:
        """Start the server, and return when it answers. Raises LocalDliError."""
        try:
            cus = read_queues(self._queues)
            if self._engine == "spark":
                check_path(self.data)
        except ValueError as error:
            raise LocalDliError(str(error)) from error
        with ExitStack() as cleanup:
            try:
                make_private_dir(self.data)
                check_is_own(self.data)
                cleanup.callback(os.close, _lock(self.data))
                store = ObjectStore(self.data)
                engine = self._make_engine(store)
                cleanup.callback(engine.close)
                self._description = engine.description
                listener = cleanup.enter_context(_listen(self._port))
                port = listener.getsockname()[1]
                self._credentials = Credentials.load_or_make(self.data).at(f"http://{HOST}:{port}")
                self._links = SignInLinks(self.endpoint)
                table = JobTable(self.data / "jobs.sqlite")
                cleanup.callback(table.close)
                self._credentials.save(self.data)
                directory = make_private_dir(self.data / "jobs")
            except (CredentialsError, NotOwnError) as error:
                raise LocalDliError(str(error)) from error
            except (OSError, sqlite3.Error) as error:
                raise LocalDliError(f"cannot use the directory {self.data}: {error}") from error
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
            self._server = _Server(self._build_application(jobs, cus, self._links))
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
        """Wait until the server has stopped or failed. Handlers of signals run meanwhile."""
        # Python's handler runs in the main thread. A signal that comes just before `join` blocks does not wake it.
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(_WAKE_INTERVAL)

    def request_stop(self) -> None:
        """Ask the server to stop, even while it starts. This takes no lock, so signal handlers may call it."""
        self._stop_requested = True
        if self._server is not None:
            self._server.should_exit = True

    def stop(self) -> None:
        """Stop the server and all processes of its jobs. After the next start, waiting jobs wait again."""
        if self._thread is None:
            return
        self.request_stop()
        self._thread.join(_STOP_TIMEOUT)
        if self._thread.is_alive():
            raise LocalDliError(f"the local DLI did not stop within {_STOP_TIMEOUT:.0f} s")
        self._thread = None
        self._stop_requested = False
        if (failure := self._failure) is not None:
            self._failure = None
            raise LocalDliError(f"the local DLI failed: {type(failure).__name__}: {failure}") from failure

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _do(self, work: Callable[[BatchApi], Coroutine[Any, Any, Result]]) -> Result:
        """Run a coroutine in the server's event loop, and return its result."""
        if self._batches is None or self._loop is None:
            raise RuntimeError("the local DLI is not running")
        return asyncio.run_coroutine_threadsafe(work(self._batches), self._loop).result()

    def _make_engine(self, store: ObjectStore) -> Engine:
        if self._engine == "timeline":
            return TimelineEngine(self._conf_of)
        from pulumi_dli.local.engines.installation import Spark, SparkError  # noqa: PLC0415
        from pulumi_dli.local.engines.spark import SparkEngine  # noqa: PLC0415

        try:
            return SparkEngine(Spark.find(), store, self._master, self.data, slots=self._slots)
        except SparkError as error:
            raise LocalDliError(str(error)) from error

    def _build_application(self, jobs: Jobs, cus: Mapping[str, int | None], links: SignInLinks) -> ASGIApp:
        account = self.credentials
        keystone = Keystone(account, lambda: datetime.fromtimestamp(self._now(), UTC))
        queues = Queues(cus, used=jobs.used_cus, owner=account.username, created=jobs.now())
        self._batches = BatchApi(jobs, queues, self.faults, account.username)
        apis = (self._batches, keystone, SignInApi(links), TestApi(self.call_counter, self.faults))
        routes = [route for api in apis for route in api.routes()]
        gateway = Gateway(routes, authenticator=keystone, call_counter=self.call_counter, faults=self.faults)
        return PageAccess(gateway, Page(jobs, cus, links), links)

    def _run(self, server: _Server, jobs: Jobs, listener: socket.socket, cleanup: ExitStack) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            self._loop.set_exception_handler(handle_loop_error)
            try:
                await jobs.start()
                await server.serve([listener])
            finally:
                self._loop = None
                await jobs.stop()

        try:
            with cleanup:
                asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001  `stop` raises it again in its own thread
            self._failure = error
        finally:
            server.has_started.set()


class _Server(uvicorn.Server):
    """Signals when it answers."""

    def __init__(self, application: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                http=Protocol,
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


def _lock(data: Path) -> int:
    """Lock the directory for this process, and return the descriptor of the lock. Raises LocalDliError or OSError."""
    lock = open_private(data / "lock", os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise LocalDliError(f"another local DLI uses {data}. Stop it, or give another --data") from error
    return lock


def is_running(data: Path) -> bool:
    """Return whether a service runs with this data directory."""
    try:
        os.close(_lock(data))
    except LocalDliError:
        return True
    return False


def _listen(port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise LocalDliError(f"cannot use port {port}: it is not from 0 to 65535")
    # asyncio sets TCP_NODELAY only if the protocol is named. Without it an answer in two parts waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise LocalDliError(f"cannot use port {port}: {error.strerror}. Give another --port, or 0") from error
    return listener
