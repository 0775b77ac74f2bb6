"""Sign-in to the page: links with a code that works once, and the sessions that they open. All of it is in memory."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_MOST = 100
"""The maximum number of codes, and of sessions. One more ends the oldest one."""
_LIFE = 600.0
"""Seconds until an unused code expires."""


@dataclass(frozen=True)
class Session:
    """A browser that is signed in. The forms of the page contain `form_token`, which other pages do not know."""

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

    def session(self, cookie: str) -> Session | None:
        """Return the session of a cookie, or None."""
        return self._sessions.get(_digest(cookie))

    def sign_out(self, session: Session) -> None:
        self._sessions.pop(_digest(session.cookie), None)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def _keep_newest(entries: dict[bytes, float] | dict[bytes, Session]) -> None:
    while len(entries) > _MOST:
        del entries[next(iter(entries))]
