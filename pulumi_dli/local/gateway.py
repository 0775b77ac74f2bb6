"""The gateway checks each call before its route answers: size, credentials and project. It also injects faults.

Error codes: Huawei Cloud, API signing guide, "Error Codes". The gateway adds a request id to each of its errors.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import Message, Receive, Scope, Send

from pulumi_dli.local.call_counter import CallCounter
from pulumi_dli.local.errors import ApiError
from pulumi_dli.local.faults import CallRule, Cut, Delay, Faults, Garbage, Half, Reply
from pulumi_dli.local.replies import error_body
from pulumi_dli.local.signatures import BodyCheck, SignedCall

MAX_BODY = 12 * 1024 * 1024
"""The maximum size of a body in bytes (IAM API reference: calls with AK/SK, 12 MB)."""
MAX_SIGN_IN_BODY = 64 * 1024
"""The maximum size of the body of a sign-in in bytes. Everybody may send one."""
TRANSPORT = "pulumi_dli.api.transport"
"""The extension of the ASGI scope with the connection, for faults that close it."""

_SIGN_IN = ("POST", "/v3/auth/tokens")
_LOCAL_PATH = "/local/"

Work = Callable[[Request], Awaitable[Response]]

logger = logging.getLogger(__name__)


class Authenticator(Protocol):
    """Decides who may call."""

    project_id: str

    def authenticate(self, call: SignedCall) -> BodyCheck | None:
        """Check the headers of a call. Raises ApiError. Return what remains to be checked when the body has come."""


class Gateway:
    """The ASGI application of the API. Every call passes through it."""

    def __init__(
        self, routes: Sequence[Route], *, authenticator: Authenticator, call_counter: CallCounter, faults: Faults
    ) -> None:
        self._routes = routes
        self._authenticator = authenticator
        self._call_counter = call_counter
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = secrets.token_hex(16)
        try:
            response = await _error_as_response(self._answer(scope, receive, request_id), request_id)
        except ClientDisconnect:
            return
        response.headers["X-Request-Id"] = request_id
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, request_id: str) -> Response:
        path, method = scope["path"], scope["method"]
        route, parameters = self._find(scope)
        is_local = path.startswith(_LOCAL_PATH)
        if not is_local:
            self._call_counter.count(method, route.name if route else "unknown")
        is_sign_in = (method, path) == _SIGN_IN
        # First of all, because nobody without credentials may make the server read a body.
        check_body = None if is_sign_in else self._authenticator.authenticate(_signed_call(scope))
        body = await _read_body(receive, MAX_SIGN_IN_BODY if is_sign_in else MAX_BODY)
        if check_body is not None:
            check_body(body)
        if route is None:
            raise ApiError("APIGW.0101", "The API does not exist or has not been published in the environment.")
        if parameters.get("project_id", self._authenticator.project_id) != self._authenticator.project_id:
            raise ApiError("APIGW.0302", "The project in the path is not the project of these credentials.")
        request = Request({**scope, "path_params": parameters}, _replay(body))
        work: Work = route.endpoint
        return await (work(request) if is_local else self._inject_faults(work, request, route.name, request_id))

    def _find(self, scope: Scope) -> tuple[Route | None, dict[str, str]]:
        for route in self._routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                return route, child["path_params"]
        return None, {}

    async def _inject_faults(self, work: Work, request: Request, route: str, request_id: str) -> Response:
        """Do the work of a call, with the faults that match before and after it."""
        rules = self._faults.match(request.method, request.scope["path"], route)
        injected = await _fault_response([rule for rule in rules if rule.when == "before"], None)
        if injected is not None:
            return injected
        response = await _error_as_response(work(request), request_id)
        return await _fault_response([rule for rule in rules if rule.when == "after"], response) or response


async def _error_as_response(answer: Awaitable[Response], request_id: str) -> Response:
    try:
        return await answer
    except ClientDisconnect:
        raise
    except ApiError as error:
        content = error_body(error.code, error.message)
        if error.code.startswith("APIG"):
            content["request_id"] = request_id
        return JSONResponse(content, error.status)
    except Exception:
        logger.exception("request %s", request_id)
        return JSONResponse(error_body("DLI.0999", "The local DLI has an internal error. See its own log."), 500)


async def _fault_response(rules: Sequence[CallRule], response: Response | None) -> Response | None:
    """Wait for the delays, and return the answer of the first rule that has one."""
    for rule in rules:
        match rule:
            case Delay():
                await asyncio.sleep(rule.seconds)
            case Reply():
                text = rule.body if isinstance(rule.body, str) else json.dumps(rule.body)
                return Response(text, rule.status, rule.headers, rule.content_type)
            case Garbage():
                return Response("<html>not the answer", media_type="text/html")
            case Cut():
                return _CutResponse()
            case Half() if response is not None:
                return _HalfResponse(response.body, response.status_code, media_type=response.media_type)
    return None


class _CutResponse(Response):
    """Closes the connection without an answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _close(scope, receive)


class _HalfResponse(Response):
    """Closes the connection within the body of the answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body[: len(self.body) // 2])
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await _close(scope, receive)


async def _close(scope: Scope, receive: Receive) -> None:
    scope["extensions"][TRANSPORT].close()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read_body(receive: Receive, limit: int) -> bytes:
    """Read a body of at most `limit` bytes. Raises ApiError for a longer one, and ClientDisconnect."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message["body"]
        if len(body) > limit:
            raise ApiError("APIGW.0201", "Request entity too large.", status=413)
        more = message["more_body"]
    return bytes(body)


def _replay(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _signed_call(scope: Scope) -> SignedCall:
    """Return what a signature of a call covers besides its body."""
    return SignedCall(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
    )
