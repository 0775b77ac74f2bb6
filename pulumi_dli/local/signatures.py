"""The check of an AK/SK signature (SDK-HMAC-SHA256), as the gateway does it.

Source: Huawei Cloud, API signing guide ("AK/SK signing and authentication algorithm"), and the vendor's client
huaweicloudsdkcore 3.1.219 (signer/signer.py), which signs every header that it sends.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
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


BodyCheck = Callable[[bytes], None]
"""Checks the body of a call whose headers are checked already."""


class BadSignatureError(Exception):
    """The signature does not prove who calls. `str(error)` says why."""


class WrongSignatureError(BadSignatureError):
    """The signature belongs to another secret key or to another call."""


@dataclass(frozen=True)
class SignedCall:
    """The parts of a call that a signature covers, without the body. Header names are lower case.

    `path` and `query` are encoded.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Signature:
    """The signature of a call. It is checked in two steps, so that only a known caller can make the server read a body.

    Args:
        call: The call that it is to cover.
        access_key: The access key.
        names: The names of the signed headers.
        digits: The signature itself, in hex digits.
    """

    call: SignedCall
    access_key: str
    names: tuple[str, ...]
    digits: str

    @classmethod
    def parse(cls, call: SignedCall) -> Signature:
        """Return the signature in the header `Authorization`. Raises BadSignatureError for a call without one."""
        match = _AUTHORIZATION.fullmatch(call.headers.get("authorization", ""))
        if match is None:
            raise BadSignatureError(f"the Authorization header does not have the form {ALGORITHM} Access=…, …")
        return cls(call, match[1], tuple(match[2].split(";")), match[3].lower())

    def check_headers(self, security_token: str | None, now: datetime) -> None:
        """Check what the headers tell before the body is read. This proves nothing. Raises BadSignatureError.

        Args:
            security_token: The security token of the access key, or None for a permanent key.
            now: The time of the gateway's clock.
        """
        _check_security_token(self.call, security_token)
        _check_date(self.call, now)
        missing = [name for name in self.names if name not in self.call.headers]
        if missing:
            raise BadSignatureError(f"a header is listed as signed, but was not sent: {', '.join(missing)}")

    def verify(self, body: bytes, secret_key: str) -> None:
        """Check that the secret key has signed the call with this body. Raises WrongSignatureError.

        Check the headers first.
        """
        digest = hashlib.sha256(_canonical(self.call, self.names, body).encode()).hexdigest()
        text = f"{ALGORITHM}\n{self.call.headers['x-sdk-date']}\n{digest}"
        expected = hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(self.digits.encode(), expected.encode()):
            raise WrongSignatureError("verify aksk signature fail: the signature does not match the call")


def _check_security_token(call: SignedCall, security_token: str | None) -> None:
    given = call.headers.get("x-security-token")
    if security_token is None and given is not None:
        raise BadSignatureError("the access key is permanent, but the call has an X-Security-Token")
    if security_token is not None and not hmac.compare_digest((given or "").encode(), security_token.encode()):
        raise BadSignatureError("the access key is temporary, and its X-Security-Token is missing or wrong")


def _check_date(call: SignedCall, now: datetime) -> None:
    date = call.headers.get("x-sdk-date", "")
    if abs(now - _parse_date(date)) > MAX_SKEW:
        raise BadSignatureError(f"signature expired, signature time:{date},server time:{now.strftime(_DATE_FORMAT)}")


def _parse_date(text: str) -> datetime:
    try:
        return datetime.strptime(text, _DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise BadSignatureError("X-Sdk-Date is missing, or does not have the form 20260131T235959Z") from error


def _canonical(call: SignedCall, names: Sequence[str], body: bytes) -> str:
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
