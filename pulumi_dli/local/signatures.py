"""The gateway's side of an AK/SK signature, SDK-HMAC-SHA256.

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
"""How far the client's clock may be off (signing guide, FAQ)."""

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM}\s+Access=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-fA-F]+)\s*", re.ASCII
)
_UNSIGNED = "UNSIGNED-PAYLOAD"
_DATE_FORMAT = "%Y%m%dT%H%M%SZ"


class BadSignatureError(Exception):
    """A signature that does not prove who calls. `str(error)` says why."""


class WrongSignatureError(BadSignatureError):
    """A signature that another secret key made, or that is of another call."""


@dataclass(frozen=True)
class SignedCall:
    """What a signature covers. `headers` have lower-case names; `path` and `query` are as they came, still encoded."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


def access_key_of(call: SignedCall) -> str:
    """Give the access key with which a call was signed. Raises BadSignatureError for a call that was not."""
    return _parse(call)[1]


def verify(call: SignedCall, *, secret_key: str, security_token: str | None = None, now: datetime) -> None:
    """Check the signature in the header `Authorization`. Raises BadSignatureError."""
    match = _parse(call)
    given = call.headers.get("x-security-token")
    if security_token is None and given is not None:
        raise BadSignatureError("the access key is permanent, but the call has an X-Security-Token")
    if security_token is not None and not hmac.compare_digest((given or "").encode(), security_token.encode()):
        raise BadSignatureError("the access key is temporary, and X-Security-Token is missing or not the one it has")
    date = call.headers.get("x-sdk-date", "")
    if abs(now - _parse_date(date)) > MAX_SKEW:
        raise BadSignatureError(f"signature expired, signature time:{date},server time:{now.strftime(_DATE_FORMAT)}")
    names = match[2].split(";")
    digest = hashlib.sha256(_canonical(call, names).encode()).hexdigest()
    expected = hmac.new(secret_key.encode(), f"{ALGORITHM}\n{date}\n{digest}".encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(match[3].lower().encode(), expected.encode()):
        raise WrongSignatureError("verify aksk signature fail: the signature does not match the call")


def _parse(call: SignedCall) -> re.Match[str]:
    match = _AUTHORIZATION.fullmatch(call.headers.get("authorization", ""))
    if match is None:
        raise BadSignatureError(f"the Authorization header is not of the form {ALGORITHM} Access=…, …")
    return match


def _parse_date(text: str) -> datetime:
    try:
        return datetime.strptime(text, _DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise BadSignatureError("X-Sdk-Date is missing, or not of the form 20260131T235959Z") from None


def _canonical(call: SignedCall, names: list[str]) -> str:
    """Write the call in the form that is signed. The path gets a slash at its end here, though the real one has none.

    Raises BadSignatureError for a header that is named as signed but was not sent.
    """
    missing = [name for name in names if name not in call.headers]
    if missing:
        raise BadSignatureError(f"a header is named as signed, but was not sent: {', '.join(missing)}")
    path = "/".join(_encode(segment) for segment in unquote(call.path).split("/"))
    # Empty values count; pairs are sorted before they are encoded, as the vendor's client does.
    query = "&".join(
        f"{_encode(key)}={_encode(value)}" for key, value in sorted(parse_qsl(call.query, keep_blank_values=True))
    )
    # A body that is not JSON is left out of the signature by the vendor's client, which says so in this header.
    unsigned = call.body and call.headers.get("x-sdk-content-sha256") == _UNSIGNED
    return "\n".join(
        (
            call.method.upper(),
            path if path.endswith("/") else f"{path}/",
            query,
            *(f"{name}:{call.headers[name].strip()}" for name in names),
            "",
            ";".join(names),
            _UNSIGNED if unsigned else hashlib.sha256(call.body).hexdigest(),
        )
    )


def _encode(text: str) -> str:
    return quote(text, safe="~")
