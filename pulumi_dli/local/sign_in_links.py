"""Sign-in to the page: links with a code that works once, and the sessions that they open. All of it is in memory."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

_MOST = 100
"""The maximum number of codes, and of sessions. One more ends the oldest one."""
_LIFE = 600.0
"""Seconds until an unused code expires."""


@dataclass(frozen=True)
class Session:
    """A browser that is signed in. The forms of the page contain `form_token`, which other pages do not know.

    The page of the session and its cookie are at `path`. A browser sends a cookie to all ports of 127.0.0.1, but only
    with requests for paths below the cookie's own. So a server at another port must know `path` to get the cookie.
    """

    path: str = field(default_factory=lambda: f"/page/{secrets.token_urlsafe(16)}", repr=False)
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)


class SignInLinks:
    """The unused codes and the sessions. Their keys are digests, so that the time of a lookup tells nothing."""

    def __init__(self, endpoint: str, now: Callable[[], float] = time.monotonic) -> None:
        self._endpoint = endpoint
        self._now = now
        self._codes: dict[bytes, float] = {}
        self._sessions: dict[bytes, Session] = {}

    def new_link(self) -> str:
        """Make a link that opens one session within ten minutes."""
        code = secrets.token_urlsafe(32)
        self._codes[_digest(code)] = self._now()
        _keep_newest(self._codes)
        return f"{self._endpoint}/sign-in?code={code}"

    def sign_in(self, code: str) -> Session | None:
        """Open a session with a code. Return None if the code is wrong, expired or already used."""
        made_at = self._codes.pop(_digest(code), None)
        if made_at is None or self._now() - made_at > _LIFE:
            return None
        session = Session()
        self._sessions[_digest(session.cookie)] = session
        _keep_newest(self._sessions)
        return session

    def session(self, path: str, cookies: Iterable[str]) -> Session | None:
        """Return the session with one of these cookies, if the path of the request is below its own. Else None."""
        found = (self._sessions.get(_digest(cookie)) for cookie in cookies)
        return next((session for session in found if session is not None and _is_below(session.path, path)), None)

    def sign_out(self, session: Session) -> None:
        self._sessions.pop(_digest(session.cookie), None)


def _is_below(secret_path: str, path: str) -> bool:
    beginning = "/".join(path.split("/")[:3])
    return secrets.compare_digest(secret_path.encode(), beginning.encode(errors="surrogatepass"))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def _keep_newest(entries: dict[bytes, float] | dict[bytes, Session]) -> None:
    while len(entries) > _MOST:
        del entries[next(iter(entries))]
