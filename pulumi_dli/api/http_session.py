"""The HTTP session of every call, to DLI and to IAM: it says who calls, and reports each call for the debug log.

A report holds nothing that can be secret: no header, no body, no query, and of the path only words of the API.
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

from pulumi_dli.api.retry import current_attempt

LOGGER = logging.getLogger("pulumi_dli.http")

_ROUTE_WORDS = frozenset(("v2.0", "batches", "state", "log", "v3", "auth", "tokens", "projects"))
_PARAMETERS = {"v2.0": "{project_id}", "batches": "{batch_id}"}
"""What follows a word of a route."""
_REQUEST_ID_HEADERS = ("X-Request-Id", "X-Openstack-Request-Id")
_REQUEST_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)


@dataclass(frozen=True)
class HttpCall:
    """The report of one call. `status` is None where there was no answer; `failure` names the error then."""

    method: str
    route: str
    status: int | None
    milliseconds: int
    attempt: int
    request_id: str = ""
    failure: str = ""

    def __str__(self) -> str:
        """Write the report as one line."""
        outcome = str(self.status) if self.status is not None else f"no answer ({self.failure})"
        trace = f", request id {self.request_id}" if self.request_id else ""
        return f"{self.method} {self.route}: {outcome} in {self.milliseconds} ms, attempt {self.attempt}{trace}"


CallObserver = Callable[[HttpCall], None]
"""Takes the report of each call. It never raises: the call that it reports may have submitted a job."""


def log_call(call: HttpCall) -> None:
    """Write the report of a call to the debug log."""
    LOGGER.debug("%s", call)


def route_of(url: str) -> str:
    """Give the route of a URL: its path with a placeholder for all that is not a word of the API."""
    route, previous = "", ""
    for segment in urlsplit(url).path.strip("/").split("/"):
        route += f"/{segment if segment in _ROUTE_WORDS else _PARAMETERS.get(previous, '{}')}"
        previous = segment
    return route


def request_id_of(response: requests.Response) -> str:
    """Give the id that the cloud's support asks for; an empty text where there is none that looks like one."""
    ids = (response.headers.get(name, "") for name in _REQUEST_ID_HEADERS)
    return next((id_ for id_ in ids if _REQUEST_ID.fullmatch(id_)), "")


@cache
def user_agent() -> str:
    """Say who calls: this package, Python and Pulumi, with their versions as far as they are known."""
    versions = {"pulumi-dli": _version("pulumi-dli"), "python": platform.python_version(), "pulumi": _version("pulumi")}
    return " ".join(f"{name}/{number}" if number else name for name, number in versions.items())


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:  # as in a source tree on PYTHONPATH
        return ""


class HttpSession(requests.Session):
    """A session of requests that names this package as the caller, and reports each call to `observe`."""

    def __init__(self, observe: CallObserver = log_call, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._observe = observe
        self._now = now
        self.headers["User-Agent"] = user_agent()
        for scheme in ("https://", "http://"):
            self.mount(scheme, HTTPAdapter(pool_maxsize=16))

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send a request that is ready, read the whole answer, and report the call."""
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
