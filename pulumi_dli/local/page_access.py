"""Who may see the page. The browser signs in with a link that works once.

A browser sends its cookies to all ports of a host, so another server on this machine can read them. The cookie of a
session therefore has a secret path, and the page is only there. A server that does not know the path gets no cookie,
and the cookie alone opens nothing.

Four more things keep other pages out. `Host` must be a name of this machine, which prevents DNS rebinding. Each form
contains a token, because `SameSite` does not tell the ports of 127.0.0.1 apart. The Content-Security-Policy allows only
content from this server. `no-referrer` hides the path from the targets of links.
"""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pulumi_dli.local.page_templates import HERE, http_error, render_message
from pulumi_dli.local.sign_in_links import SignInLinks

_LOCAL_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?", re.ASCII | re.IGNORECASE)
_PATHS = re.compile(r"/|/sign-in|/(jobs|page|static)/.*", re.DOTALL)
"""The paths that the API does not have. `/` and `/jobs/` find the page of the session, but never show it."""
_COOKIE = "local-dli"
_MAX_FORM = 4096
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class PageAccess:
    """The ASGI application that lets signed-in browsers to the page. It passes all other calls on to `api`."""

    def __init__(self, api: ASGIApp, page: ASGIApp, links: SignInLinks) -> None:
        self._api = api
        self._page = page
        self._links = links
        self._for_all = Starlette(
            routes=[Route("/sign-in", self._sign_in), Mount("/static", StaticFiles(directory=HERE / "static"))],
            exception_handlers={HTTPException: http_error},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _PATHS.fullmatch(scope["path"]):
            await self._api(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        application = self._application(Request(scope))
        with suppress(ClientDisconnect):
            await application(scope, receive, send_with_headers)

    def _application(self, request: Request) -> ASGIApp:
        """Return the application for a call: the page for a signed-in browser, or one that refuses."""
        request.state.session = None
        if not _LOCAL_HOST.fullmatch(request.headers.get("host", "")):
            text = "This page works only at 127.0.0.1 and localhost, not at the name in the address bar."
            return render_message(request, 421, "Wrong address", text)
        path = request.scope["path"]
        if path == "/sign-in" or path.startswith("/static/"):
            return self._for_all
        session = self._links.session(path, _cookies(request))
        if session is None:
            return render_message(request, 401, "Sign in", "You are not signed in.", shows_sign_in_help=True)
        request.state.session = session
        request.scope["root_path"] = session.path
        return self._page

    async def _sign_in(self, request: Request) -> Response:
        """Sign a browser in with a link.

        A page loads the jobs, not a redirect. A terminal may be a page of another site. After a link there, a browser
        sends no `Strict` cookie to the target of a redirect.
        """
        session = self._links.sign_in(request.query_params.get("code", ""))
        if session is None:
            text = "The link was used before, or it has expired, or the local DLI was restarted."
            return render_message(request, 401, "The link does not work", text, shows_sign_in_help=True)
        request.state.session = session
        response = render_message(request, 200, "Signed in", "You are signed in.", redirects_home=True)
        response.set_cookie(_COOKIE, session.cookie, path=session.path, httponly=True, samesite="strict")
        return response


async def check_form(request: Request) -> None:
    """Read a form and check its token. Raises HTTPException."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM:
            raise HTTPException(413)
    token = dict(parse_qsl(body.decode("latin-1"))).get("token", "")
    if not secrets.compare_digest(token.encode(), request.state.session.form_token.encode()):
        raise HTTPException(403)


def _cookies(request: Request) -> list[str]:
    """Return the values of all cookies with the name of ours. A server at another port can add one for all paths."""
    parts = ";".join(request.headers.getlist("cookie")).split(";")
    pairs = (part.strip().partition("=") for part in parts)
    return [value for key, _, value in pairs if key == _COOKIE]
