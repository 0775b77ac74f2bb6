"""The templates of the page and how they are filled, for signed-in browsers and for others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from pulumi_dli.api.states import LIVE_STATES, BatchState
from pulumi_dli.local.durations import format_duration
from pulumi_dli.local.job_view import colour_of, display_name, status_of

HERE = Path(__file__).parent


def session_path(request: Request) -> str:
    """Return the path of the browser's session. All addresses of its page begin with it. Empty without a session."""
    return request.state.session.path if request.state.session else ""


def render(request: Request, template: str, status: int, context: Mapping[str, object]) -> Response:
    """Fill a template. It knows the session, and as `base` the path with which its links begin."""
    always = {"session": request.state.session, "base": session_path(request)}
    return _TEMPLATES.TemplateResponse(request, template, {**context, **always}, status)


def render_message(
    request: Request,
    status: int,
    title: str,
    text: str,
    *,
    shows_sign_in_help: bool = False,
    redirects_home: bool = False,
) -> Response:
    """Show a message."""
    context = {
        "title": title,
        "text": text,
        "shows_sign_in_help": shows_sign_in_help,
        "finds_session": status == 401,
        "redirects_home": redirects_home,
    }
    return render(request, "message.html", status, context)


def http_error(request: Request, error: Exception) -> Response:
    """Show an error of HTTP, such as a path that does not exist."""
    assert isinstance(error, HTTPException)  # noqa: S101  it is registered for these
    return render_message(request, error.status_code, error.detail, "The local DLI cannot do this.")


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {
        "clock": lambda time: _local(time).strftime("%Y-%m-%d %H:%M:%S"),
        "iso": lambda time: _local(time).isoformat(timespec="milliseconds"),
        "duration": lambda milliseconds: format_duration(milliseconds / 1000),
        "colour": colour_of,
        "status": status_of,
        "display_name": display_name,
        "past": lambda kind: (kind.facts.past or kind) if isinstance(kind, BatchState) else "waited",
    }
    environment.globals["drawn"] = ("waiting", *LIVE_STATES)
    return environment


def _local(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1000).astimezone()


_TEMPLATES = Jinja2Templates(env=_environment())
