"""Signing in to the page: a link with a code that works once, and the session that it opens. All of it in memory."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

_MOST = 100
"""How many codes and how many sessions there are; a further one ends the oldest."""


@dataclass(frozen=True)
class Session:
    """A browser that has signed in. `form_token` stands in the page's forms: other pages do not know it."""

    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)


class SignInLinks:
    """The codes that are not used yet, and the sessions. Looked up by digest, so that a lookup's time says nothing."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._codes: dict[bytes, None] = {}
        self._sessions: dict[bytes, Session] = {}

    def new_link(self) -> str:
        """Make a link that opens one session."""
        code = secrets.token_urlsafe(32)
        self._codes[_digest(code)] = None
        _keep_newest(self._codes)
        return f"{self._endpoint}/sign-in?code={code}"

    def sign_in(self, code: str) -> Session | None:
        """Use up a code. None: it is wrong, or was used before."""
        if _digest(code) not in self._codes:
            return None
        del self._codes[_digest(code)]
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


def _keep_newest(entries: dict[bytes, None] | dict[bytes, Session]) -> None:
    while len(entries) > _MOST:
        del entries[next(iter(entries))]
