"""Turns settings and credentials into the project's id and the object that signs its requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pulumi_dli.account.clouds_yaml import FoundCloud, find_cloud
from pulumi_dli.account.credentials import ApplicationCredential, Cloud, Credentials, KeyPair, Password, Token
from pulumi_dli.account.keystone import KeystoneAuth, iam_setting
from pulumi_dli.account.same_cloud import Surroundings, check_same_cloud
from pulumi_dli.account.settings import Address, Settings, header_text, iam_v3
from pulumi_dli.api.errors import SettingsError
from pulumi_dli.api.http_session import CallObserver, log_call
from pulumi_dli.api.location import Location, is_loopback
from pulumi_dli.api.models import WireModel
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.signing import Auth, KeyAuth, TokenAuth
from pulumi_dli.api.transport import Transport

if TYPE_CHECKING:
    from keystoneauth1.identity import v3


class _Project(WireModel):
    id: str
    name: str


class _Projects(WireModel):
    projects: list[_Project]


def unencrypted_message(url: str, source: str) -> str:
    """Return the warning that a call is not encrypted."""
    return (
        f"{url} ({source}) is not encrypted: everybody on the way can read and change the calls, also the credentials. "
        "Use https://."
    )


class SignIn:
    """The account that one process uses. Threads may share it.

    It calls IAM only when an answer is needed, and keeps the answer: all calls for a project share one token.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        policy: RetryPolicy,
        observe: CallObserver = log_call,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._warn = warn
        self._settings = settings
        self._credentials = credentials
        self._policy = policy
        self._observe = observe
        self._lock = threading.RLock()
        self._project_ids: dict[str | None, str] = {}
        self._auths: dict[tuple[str | None, str], Auth] = {}
        self._locations: dict[tuple[str | None, str], Location] = {}

    @property
    def region(self) -> str | None:
        """The region of the settings. If they have none, the region of the cloud in clouds.yaml."""
        if self._settings.region is None and isinstance(self._credentials, Cloud):
            return self._cloud.region
        return self._settings.region

    @property
    def verify(self) -> bool | str:
        """The argument `verify` of requests, from the settings or from the cloud in clouds.yaml."""
        if self._settings.verify is True and isinstance(self._credentials, Cloud):
            return self._cloud.verify
        return self._settings.verify

    def location(self, project_id: str, region: str | None) -> Location:
        """Return where the jobs of a project run. It is found and checked once, because every call of a job needs it.

        Raises SettingsError if DLI's address is unknown or not valid, or if it belongs to another cloud than the
        credentials.
        """
        key = region, project_id
        if key not in self._locations:  # no lock: to find it twice does no harm, and it may call `warn`
            self._locations[key] = self._find_location(project_id, region)
        return self._locations[key]

    def _find_location(self, project_id: str, region: str | None) -> Location:
        try:
            project_id = header_text(project_id)
        except ValueError as error:
            raise SettingsError(f"the project's id {error}") from error
        return Location(self._checked(self._settings.dli(region, self.region)).url, region, project_id)

    def _checked(self, address: Address) -> Address:
        """Return an address to which the credentials may go. Warn if the connection is not encrypted."""
        name_of = self._settings.place.name
        check_same_cloud(self._credentials.source, self._surroundings, address, name_of)
        if address.url.startswith("http://") and not is_loopback(address.url):
            self._warn(unencrypted_message(address.url, name_of(address.source)))
        return address

    @cached_property
    def _surroundings(self) -> Surroundings:
        beside = self._credentials.surroundings
        if not isinstance(self._credentials, Cloud):
            return beside
        of_cloud = Address(self._cloud.plugin.auth_url, f"auth_url of cloud {self._credentials.cloud}")
        return Surroundings((of_cloud,), beside=beside.beside, is_file=True)

    def project_id(self, region: str | None) -> str:
        """Return the id of the project: from the settings, from the credentials file, or from IAM, which is asked once.

        Raises SettingsError if the project cannot be found, and the errors of a call to IAM.
        """
        with self._lock:
            known = self.known_project_id(region)
            if known is None:
                known = self._project_ids[region] = self._find_project(region)
            return known

    def known_project_id(self, region: str | None) -> str | None:
        """Return the id of the project, or None if only a call to IAM can find it."""
        return self._settings.project_id or self._credentials.project_id or self._project_ids.get(region)

    def auth(self, project_id: str, region: str | None) -> Auth:
        """Return the object that signs the requests for a project. Raises SettingsError if IAM's address is missing."""
        with self._lock:
            key = region, project_id
            if key not in self._auths:
                self._auths[key] = self._make_auth(project_id, region)
            return self._auths[key]

    def _make_auth(self, project_id: str, region: str | None) -> Auth:
        match self._credentials:
            case Token(token=token):
                how = f"which is sent as it is and has to be a token of project {project_id}"
                return TokenAuth(token.get_secret_value(), source=f"{self._credentials.source}, {how}")
            case KeyPair() as key:
                return _key_auth(key, project_id)
        return self._keystone_auth(region, project_id)

    def _keystone_auth(self, region: str | None, project_id: str | None) -> KeystoneAuth:
        return KeystoneAuth(
            self._plugin(region, project_id),
            source=self._credentials.source,
            verify=self.verify,
            timeout=self._policy.timeout,
            project_id=project_id,
            advice=self._advice(),
            observe=self._observe,
            name_of=self._settings.place.name_with_owner,
        )

    def _advice(self) -> str:
        """Return a sentence for the error message if IAM refuses the sign-in."""
        match self._credentials:
            case Password():
                return "IAM gives the same answer for a wrong domain and for a wrong password."
            case Token():
                key = self._settings.place.name_with_owner("dli:projectId")
                return (
                    f"Where no id of a project is set ({key}), the token is exchanged for one of the project; it must "
                    "not have expired."
                )
        return ""

    def _plugin(self, region: str | None, project_id: str | None) -> v3.Auth:
        """Return the plugin of keystoneauth1 that gets a token for a project."""
        from keystoneauth1.identity import v3  # noqa: PLC0415

        # The plugin is changed below, so a cloud is read anew for each project.
        plugin = self._find_cloud().plugin if isinstance(self._credentials, Cloud) else self._unscoped_plugin(region)
        if isinstance(plugin, v3.ApplicationCredential):
            return plugin  # it belongs to one project; Keystone refuses a request that names a project too
        name = None if project_id else self._settings.project_name
        if not (project_id or name or plugin.has_scope_parameters):
            name = self._project_name(region)
        if project_id or name:
            plugin.project_id, plugin.project_name = project_id, name
        return plugin

    def _unscoped_plugin(self, region: str | None) -> v3.Auth:
        from keystoneauth1.identity import v3  # noqa: PLC0415

        iam = self._iam_address(region)
        if iam is None:
            raise SettingsError(
                f"no address of IAM: set {self._names('auth_url')}; or a region that is known, {self._names('region')}"
            )
        match self._credentials:
            case Password() as user:
                return v3.Password(
                    iam,
                    password=user.password.get_secret_value(),
                    username=user.username,
                    user_id=user.user_id,
                    user_domain_id=user.domain_id,
                    user_domain_name=user.domain_name,
                    project_domain_id=user.domain_id,
                    project_domain_name=user.domain_name,
                    include_catalog=False,
                )
            case ApplicationCredential() as own:
                return v3.ApplicationCredential(
                    iam,
                    application_credential_id=own.application_credential_id,
                    application_credential_secret=own.application_credential_secret.get_secret_value(),
                    include_catalog=False,
                )
            case Token(token=token):
                return v3.Token(iam, token=token.get_secret_value(), include_catalog=False)
        raise AssertionError(f"{type(self._credentials).__name__} is no way of Keystone")

    @cached_property
    def _cloud(self) -> FoundCloud:
        return self._find_cloud()

    def _find_cloud(self) -> FoundCloud:
        credentials = self._credentials
        assert isinstance(credentials, Cloud)  # noqa: S101
        return find_cloud(credentials.cloud, self._settings.region, credentials.source)

    def _iam_address(self, region: str | None) -> str | None:
        """Return the address of IAM: from the settings, from the credentials file, or from the region.

        Raises SettingsError if it is not valid, or if it belongs to another cloud than the credentials.
        """
        address = self._settings.iam(region)
        of_file = self._credentials.iam_endpoint
        if of_file and not self._settings.auth_url:
            address = replace(of_file, url=iam_v3(of_file.url, of_file.source))
        return self._checked(address).url if address else None

    def _names(self, field: str) -> str:
        """Return the names of a setting, for an error message."""
        return self._settings.sources_of(field)

    def _find_project(self, region: str | None) -> str:
        if isinstance(self._credentials, KeyPair):
            return self._find_project_by_name(self._credentials, region)
        auth = self._keystone_auth(region, None)
        project_id = self._policy.repeat(lambda: auth.project_id)
        self._auths[region, project_id] = auth
        return project_id

    def _find_project_by_name(self, key: KeyPair, region: str | None) -> str:
        name = self._project_name(region)
        iam = self._iam_address(region)
        if iam is None:
            raise SettingsError(
                f"no project: set {self._names('project_id')}; or the address of IAM, which finds it by its name: "
                f"{self._names('auth_url')}"
            )
        name_of = self._settings.place.name_with_owner
        transport = Transport(
            _key_auth(key, None),
            self._policy,
            verify=self.verify,
            setting=iam_setting(name_of),
            observe=self._observe,
            name_of=name_of,
        )
        found = transport.call(
            _Projects, "GET", f"{iam}/projects?{urlencode({'name': name})}", name=f"GET {iam}/projects"
        )
        ids = [project.id for project in found.projects if project.name == name]
        if len(ids) != 1:
            which = (
                f"{len(ids)} projects have the name {name!r}: {', '.join(ids)}" if ids else "no project has this name"
            )
            whose = "" if self._settings.project_name else ", which is the name of the region"
            raise SettingsError(
                f"no project: IAM ({iam}) was asked for the name {name!r}{whose}: {which}. Set "
                f"{self._names('project_id')}; or the name, {self._names('project_name')}"
            )
        return ids[0]

    def _project_name(self, region: str | None) -> str:
        """Return the name of the project. By default it is the region: both clouds name the first project after it."""
        name = self._settings.project_name or region
        if name is None:
            raise SettingsError(
                f"no project: set {self._names('project_id')}; or its name, {self._names('project_name')}. The console "
                "shows both under My Credentials"
            )
        return name


def _key_auth(key: KeyPair, project_id: str | None) -> KeyAuth:
    return KeyAuth(
        key.access_key,
        key.secret_key.get_secret_value(),
        security_token=key.security_token.get_secret_value() if key.security_token else None,
        project_id=project_id,
        source=key.source,
    )
