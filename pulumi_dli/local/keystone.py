"""IAM: the check of credentials, and the calls for tokens, temporary keys and the project.

Sources: IAM API reference, 2026-01 ("Obtaining a User Token Through Password Authentication", "Obtaining a Scoped
Token", "Deleting a User Token", "Obtaining a Temporary AK/SK", "Querying Project Information"); Huawei Cloud, API
signing guide, "Error Codes"; API Gateway user guide, "Common Errors Related to IAM Authentication Information". Neither
cloud documents application credentials, so they follow OpenStack's Keystone. Two answers are a guess: the gateway's to
a token without a project, and IAM's to a foreign project.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pulumi_dli.local.credentials import Credentials, make_secret
from pulumi_dli.local.errors import ApiError
from pulumi_dli.local.signatures import BadSignatureError, BodyCheck, Signature, SignedCall, WrongSignatureError
from pulumi_dli.local.submissions import read_json

TOKEN_LIFE = timedelta(hours=24)
LOCK_AFTER = 5
"""The number of wrong signatures in a row that locks a key."""
LOCK_TIME = timedelta(minutes=5)
KEY_LIFE = (900, 86400)
"""The lifetime of a temporary key in seconds: the minimum, which is the default, and the maximum."""


@dataclass(frozen=True)
class _Token:
    expires: datetime | None
    is_of_project: bool


@dataclass
class _Key:
    secret: str
    security_token: str | None = None
    expires: datetime | None = None
    failures: int = 0
    locked_until: datetime | None = None


@contextmanager
def _as_api_error() -> Iterator[None]:
    """Raise a bad signature as the gateway answers it."""
    try:
        yield
    except BadSignatureError as error:
        raise ApiError("APIGW.0301", f"Incorrect IAM authentication information: {error}.") from error


class _IamError(Exception):
    """IAM refuses a call with an HTTP status and a message."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Keystone:
    """The tokens and keys of the single account. `now` returns the current time."""

    def __init__(self, credentials: Credentials, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.project_id = credentials.project_id
        self._credentials = credentials
        self._now = now
        self._tokens = {credentials.token: _Token(expires=None, is_of_project=True)}
        self._keys = {credentials.access_key: _Key(credentials.secret_key)}

    def authenticate(self, call: SignedCall) -> BodyCheck | None:
        """Check the token of a call, or what its headers tell of its signature. Raises ApiError.

        A token does not cover the body, so the call is then authenticated. For a signature, return the check of the
        body, without which nothing is proved. It raises ApiError too.
        """
        token = call.headers.get("x-auth-token")
        if token is not None:
            self._check_token(token, call.path)
            return None
        with _as_api_error():
            signature = Signature.parse(call)
            key = self._keys.get(signature.access_key)
            if key is None:
                raise BadSignatureError("Get secretKey failed, err:ak not exist")
            self._check_lock(key)
            signature.check_headers(key.security_token, self._now())
            self._check_expiry(key)
            return partial(self._verify, signature, key)

    def _check_token(self, text: str, path: str) -> None:
        token = self._tokens.get(text)
        if token is None:
            raise ApiError("APIGW.0301", "Incorrect IAM authentication information: decrypt token fail.")
        if self._is_expired(token.expires):
            raise ApiError("APIGW.0307", "The token must be updated.")
        if not token.is_of_project and not path.startswith("/v3"):
            raise ApiError("APIGW.0302", "The IAM user is not authorized to access the API: the token has no project.")

    def _verify(self, signature: Signature, key: _Key, body: bytes) -> None:
        """Check a signature. Too many wrong ones in a row lock the key, for right signatures, too."""
        with _as_api_error():
            self._check_lock(key)  # again, because other calls may have locked it while the body came
            try:
                signature.verify(body, key.secret)
            except WrongSignatureError:
                key.failures += 1
                if key.failures == LOCK_AFTER:
                    key.failures, key.locked_until = 0, self._now() + LOCK_TIME
                raise
            key.failures = 0
            self._check_expiry(key)

    def _check_lock(self, key: _Key) -> None:
        if not self._is_expired(key.locked_until, default=True):
            raise BadSignatureError("AK access failed to reach the limit,forbidden")

    def _check_expiry(self, key: _Key) -> None:
        if self._is_expired(key.expires):
            raise BadSignatureError("the security token has expired")

    def _is_expired(self, time: datetime | None, *, default: bool = False) -> bool:
        return default if time is None else time <= self._now()

    def routes(self) -> list[Route]:
        tokens, keys = "/v3/auth/tokens", "/v3.0/OS-CREDENTIAL/securitytokens"
        return [
            Route(tokens, self.issue, methods=["POST"], name=tokens),
            Route(tokens, self.revoke, methods=["DELETE"], name=tokens),
            Route(keys, self.issue_key, methods=["POST"], name=keys),
            Route("/v3/projects", self.projects, methods=["GET"], name="/v3/projects"),
            Route("/v3/auth/domains", self.domains, methods=["GET"], name="/v3/auth/domains"),
        ]

    async def issue(self, request: Request) -> Response:
        """Issue a token for a password, a token or an application credential."""
        account, now = self._credentials, self._now()
        try:
            method, scope = self._authenticate(read_json(await request.body()))
        except _IamError as error:
            return _error_response(error)
        text, token = make_secret(64), _Token(now + TOKEN_LIFE, is_of_project=scope == "project")
        self._tokens[text] = token
        domain = {"id": account.domain_id, "name": account.domain_name}
        project = {"id": account.project_id, "name": account.project_name, "domain": domain}
        scopes: dict[str, Any] = {"project": {"project": project}, "domain": {"domain": domain}}
        body = {
            "methods": [method],
            "issued_at": _iso(now),
            "expires_at": _iso(now + TOKEN_LIFE),
            **scopes.get(scope, {}),
            "user": {"id": account.user_id, "name": account.username, "domain": domain},
            "roles": [{"id": "0", "name": "te_admin"}],
            "catalog": [],
        }
        return JSONResponse({"token": body}, 201, {"X-Subject-Token": text})

    def _authenticate(self, document: Any) -> tuple[str, str]:
        """Return the method of the sign-in and the scope of the new token. Raises _IamError."""
        match document:
            case {"auth": {"identity": dict(identity), **rest}}:
                return self._authenticate_identity(identity, rest.get("scope"))
        raise _IamError(HTTPStatus.BAD_REQUEST, "Request body is invalid.")

    def _authenticate_identity(self, identity: dict[str, Any], scope: Any) -> tuple[str, str]:
        match identity:
            case {"methods": ["password"], "password": {"user": dict(user)}}:
                self._check_password(user)
                return "password", self._scope(scope)
            case {"methods": ["token"], "token": {"id": str(text)}}:
                self._check_exchanged_token(text)
                return "token", self._scope(scope)
            case {
                "methods": ["application_credential"],
                "application_credential": {"id": str(name), "secret": str(secret)},
            }:
                self._check_application_credential(name, secret, scope)
                return "application_credential", "project"
        raise _IamError(HTTPStatus.BAD_REQUEST, "Request body is invalid.")

    def _check_password(self, user: dict[str, Any]) -> None:
        account = self._credentials
        match user:
            case {"id": str(user_id), "password": str(password)}:
                is_ours = _is_same_secret(user_id, account.user_id)
            case {"name": str(name), "password": str(password), "domain": dict(domain)}:
                is_domain = _identifies(domain, account.domain_id, account.domain_name)
                is_ours = _is_same_secret(name, account.username) and is_domain
            case _:
                raise _IamError(HTTPStatus.BAD_REQUEST, "Request body is invalid.")
        if not (_is_same_secret(password, account.password) and is_ours):
            raise _IamError(HTTPStatus.UNAUTHORIZED, "The username or password is wrong.")

    def _check_exchanged_token(self, text: str) -> None:
        token = self._tokens.get(text)
        if token is None or self._is_expired(token.expires):
            raise _IamError(HTTPStatus.UNAUTHORIZED, "The token is not valid or has expired.")

    def _check_application_credential(self, name: str, secret: str, scope: Any) -> None:
        account = self._credentials
        if scope is not None:
            raise _IamError(HTTPStatus.BAD_REQUEST, "An application credential must not be given a scope.")
        is_ours = _is_same_secret(name, account.application_credential_id)
        if not (is_ours and _is_same_secret(secret, account.application_credential_secret)):
            raise _IamError(HTTPStatus.UNAUTHORIZED, "The application credential is not valid.")

    def _scope(self, scope: Any) -> str:
        account = self._credentials
        match scope:
            case None | "unscoped":
                return ""
            case {"project": dict(project)}:
                if not _identifies(project, account.project_id, account.project_name):
                    raise _IamError(HTTPStatus.UNAUTHORIZED, "The project is not one of this user.")
                return "project"
            case {"domain": dict(domain)} if _identifies(domain, account.domain_id, account.domain_name):
                return "domain"
        raise _IamError(HTTPStatus.BAD_REQUEST, "The scope is invalid.")

    async def revoke(self, request: Request) -> Response:
        """Revoke a token. The caller authenticates with this token or another one."""
        caller = self._tokens.get(request.headers.get("X-Auth-Token", ""))
        if caller is None or self._is_expired(caller.expires):
            return _error_response(
                _IamError(HTTPStatus.UNAUTHORIZED, "The request you have made requires authentication.")
            )
        if self._tokens.pop(request.headers.get("X-Subject-Token", ""), None) is None:
            return _error_response(_IamError(HTTPStatus.NOT_FOUND, "Could not find the token."))
        return Response(status_code=204)

    async def issue_key(self, request: Request) -> Response:
        """Issue a temporary key with its security token."""
        match read_json(await request.body()):
            case {"auth": {"identity": {"methods": ["token"], **rest}}}:
                given = rest.get("token")
                seconds = given.get("duration_seconds", KEY_LIFE[0]) if isinstance(given, dict) else KEY_LIFE[0]
            case _:
                return _error_response(_IamError(HTTPStatus.BAD_REQUEST, "Request body is invalid."))
        if type(seconds) is not int or not KEY_LIFE[0] <= seconds <= KEY_LIFE[1]:
            return _error_response(_IamError(HTTPStatus.BAD_REQUEST, "duration_seconds must be from 900 to 86400."))
        name, expires = "LOCAL" + secrets.token_hex(8).upper(), self._now() + timedelta(seconds=seconds)
        key = self._keys[name] = _Key(make_secret(40), make_secret(64), expires)
        credential = {"access": name, "secret": key.secret, "securitytoken": key.security_token}
        return JSONResponse({"credential": credential | {"expires_at": _iso(expires)}}, 201)

    async def projects(self, request: Request) -> Response:
        """List the projects, or those with a `name`."""
        account = self._credentials
        project = {"id": account.project_id, "name": account.project_name, "domain_id": account.domain_id}
        chosen = request.query_params.get("name", account.project_name) == account.project_name
        return JSONResponse({"projects": [project | {"enabled": True}] if chosen else [], "links": {}})

    async def domains(self, _request: Request) -> Response:
        """List the domains of the user."""
        account = self._credentials
        domain = {"id": account.domain_id, "name": account.domain_name, "enabled": True}
        return JSONResponse({"domains": [domain], "links": {}})


def _error_response(error: _IamError) -> Response:
    content = {"code": error.status.value, "message": str(error), "title": error.status.phrase}
    return JSONResponse({"error": content}, error.status.value)


def _is_same_secret(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


def _identifies(given: dict[str, Any], right_id: str, right_name: str) -> bool:
    """Return whether an object names a domain or project by its id, its name or both."""
    right = {"id": right_id, "name": right_name}
    said = given.keys() & right.keys()
    return bool(said) and all(given[key] == right[key] for key in said)


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
