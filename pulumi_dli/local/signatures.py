"""The check of an AK/SK signature (SDK-HMAC-SHA256), as the gateway does it.

Source: Huawei Cloud, API signing guide ("AK/SK signing and authentication algorithm"), and the vendor's client
huaweicloudsdkcore 3.1.219 (signer/signer.py), which signs every header that it sends.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote

ALGORITHM = "SDK-HMAC-SHA256"
MAX_SKEW = timedelta(minutes=15)
"""The maximum difference between the clocks of client and gateway (signing guide, FAQ)."""

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM}\s+Access=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-fA-F]+)\s*", re.ASCII
)
_UNSIGNED = "UNSIGNED-PAYLOAD"
_DATE_FORMAT = "%Y%m%dT%H%M%SZ"


class BadSignatureError(Exception):
    """The signature does not prove who calls. `str(error)` says why."""


class WrongSignatureError(BadSignatureError):
    """The signature belongs to another secret key or to another call."""


@dataclass(frozen=True)
class SignedCall:
    """The parts of a call that a signature covers. Header names are lower case, `path` and `query` are encoded.

    `body` is None if it is not read yet.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes | None


def access_key_of(call: SignedCall) -> str:
    """Return the access key that signed a call. Raises BadSignatureError for a call without a signature."""
    return _parse(call)[1]


def verify(call: SignedCall, *, secret_key: str, security_token: str | None = None, now: datetime) -> None:
    """Check the signature in the header `Authorization`. Raises BadSignatureError if it is invalid.

    If the body is not read yet, check the rest.
    """
    match = _parse(call)
    names = match[2].split(";")
    _check_security_token(call, security_token)
    date = _checked_date(call, now)
    missing = [name for name in names if name not in call.headers]
    if missing:
        raise BadSignatureError(f"a header is listed as signed, but was not sent: {', '.join(missing)}")
    if call.body is None:
        return
    digest = hashlib.sha256(_canonical(call, names, call.body).encode()).hexdigest()
    expected = hmac.new(secret_key.encode(), f"{ALGORITHM}\n{date}\n{digest}".encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(match[3].lower().encode(), expected.encode()):
        raise WrongSignatureError("verify aksk signature fail: the signature does not match the call")


def _check_security_token(call: SignedCall, security_token: str | None) -> None:
    given = call.headers.get("x-security-token")
    if security_token is None and given is not None:
        raise BadSignatureError("the access key is permanent, but the call has an X-Security-Token")
    if security_token is not None and not hmac.compare_digest((given or "").encode(), security_token.encode()):
        raise BadSignatureError("the access key is temporary, and its X-Security-Token is missing or wrong")


def _checked_date(call: SignedCall, now: datetime) -> str:
    date = call.headers.get("x-sdk-date", "")
    if abs(now - _parse_date(date)) > MAX_SKEW:
        raise BadSignatureError(f"signature expired, signature time:{date},server time:{now.strftime(_DATE_FORMAT)}")
    return date


def _parse(call: SignedCall) -> re.Match[str]:
    match = _AUTHORIZATION.fullmatch(call.headers.get("authorization", ""))
    if match is None:
        raise BadSignatureError(f"the Authorization header does not have the form {ALGORITHM} Access=…, …")
    return match


def _parse_date(text: str) -> datetime:
    try:
        return datetime.strptime(text, _DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise BadSignatureError("X-Sdk-Date is missing, or does not have the form 20260131T235959Z") from error


def _canonical(call: SignedCall, names: list[str], body: bytes) -> str:
    """Write the canonical request, the text that is signed. Its path ends in a slash, even if the real one does not."""
    path = "/".join(_encode(segment) for segment in unquote(call.path).split("/"))
    # Empty values count. Like the vendor's client, sort the pairs before they are encoded.
    query = "&".join(
        f"{_encode(key)}={_encode(value)}" for key, value in sorted(parse_qsl(call.query, keep_blank_values=True))
    )
    # The vendor's client does not sign a body that is not JSON. It says so in this header.
    unsigned = body and call.headers.get("x-sdk-content-sha256") == _UNSIGNED
    return "\n".join(
        (
            call.method.upper(),
            path if path.endswith("/") else f"{path}/",
            query,
            *(f"{name}:{call.headers[name].strip()}" for name in names),
            "",
            ";".join(names),
            _UNSIGNED if unsigned else hashlib.sha256(body).hexdigest(),
        )
    )


def _encode(text: str) -> str:
    return quote(text, safe="~")
