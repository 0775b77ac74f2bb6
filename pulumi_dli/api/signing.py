"""Signing in: what is added to each request so that the service knows who asks.

Each way is a `requests.auth.AuthBase`, asked for every request anew, so a request that is sent again is signed again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import requests
from requests.auth import AuthBase

ALGORITHM = "SDK-HMAC-SHA256"
MAX_SKEW = timedelta(minutes=15)
"""How far this machine's clock may be off before the gateway refuses a signature."""


class Auth(AuthBase):
    """A way to sign in. `source` says where the credentials were found, never what they are."""

    def __init__(self, source: str = "") -> None:
        self._source = source

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request."""
        raise NotImplementedError

    def renew(self, _refused: requests.PreparedRequest) -> bool:
        """Sign in anew after a request was refused. False where there is nothing new to sign in with."""
        return False

    def explain(self, _response: requests.Response) -> str:
        """Say what this side knows of a refusal, in sentences."""
        return f"Signed in with {self._source}." if self._source else ""


class TokenAuth(Auth):
    """Signs in with a Keystone token that is scoped to the project (header `X-Auth-Token`)."""

    def __init__(self, token: str, *, source: str = "") -> None:
        super().__init__(source)
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token."""
        request.headers["X-Auth-Token"] = self._token
        return request


class KeyAuth(Auth):
    """Signs each request with an access key and a secret key (AK/SK), permanent or temporary.

    The algorithm is SDK-HMAC-SHA256 (Huawei Cloud, "API signing guide"; the same form on Open Telekom Cloud).
    `project_id` is sent and signed as `X-Project-Id`, `security_token`, which a temporary key needs, as
    `X-Security-Token`. `now` gives the present time; the gateway refuses one that is 15 minutes off.
    """

    def __init__(
        self,
        access_key: str,
        secret_key: str,
        *,
        security_token: str | None = None,
        project_id: str | None = None,
        source: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(source)
        self._access_key = access_key
        self._secret_key = secret_key
        self._extra = {"X-Project-Id": project_id, "X-Security-Token": security_token}
        self._now = now

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the signature over what is there by now."""
        headers = request.headers
        headers["Host"] = urlsplit(request.url or "").netloc
        headers["X-Sdk-Date"] = self._now().astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        headers.update({name: value for name, value in self._extra.items() if value})
        # requests may still rewrite the other headers, so they are not signed.
        signed = {
            name.lower(): value
            for name, value in headers.items()
            if name.lower() in ("host", "content-type") or name.lower().startswith("x-")
        }
        text = canonical_request(request.method or "GET", request.url or "", signed, _body_bytes(request))
        headers["Authorization"] = authorization(self._access_key, self._secret_key, text, signed)
        return request

    def explain(self, response: requests.Response) -> str:
        """Say where the key was found, and whether this machine's clock is wrong."""
        said = super().explain(response)
        skew = _skew(self._now(), response.headers.get("Date", ""))
        if abs(skew) <= MAX_SKEW:
            return said
        minutes, side = abs(skew) // timedelta(minutes=1), "ahead of" if skew > timedelta() else "behind"
        clock = f"The clock of this machine is {minutes} minutes {side} the service's: set it right."
        return f"{said} {clock}".lstrip()


def _skew(now: datetime, date: str) -> timedelta:
    """Compare a clock with the header `Date` of an answer; nothing, where that cannot be read."""
    try:
        return now.astimezone(UTC) - parsedate_to_datetime(date).astimezone(UTC)
    except ValueError:
        return timedelta()


def _body_bytes(request: requests.PreparedRequest) -> bytes:
    body = request.body or b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes):
        return body
    raise TypeError("only bodies of text or bytes can be signed")


def canonical_request(method: str, url: str, signed_headers: dict[str, str], body: bytes) -> str:
    """Write a request in the form that is signed. `signed_headers` have lower-case names.

    The path gets a slash at its end here, though the real one has none.
    """
    parts = urlsplit(url)
    path = quote(unquote(parts.path))
    query = sorted(parse_qsl(parts.query, keep_blank_values=True))
    lines = (
        method.upper(),
        path if path.endswith("/") else path + "/",
        "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in query),
        *(f"{name}:{signed_headers[name].strip()}" for name in sorted(signed_headers)),
        "",
        _names(signed_headers),
        hashlib.sha256(body).hexdigest(),
    )
    return "\n".join(lines)


def _names(signed_headers: Iterable[str]) -> str:
    return ";".join(sorted(signed_headers))


def authorization(access_key: str, secret_key: str, canonical: str, signed_headers: dict[str, str]) -> str:
    """Make the `Authorization` header for a canonical request."""
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"{ALGORITHM}\n{signed_headers['x-sdk-date']}\n{digest}"
    signature = hmac.new(secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Access={access_key}, SignedHeaders={_names(signed_headers)}, Signature={signature}"
