"""Signing in: who may call, and IAM's calls for a token and for the project.

Sources: IAM API reference ("Obtaining a User Token", "Querying Project Information"), 2026-04; Huawei Cloud, API
signing guide, "Error Codes".
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pulumi_dli.local.credentials import Credentials
from pulumi_dli.local.refusals import Refused
from pulumi_dli.local.signatures import BadSignatureError, SignedCall, verify
from pulumi_dli.local.submissions import read_json

TOKEN_LIFE = timedelta(hours=24)


class Keystone:
    """The one account. `now` gives the present time."""

    def __init__(self, credentials: Credentials, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.project_id = credentials.project_id
        self._credentials = credentials
        self._now = now
        self._issued: dict[str, datetime] = {}

    def check(self, call: SignedCall) -> None:
        """Look at the token or the signature of a call. Raises Refused."""
        token = call.headers.get("x-auth-token")
        if token is not None:
            self._check_token(token)
            return
        account = self._credentials
        try:
            verify(call, access_key=account.access_key, secret_key=account.secret_key, now=self._now())
        except BadSignatureError as error:
            raise Refused("APIGW.0301", f"Incorrect IAM authentication information: {error}.") from None

    def _check_token(self, token: str) -> None:
        if _equal(token, self._credentials.token):
            return
        expires = self._issued.get(token)
        if expires is None:
            raise Refused("APIGW.0301", "Incorrect IAM authentication information: the token is unknown.")
        if expires <= self._now():
            raise Refused("APIGW.0307", "The token must be updated.")

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/v3/auth/tokens", self.issue, methods=["POST"], name="/v3/auth/tokens"),
            Route("/v3/projects", self.projects, methods=["GET"], name="/v3/projects"),
            Route("/v3/auth/domains", self.domains, methods=["GET"], name="/v3/auth/domains"),
        ]

    async def issue(self, request: Request) -> Response:
        """Issue a token for user, password and project."""
        document = read_json(await request.body())
        if not self._is_ours(document):
            error = {"code": 401, "message": "The username or password is wrong.", "title": "Unauthorized"}
            return JSONResponse({"error": error}, 401)
        account, now = self._credentials, self._now()
        token, expires = secrets.token_urlsafe(48), now + TOKEN_LIFE
        self._issued[token] = expires
        domain = {"id": account.domain_id, "name": account.domain_name}
        body = {
            "methods": ["password"],
            "issued_at": _iso(now),
            "expires_at": _iso(expires),
            "project": {"id": account.project_id, "name": account.project_name, "domain": domain},
            "user": {"id": account.user_id, "name": account.username, "domain": domain},
            "roles": [{"id": "0", "name": "te_admin"}],
            "catalog": [],
        }
        return JSONResponse({"token": body}, 201, {"X-Subject-Token": token})

    def _is_ours(self, document: Any) -> bool:
        account = self._credentials
        match document:
            case {
                "auth": {
                    "identity": {
                        "methods": ["password"],
                        "password": {"user": {"name": str(name), "password": str(password), "domain": dict(domain)}},
                    },
                    "scope": {"project": dict(project)},
                }
            }:
                return (
                    _equal(name, account.username)
                    and _equal(password, account.password)
                    and _names(domain, account.domain_id, account.domain_name)
                    and _names(project, account.project_id, account.project_name)
                )
        return False

    async def projects(self, request: Request) -> Response:
        """List the projects; `name` chooses."""
        account = self._credentials
        project = {"id": account.project_id, "name": account.project_name, "domain_id": account.domain_id}
        chosen = request.query_params.get("name", account.project_name) == account.project_name
        return JSONResponse({"projects": [project | {"enabled": True}] if chosen else [], "links": {}})

    async def domains(self, _request: Request) -> Response:
        """List the domains of the user."""
        account = self._credentials
        domain = {"id": account.domain_id, "name": account.domain_name, "enabled": True}
        return JSONResponse({"domains": [domain], "links": {}})


def _equal(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


def _names(given: dict[str, Any], right_id: str, right_name: str) -> bool:
    """Tell whether an object names a thing, by its id or its name."""
    right = {"id": right_id, "name": right_name}
    said = given.keys() & right.keys()
    return bool(said) and all(given[key] == right[key] for key in said)


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
