"""Makes one HTTP call: signs it, sends it, repeats it if that is safe, and reads the answer or the error.

A call that reads or cancels is repeated after every error that may pass. A call that submits is repeated only if the
service cannot have carried it out: there was no connection, the sign-in failed, or the gateway answered 429.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from pydantic import ValidationError
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProxyError, SSLError

from pulumi_dli.api.error_bodies import parse_json, read_error_body, text_of
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
    """Makes the HTTP calls of one account. Threads may share a transport.

    Args:
        auth: Signs each request, also when it is sent again.
        policy: How long a call may take, and how often it is repeated.
        verify: As in requests: True, False or the path of a file with certificates.
        setting: What the user has to check if there is no connection, for the error message.
        observe: Receives the report of each call.
        name_of: Returns what a message calls a setting, by its key in the stack's configuration.
    """

    def __init__(
        self,
        auth: Auth,
        policy: RetryPolicy,
        *,
        verify: bool | str,
        setting: str,
        observe: CallObserver = log_call,
        name_of: Callable[[str], str] = str,
    ) -> None:
        self._auth = auth
        self._policy = policy
        self._verify = verify
        self._setting = setting
        self._name_of = name_of
        self._session = HttpSession(observe, policy.clock.now)
        self._date = ""

    @property
    def service_time(self) -> float | None:
        """The time of the last answer in seconds since 1970, by the clock of the service. None if it is unknown."""
        try:
            date = parsedate_to_datetime(self._date)
        except ValueError:
            return None
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()

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
        """Make a call, repeat it if its method and the error allow it, and return the answer.

        Raises ServiceError if the service refuses the call, SignInError if IAM refuses the sign-in, NotSentError if
        there is no connection, NoAnswerError if there is no usable answer, and SettingsError if the file with
        certificates does not exist.

        Args:
            model: The class of the answer.
            method: The HTTP method. A POST counts as a call that submits.
            url: The whole URL.
            name: The name of the call in error messages.
            body: The JSON body.
            max_retries: How often to repeat this call at most, instead of the policy's number.
        """
        return self._policy.repeat(
            lambda: self._call_once(model, method, url, name=name, body=body),
            submits=method == "POST",
            max_retries=max_retries,
        )

    def _call_once(self, model: type[Reply], method: str, url: str, *, name: str, body: dict[str, Any] | None) -> Reply:
        """Make a call and read its answer. If the sign-in has expired, sign in again and send the call once more."""
        response = self._send(method, url, name=name, body=body)
        error = self._explained_error(response, name)
        if error is not None and error.retry is RetryClass.AFTER_REAUTH and self._auth.renew(response.request):
            response = self._send(method, url, name=name, body=body)
            error = self._explained_error(response, name)
        if error is not None:
            raise error
        document = _parse_json(response)
        if document is None and method == "DELETE" and not response.content:
            document = {}
        try:
            return model.model_validate(document)
        except ValidationError as error:
            raise NoAnswerError(f"{name}: the answer cannot be read (status {response.status_code})") from error

    def _send(self, method: str, url: str, *, name: str, body: dict[str, Any] | None) -> requests.Response:
        try:
            response = self._session.request(
                method,
                url,
                data=None if body is None else json.dumps(body).encode(),
                headers={"Content-Type": "application/json", "Accept": "application/json", "X-Language": "en-us"},
                auth=self._auth,
                timeout=self._policy.timeout,
                verify=self._verify,  # per request, because REQUESTS_CA_BUNDLE overrides a session's verify
                allow_redirects=False,
            )
        except requests.RequestException as error:
            host = urlsplit(url).netloc
            if _was_never_sent(error):
                raise NotSentError(
                    f"{name}: no connection to {host}: {cause(error)}. Check {self._setting} and the network."
                ) from error
            raise NoAnswerError(f"{name}: no answer from {host}: {cause(error)}") from error
        except ValueError as error:  # requests parses the target of a redirect, also if it does not follow it
            raise NoAnswerError(f"{name}: the answer cannot be read: {cause(error)}") from error
        except OSError as error:
            raise certificates_error(name, error, self._name_of) from error
        self._date = response.headers.get("Date", "")
        return response

    def _explained_error(self, response: requests.Response, name: str) -> ServiceError | None:
        """Return the error of an answer, or None. If the sign-in may be the cause, it explains the credentials."""
        if 200 <= response.status_code < 300:
            return None
        error = service_error(response, name, name_of=self._name_of)
        if response.status_code in (401, 403) or error.retry is RetryClass.AFTER_REAUTH:
            return service_error(response, name, note=self._auth.explain(response), name_of=self._name_of)
        return error


def _was_never_sent(error: requests.RequestException) -> bool:
    """Return whether the call failed before the first byte of the request was sent."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.InvalidURL):
        return True
    reason: Any = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    if isinstance(reason, ProxyError):
        # urllib3 2 also raises ProxyError if a connection through a proxy is cut later, so look at the original error.
        reason = reason.original_error
        if str(reason).startswith("Tunnel connection failed"):  # http.client's text for a proxy that refuses
            return True
    if isinstance(reason, SSLError):
        return bool(reason.args) and isinstance(reason.args[0], ssl.SSLCertVerificationError)
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def certificates_error(call: str, error: OSError, name_of: Callable[[str], str]) -> SettingsError:
    """Return the error for a missing file of certificates. requests raises a plain OSError in this case."""
    return SettingsError(f"{call}: {error}. Check {name_of('dli:caCert')}, OS_CACERT and REQUESTS_CA_BUNDLE.")


def cause(error: BaseException) -> str:
    """Return the text of the innermost cause of an error, without the layers of the HTTP client."""
    innermost = error
    while (inner := innermost.__cause__ or innermost.__context__) is not None:
        if isinstance(inner, DliError):
            break  # an earlier failure: this call was made while the code handled it
        innermost = inner
    return str(innermost) or type(innermost).__name__


def _parse_json(response: requests.Response) -> Any:
    return parse_json(response.content, response.encoding)


def service_error(
    response: requests.Response,
    name: str,
    *,
    note: str = "",
    kind: type[ServiceError] = ServiceError,
    name_of: Callable[[str], str],
) -> ServiceError:
    """Return the error in an answer of DLI, of the gateway or of IAM. The body may have any form.

    Args:
        response: The answer, with a status that is not 2xx.
        name: The name of the call in the message.
        note: What this package knows about the cause, in sentences.
        kind: The class of the error.
        name_of: Returns what a message calls a setting, by its key in the stack's configuration.
    """
    document = _parse_json(response)
    code, message, request_id = read_error_body(document)
    if document is None:
        message = text_of(response.content, response.encoding)
    target = _redirect_target(response)
    error = kind(
        status=response.status_code,
        code="" if code == str(response.status_code) else code,
        message=f"it redirects to {target}" if target else message,
        call=name,
        request_id=request_id or response.headers.get("X-Request-Id", ""),
        note=note,
        name_of=name_of,
    )
    error.retry_after = _retry_after_seconds(response.headers.get("Retry-After"))
    return error


def _redirect_target(response: requests.Response) -> str:
    """Return the host to which an answer redirects, or an empty text. A URL may contain a token, so only the host."""
    try:
        host = urlsplit(response.headers.get("Location", "")).netloc if response.is_redirect else ""
    except ValueError:
        return ""
    return host.rpartition("@")[2]


def _retry_after_seconds(text: str | None) -> float | None:
    """Return the seconds of a Retry-After header. A date counts as absent: these services do not send one."""
    return float(text) if text is not None and text.isdecimal() else None
