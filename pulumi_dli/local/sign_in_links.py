"""Signing in to the page: a link with a code that works once, and the session that it opens. All of it in memory."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_MOST = 100
"""How many codes and how many sessions there are; a further one ends the oldest."""
_LIFE = 600.0


@dataclass(frozen=True)
class Session:
    """A browser that has signed in. `form_token` stands in the page's forms: other pages do not know it."""

    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)


class SignInLinks:
    """The codes that are not used yet, and the sessions. Looked up by digest, so that a lookup's time says nothing."""

    def __init__(self, endpoint: str, now: Callable[[], float] = time.monotonic) -> None:
        self._endpoint = endpoint
        self._now = now
        self._codes: dict[bytes, float] = {}
        self._sessions: dict[bytes, Session] = {}

    def new_link(self) -> str:
        """Make a link that opens one session, within ten minutes."""
        code = secrets.token_urlsafe(32)
        self._codes[_digest(code)] = self._now()
        _keep_newest(self._codes)
        return f"{self._endpoint}/sign-in?code={code}"

    def sign_in(self, code: str) -> Session | None:
        """Use up a code. None: it is wrong, too old, or was used before."""
        made_at = self._codes.pop(_digest(code), None)
        if made_at is None or self._now() - made_at > _LIFE:
            return None
        session = Session()
        self._sessions[_digest(session.cookie)] = session
        _keep_newest(self._sessions)
        return session

    def session(self, cookie: str) -> Session | None:
        """Find the session of a cookie."""
        return self._sessions.get(_digest(cookie))

    def sign_out(self, session: Session) -> None:
        """End a session."""
        self._sessions.pop(_digest(session.cookie), None)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def _keep_newest(entries: dict[bytes, float] | dict[bytes, Session]) -> None:
    while len(entries) > _MOST:
        del entries[next(iter(entries))]
