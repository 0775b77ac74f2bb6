"""The HTTP session of every call to DLI and to IAM. It sets the User-Agent and reports each call for the debug log.

A report contains nothing that can be secret: no header, no body, no query, and only known words of the path.
"""

from __future__ import annotations

import logging
import platform
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from pulumi_dli.api.location import is_loopback
from pulumi_dli.api.retry import current_attempt

LOGGER = logging.getLogger("pulumi_dli.http")

_ROUTE_WORDS = frozenset(("v1.0", "v2.0", "queues", "batches", "state", "log", "v3", "auth", "tokens", "projects"))
_PARAMETERS = {"v1.0": "{project_id}", "v2.0": "{project_id}", "batches": "{batch_id}"}
"""The placeholder for the path segment that follows a word of a route."""
_REQUEST_ID_HEADERS = ("X-Request-Id", "X-Openstack-Request-Id")
_REQUEST_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_OPTIONS_AGE = 10.0
"""Seconds for which a session keeps the proxies of the environment. The user may change those of the system."""


@dataclass(frozen=True)
class HttpCall:
    """The report of one call. If there was no answer, `status` is None and `failure` names the class of the error."""

    method: str
    route: str
    status: int | None
    milliseconds: int
    attempt: int
    request_id: str = ""
    failure: str = ""

    def __str__(self) -> str:
        """Return the report as one line of text."""
        outcome = str(self.status) if self.status is not None else f"no answer ({self.failure})"
        trace = f", request id {self.request_id}" if self.request_id else ""
        return f"{self.method} {self.route}: {outcome} in {self.milliseconds} ms, attempt {self.attempt}{trace}"


CallObserver = Callable[[HttpCall], None]
"""Receives the report of each call. It must never raise: the reported call may have submitted a job."""


def log_call(call: HttpCall) -> None:
    """Write the report of a call to the debug log."""
    LOGGER.debug("%s", call)


def route_of(url: str) -> str:
    """Return the path of a URL with a placeholder for each segment that is not a word of the API."""
    route, previous = "", ""
    for segment in urlsplit(url).path.strip("/").split("/"):
        route += f"/{segment if segment in _ROUTE_WORDS else _PARAMETERS.get(previous, '{}')}"
        previous = segment
    return route


def request_id_of(response: requests.Response) -> str:
    """Return the request id, which the cloud's support asks for, or an empty string if no header has a valid one."""
    ids = (response.headers.get(name, "") for name in _REQUEST_ID_HEADERS)
    return next((id_ for id_ in ids if _REQUEST_ID.fullmatch(id_)), "")


@cache
def user_agent() -> str:
    """Return the User-Agent: this package, Python and Pulumi, each with its version if it is known."""
    versions = {"pulumi-dli": _version("pulumi-dli"), "python": platform.python_version(), "pulumi": _version("pulumi")}
    return " ".join(f"{name}/{number}" if number else name for name, number in versions.items())


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:  # for example, the package is a source tree on PYTHONPATH
        return ""


def _add_nothing(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class HttpSession(requests.Session):
    """A session of requests that sets the User-Agent and reports each call to `observe`.

    It ignores ~/.netrc, and it uses no proxy for this machine.

    `now` returns seconds; the session measures the time of a call with it.
    """

    def __init__(self, observe: CallObserver = log_call, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._observe = observe
        self._now = now
        self._options: dict[Any, tuple[float, Any]] = {}
        """When and what `merge_environment_settings` has found, by what requests decides on."""
        self.headers["User-Agent"] = user_agent()
        self.auth = _add_nothing  # otherwise requests sends a password of ~/.netrc to a host that has one there
        for scheme in ("https://", "http://"):
            self.mount(scheme, HTTPAdapter(pool_maxsize=16))

    def merge_environment_settings(
        self, url: str | bytes | None, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        """Return the options of a request, as requests finds them, but without a proxy for this machine.

        A proxy elsewhere cannot reach this machine's loopback addresses, and must not see what goes there. The options
        of an address are kept for ten seconds: requests would read the whole environment twice for each call, which is
        a quarter of the CPU time of a submission.
        """
        address = url.decode() if isinstance(url, bytes) else url
        key = (*urlsplit(address)[:2], *sorted((proxies or {}).items()), stream, verify, cert)
        now, (found_at, options) = self._now(), self._options.get(key, (0.0, None))
        if options is None or now - found_at > _OPTIONS_AGE:
            options = super().merge_environment_settings(url, proxies, stream, verify, cert)
            if address and is_loopback(address):
                options = {**options, "proxies": {}}
            self._options[key] = now, options
        return options

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send a prepared request, read the whole answer and report the call. Raises what requests raises."""
        began = self._now()
        response, failure = None, ""
        try:
            response = super().send(request, **options)
        except Exception as error:
            failure = type(error).__name__
            raise
        finally:
            self._observe(
                HttpCall(
                    method=request.method or "",
                    route=route_of(request.url or ""),
                    status=None if response is None else response.status_code,
                    milliseconds=round((self._now() - began) * 1000),
                    attempt=current_attempt(),
                    request_id="" if response is None else request_id_of(response),
                    failure=failure,
                )
            )
        return response
