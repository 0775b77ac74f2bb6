"""One call over HTTP: sent, signed, repeated as far as that is allowed, and its answer read or its error told.

A call that only reads, or cancels, is repeated after whatever may pass. A call that submits is sent once; it is
repeated only where it cannot have been carried out: the connection was never made, nobody was signed in, or the
gateway said 429.
"""

from __future__ import annotations

import json
import ssl
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from pydantic import ValidationError
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProxyError, SSLError

from pulumi_dli.api.error_codes import RetryClass
from pulumi_dli.api.errors import (
    DliError,
    NoAnswerError,
    NotSentError,
    ServiceError,
    SettingsError,
)
from pulumi_dli.api.http_session import CallObserver, HttpSession, log_call
from pulumi_dli.api.models import WireModel
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.signing import Auth

Reply = TypeVar("Reply", bound=WireModel)


class Transport:
    """Calls of one account. Threads may share it.

    `auth` signs every request anew. `verify` is as in requests: True, False or a file of certificates. `setting` names
    what to check where there is no connection. `observe` takes the report of each call.
    """

    def __init__(
        self,
        auth: Auth,
        policy: RetryPolicy,
        *,
        verify: bool | str,
        setting: str,
        observe: CallObserver = log_call,
    ) -> None:
        self._auth = auth
        self._policy = policy
        self._verify = verify
        self._setting = setting
        self._session = HttpSession(observe, policy.clock.now)

    def call(
        self,
        model: type[Reply],
        method: str,
        url: str,
        *,
        name: str,
        body: dict[str, Any] | None = None,
        max_retries: int | None = None,
    ) -> Reply:
        """Make a call, repeating it as its method and the error allow, and read its answer. Errors call it `name`.

        Raises ServiceError where the service says no, SignInError where IAM does, NotSentError where no connection
        could be made, NoAnswerError where there was no usable answer, and SettingsError where the file of certificates
        is not there.
        """
        return self._policy.repeat(
            lambda: self._signed_in(model, method, url, name=name, body=body),
            submits=method == "POST",
            max_retries=max_retries,
        )

    def _signed_in(self, model: type[Reply], method: str, url: str, *, name: str, body: dict[str, Any] | None) -> Reply:
        """Make a call; where the sign-in has run out, get a new one and make it once more: it was not carried out."""
        response = self._send(method, url, name=name, body=body)
        error = _error_of(response, name, self._auth)
        if error is not None and error.retry is RetryClass.AFTER_REAUTH and self._auth.renew(response.request):
            response = self._send(method, url, name=name, body=body)
            error = _error_of(response, name, self._auth)
        if error is not None:
            raise error
        document = _json_of(response)
        if document is None and method == "DELETE" and not response.content:
            document = {}
        try:
            return model.model_validate(document)
        except ValidationError as error:
            raise NoAnswerError(f"{name}: {response.status_code} with an answer that cannot be read") from error

    def _send(self, method: str, url: str, *, name: str, body: dict[str, Any] | None) -> requests.Response:
        try:
            return self._session.request(
                method,
                url,
                data=None if body is None else json.dumps(body).encode(),
                headers={"Content-Type": "application/json", "Accept": "application/json", "X-Language": "en-us"},
                auth=self._auth,
                timeout=self._policy.timeout,
                verify=self._verify,  # given here, since of a session REQUESTS_CA_BUNDLE would come before it
                allow_redirects=False,
            )
        except requests.RequestException as error:
            host = urlsplit(url).netloc
            if _was_never_sent(error):
                raise NotSentError(
                    f"{name}: no connection to {host}: {cause(error)}. Check {self._setting} and the network."
                ) from error
            raise NoAnswerError(f"{name}: no answer from {host}: {cause(error)}") from error
        except OSError as error:
            raise no_certificates(name, error) from error


def _error_of(response: requests.Response, name: str, auth: Auth) -> ServiceError | None:
    if 200 <= response.status_code < 300:
        return None
    error = service_error(response, name)
    if response.status_code in (401, 403) or error.retry is RetryClass.AFTER_REAUTH:
        return service_error(response, name, note=auth.explain(response))
    return error


def _was_never_sent(error: requests.RequestException) -> bool:
    """True where the failure came before the first byte of the request could leave."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.InvalidURL):
        return True
    reason: Any = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    if isinstance(reason, ProxyError):
        # A connection through a proxy that is cut later is one too (urllib3 2: it forgets that it was connected).
        reason = reason.original_error
        if str(reason).startswith("Tunnel connection failed"):  # http.client's words where a proxy says no
            return True
    if isinstance(reason, SSLError):
        return bool(reason.args) and isinstance(reason.args[0], ssl.SSLCertVerificationError)
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def no_certificates(call: str, error: OSError) -> SettingsError:
    """Make the error for a file of certificates that is not there: requests says it with an OSError of its own."""
    return SettingsError(f"{call}: {error}. Check dli:caCert, OS_CACERT and REQUESTS_CA_BUNDLE.")


def cause(error: BaseException) -> str:
    """Say in a few words what lies under the layers of the HTTP client."""
    seen = error
    while (inner := seen.__cause__ or seen.__context__) is not None:
        if isinstance(inner, DliError):
            break  # an earlier failure, during whose handling this call was made
        seen = inner
    return str(seen) or type(seen).__name__


def _json_of(response: requests.Response) -> Any:
    """Read a JSON answer; None for what is none, or is nested too deep to be one.

    Half of a surrogate pair is JSON, but no text, and nobody takes it: it is replaced.
    """
    try:
        document = response.json()
        if b"\\ud" in response.content.lower():
            return json.loads(json.dumps(document, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    return document


def service_error(
    response: requests.Response, name: str, *, note: str = "", kind: type[ServiceError] = ServiceError
) -> ServiceError:
    """Read an error answer, of DLI, of the gateway or of IAM, whatever its body is."""
    document = _json_of(response)
    code, message, request_id = _read_error(document)
    error = kind(
        status=response.status_code,
        code="" if code == str(response.status_code) else code,
        message=message or (" ".join(response.text.split())[:200] if document is None else ""),
        call=name,
        request_id=request_id or response.headers.get("X-Request-Id", ""),
        note=note,
    )
    error.retry_after = _seconds(response.headers.get("Retry-After"))
    return error


def _seconds(text: str | None) -> float | None:
    """Read a Retry-After of seconds; one that is a date is not used by these services."""
    return float(text) if text is not None and text.isdecimal() else None


_ERROR_KEYS = (("error_code", "error_msg"), ("errorCode", "errorMsg"), ("code", "message"))


def _read_error(document: Any) -> tuple[str, str, str]:
    """Find code, message and request id in an error body: DLI's, the gateway's, IAM's, or one inside another."""
    if not isinstance(document, dict):
        return "", "", ""
    request_id = str(document.get("request_id") or "")
    found = _code_and_message(document)
    if found is not None:
        return *found, request_id
    for value in document.values():
        code, message, inner_id = _read_error(value)
        if code or message:
            return code, message, request_id or inner_id
    return "", str(document.get("message") or ""), request_id


def _code_and_message(document: dict[str, Any]) -> tuple[str, str] | None:
    """Find code and message on the outermost level of an error body. A `code` without a message is not an error's."""
    for code_key, message_key in _ERROR_KEYS:
        code, message = document.get(code_key), document.get(message_key)
        if code is not None and (message is not None or code_key != "code"):
            return str(code), str(message or "")
    return None
