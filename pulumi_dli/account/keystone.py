"""Signs in with tokens of Keystone, the identity service. On both clouds, IAM is a Keystone.

keystoneauth1 does the work. It is imported only when it is used.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
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
    """Signs requests with a token of a project. Threads may share it.

    It gets a token from IAM at the first request and keeps it. It gets a new one two minutes before the token expires,
    and after the service refuses the token.

    Signing a request raises SignInError if IAM refuses, NotSentError if IAM does not answer, and SettingsError if the
    token does not belong to the project.

    Args:
        plugin: A plugin of keystoneauth1 for Keystone v3.
        source: Where the credentials were found, in words.
        verify: As in requests: True, False or the path of a file with certificates.
        timeout: Seconds for which IAM may send nothing before a call fails.
        project_id: The project to which the token must belong. None if any project will do.
        advice: A sentence for the error message if IAM refuses.
        observe: Receives the report of each call to IAM.
        name_of: Returns what a message calls a setting, by its key in the stack's configuration.
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
        name_of: Callable[[str], str] = str,
    ) -> None:
        from keystoneauth1.session import Session  # noqa: PLC0415

        super().__init__(source)
        self._plugin = plugin
        self._project_id = project_id
        self._advice = advice
        self._name_of = name_of
        self._session = Session(
            session=HttpSession(observe), verify=verify, timeout=timeout, redirect=False, user_agent=user_agent()
        )
        self._lock = threading.Lock()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header `X-Auth-Token`."""
        request.headers["X-Auth-Token"] = self._token_and_project()[0]
        return request

    @property
    def project_id(self) -> str:
        """The id of the project to which the token belongs. Reading it may call IAM, and raises as signing does."""
        return self._token_and_project()[1]

    def renew(self, refused: requests.PreparedRequest) -> bool:
        """Discard the refused token, unless another thread has already done so. Always return True."""
        with self._lock:
            known = self._plugin.auth_ref
            if known is not None and known.auth_token == refused.headers.get("X-Auth-Token"):
                self._plugin.invalidate()
        return True

    def _token_and_project(self) -> tuple[str, str]:
        """Return a valid token and the id of its project."""
        scope = self._plugin.project_id or self._plugin.project_name
        for_project = f", for project {scope}" if scope else ""
        call = f"POST {self._plugin.auth_url}/auth/tokens with {self._source}{for_project}"
        token, project_id = self._get_token(call)
        if project_id is None:
            raise SettingsError(
                f"{call}: the token belongs to no project. Set {self._name_of('dli:projectId')} or "
                f"{self._name_of('dli:projectName')}"
            )
        if self._project_id not in (None, project_id):
            raise SettingsError(
                f"{call}: the token belongs to project {project_id}, not to project {self._project_id}. Use "
                f"credentials of project {self._project_id}"
            )
        return token, project_id

    def _get_token(self, call: str) -> tuple[str, str | None]:
        """Return the token in use, or a new one from IAM, and the id of its project. Error messages name the `call`."""
        from keystoneauth1 import exceptions  # noqa: PLC0415

        try:
            with self._lock:
                access = self._plugin.get_access(self._session)
                return str(access.auth_token), access.project_id
        except exceptions.HttpError as error:
            assert error.response is not None  # noqa: S101  keystoneauth1 makes an HttpError from a response
            raise service_error(
                error.response, call, note=self._advice, kind=SignInError, name_of=self._name_of
            ) from error
        except exceptions.ConnectionError as error:
            host = urlsplit(self._plugin.auth_url).netloc
            raise NotSentError(
                f"{call}: no answer from {host}: {cause(error)}. Check {iam_setting(self._name_of)} and the network."
            ) from error
        except (
            exceptions.InvalidResponse,
            LookupError,
            TypeError,
            AttributeError,
            ValueError,
            RecursionError,
        ) as error:
            self._plugin.invalidate()
            raise NotSentError(
                f"{call}: the answer cannot be read. Check that {self._name_of('dli:authUrl')} is an address of IAM."
            ) from error
        except exceptions.ClientException as error:
            raise SettingsError(f"{call}: {error}") from error
        except OSError as error:
            raise certificates_error(call, error, self._name_of) from error


def iam_setting(name_of: Callable[[str], str]) -> str:
    """Return what the user has to check if there is no connection to IAM."""
    return f"the address of IAM ({name_of('dli:authUrl')}, or made from {name_of('dli:region')})"
