"""Signing in with a token that Keystone, the identity service, issues: IAM on both clouds.

The work is keystoneauth1's. It is imported when it is used.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from pulumi_dli.api.errors import NotSentError, SettingsError, SignInError
from pulumi_dli.api.http_session import CallObserver, HttpSession, log_call, user_agent
from pulumi_dli.api.signing import Auth
from pulumi_dli.api.transport import cause, certificates_error, service_error

if TYPE_CHECKING:
    from keystoneauth1.identity import v3


class KeystoneAuth(Auth):
    """Signs in with a token of a project, issued when it is needed and kept while it is good.

    `plugin` is one of keystoneauth1 for Keystone v3. The token is renewed two minutes before its end, and when the
    service refuses it. `project_id` is the project that it has to be of, if that is known; `advice` is said where IAM
    says no. `observe` takes the report of each call to IAM. Threads may share it.

    Signing a request raises SignInError where IAM says no, NotSentError where it does not answer, and SettingsError
    where its token is not of the project.
    """

    def __init__(
        self,
        plugin: v3.Auth,
        *,
        source: str,
        verify: bool | str,
        timeout: float,
        project_id: str | None = None,
        advice: str = "",
        observe: CallObserver = log_call,
    ) -> None:
        from keystoneauth1.session import Session  # noqa: PLC0415

        super().__init__(source)
        self._plugin = plugin
        self._project_id = project_id
        self._advice = advice
        self._session = Session(
            session=HttpSession(observe), verify=verify, timeout=timeout, redirect=False, user_agent=user_agent()
        )
        self._lock = threading.Lock()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token."""
        request.headers["X-Auth-Token"] = self._token()[0]
        return request

    @property
    def project_id(self) -> str:
        """The project that the token is of."""
        return self._token()[1]

    def renew(self, refused: requests.PreparedRequest) -> bool:
        """Give up the token that was refused, if no other thread has done so by now."""
        with self._lock:
            known = self._plugin.auth_ref
            if known is not None and known.auth_token == refused.headers.get("X-Auth-Token"):
                self._plugin.invalidate()
        return True

    def _token(self) -> tuple[str, str]:
        """Give the token and the id of its project."""
        scope = self._plugin.project_id or self._plugin.project_name
        whose = f", for project {scope}" if scope else ""
        call = f"POST {self._plugin.auth_url}/auth/tokens with {self._source}{whose}"
        token, project_id = self._issued(call)
        if project_id is None:
            raise SettingsError(f"{call}: the token is of no project. Set dli:projectId or dli:projectName")
        if self._project_id not in (None, project_id):
            raise SettingsError(
                f"{call}: the token is of project {project_id}, but project {self._project_id} is asked for. Use "
                "credentials of that project"
            )
        return token, project_id

    def _issued(self, call: str) -> tuple[str, str | None]:
        """Have a token issued, unless there is a good one. Errors name the `call`."""
        from keystoneauth1 import exceptions  # noqa: PLC0415

        try:
            with self._lock:
                access = self._plugin.get_access(self._session)
                return str(access.auth_token), access.project_id
        except exceptions.HttpError as error:
            assert error.response is not None  # noqa: S101  it is what the error was made of
            raise service_error(error.response, call, note=self._advice, kind=SignInError) from error
        except exceptions.ConnectionError as error:
            host = urlsplit(self._plugin.auth_url).netloc
            raise NotSentError(
                f"{call}: no answer from {host}: {cause(error)}. Check the address of IAM (dli:authUrl, or made from "
                "dli:region) and the network."
            ) from error
        except (exceptions.InvalidResponse, KeyError, TypeError, AttributeError, ValueError) as error:
            self._plugin.invalidate()
            raise NotSentError(
                f"{call}: an answer that cannot be read. Check that the address of IAM is one (dli:authUrl)."
            ) from error
        except exceptions.ClientException as error:
            raise SettingsError(f"{call}: {error}") from error
        except OSError as error:
            raise certificates_error(call, error) from error
