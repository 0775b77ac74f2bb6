"""Authentication of requests: by a token, or by a signature with an access key.

Each way is a `requests.auth.AuthBase`. requests calls it for every request, so a repeated request is signed again.
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
    """A way to sign in. `source` describes where the credentials were found. It contains no secret."""

    def __init__(self, source: str = "") -> None:
        self._source = source

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the credentials, or a signature, to a request."""
        raise NotImplementedError

    def renew(self, _refused: requests.PreparedRequest) -> bool:
        """Prepare a new sign-in after the service refused a request. Return False if a new one is impossible."""
        return False

    def explain(self, _response: requests.Response) -> str:
        """Return sentences about the credentials for the error message of a refused request."""
        return f"Signed in with {self._source}." if self._source else ""


class TokenAuth(Auth):
    """Sends a Keystone token of the project in the header `X-Auth-Token`."""

    def __init__(self, token: str, *, source: str = "") -> None:
        super().__init__(source)
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header `X-Auth-Token`."""
        request.headers["X-Auth-Token"] = self._token
        return request


class KeyAuth(Auth):
    """Signs each request with an access key and a secret key (AK/SK), permanent or temporary.

    The algorithm is SDK-HMAC-SHA256 (Huawei Cloud, "API signing guide"; the same on Open Telekom Cloud).

    Args:
        access_key: The access key (AK).
        secret_key: The secret key (SK). It is never sent.
        security_token: The token of a temporary key, sent and signed as `X-Security-Token`.
        project_id: The id of the project, sent and signed as `X-Project-Id`.
        source: Where the key was found, in words.
        now: Returns the present time. The gateway refuses a signature with a time that is 15 minutes off.
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
        self._extra_headers = {"X-Project-Id": project_id, "X-Security-Token": security_token}
        self._now = now

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header `Authorization` with the signature of the request."""
        headers = request.headers
        headers["Host"] = urlsplit(request.url or "").netloc
        headers["X-Sdk-Date"] = self._now().astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        headers.update({name: value for name, value in self._extra_headers.items() if value})
        # Do not sign the other headers: requests may still change them.
        signed = {
            name.lower(): value
            for name, value in headers.items()
            if name.lower() in ("host", "content-type") or name.lower().startswith("x-")
        }
        text = canonical_request(request.method or "GET", request.url or "", signed, _body_bytes(request))
        headers["Authorization"] = authorization(self._access_key, self._secret_key, text, signed)
        return request

    def explain(self, response: requests.Response) -> str:
        """Return sentences: where the key was found, and whether this machine's clock is more than 15 minutes off."""
        source = super().explain(response)
        skew = _clock_skew(self._now(), response.headers.get("Date", ""))
        if abs(skew) <= MAX_SKEW:
            return source
        minutes, side = abs(skew) // timedelta(minutes=1), "ahead of" if skew > timedelta() else "behind"
        clock = f"The clock of this machine is {minutes} minutes {side} the service's: set it right."
        return f"{source} {clock}".lstrip()


def _clock_skew(now: datetime, date: str) -> timedelta:
    """Return how far a clock is ahead of the header `Date` of an answer; zero if the header cannot be read."""
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
    """Return a request in the form that the signature covers. The names of `signed_headers` are in lower case.

    The path ends with a slash in this form, although the path of the request does not.
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
        _join_names(signed_headers),
        hashlib.sha256(body).hexdigest(),
    )
    return "\n".join(lines)


def _join_names(signed_headers: Iterable[str]) -> str:
    return ";".join(sorted(signed_headers))


def authorization(access_key: str, secret_key: str, canonical: str, signed_headers: dict[str, str]) -> str:
    """Return the value of the `Authorization` header for a canonical request."""
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"{ALGORITHM}\n{signed_headers['x-sdk-date']}\n{digest}"
    signature = hmac.new(secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Access={access_key}, SignedHeaders={_join_names(signed_headers)}, Signature={signature}"
