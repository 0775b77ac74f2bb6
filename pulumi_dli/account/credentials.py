"""Credentials: the sets of settings that sign in. `credential_sources` finds one."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, PrivateAttr, SecretStr
from pydantic.fields import FieldInfo

from pulumi_dli.account.settings import Settings, names_of, sendable, setting

Name = Annotated[str, BeforeValidator(lambda value: str(value).strip())]
HeaderText = Annotated[str, BeforeValidator(sendable)]
HeaderSecret = Annotated[SecretStr, BeforeValidator(sendable)]
Secret = Annotated[SecretStr, BeforeValidator(lambda value: str(value).strip("\r\n"))]
"""A secret that may have any character, blanks around it included."""


class Credentials(BaseModel):
    """What signs in: one complete set, from one place. Sets are never mixed: keys of two clouds do not fit.

    In the environment the names of one set begin alike: `OS_`, `HW_` or `HUAWEICLOUD_SDK_`.
    """

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    parts: ClassVar[tuple[tuple[str, ...], ...]]
    """What a set has to have; of several fields together, one."""

    _source: str = PrivateAttr("")
    _project_id: str | None = PrivateAttr(None)
    _iam_endpoint: tuple[str, str] | None = PrivateAttr(None)

    def found(self, source: str, *, project_id: str | None, iam_endpoint: tuple[str, str] | None) -> Self:
        """Note where the set was found, in words, and what stands beside it there."""
        self._source, self._project_id, self._iam_endpoint = source, project_id, iam_endpoint
        return self

    @property
    def source(self) -> str:
        """Where the set was found, in words."""
        return self._source

    @property
    def project_id(self) -> str | None:
        """The project's id that stands beside the set in its source."""
        return self._project_id

    @property
    def iam_endpoint(self) -> tuple[str, str] | None:
        """The name and the value of the address of IAM that stands beside the set in its source."""
        return self._iam_endpoint


class Token(Credentials):
    """A token of Keystone."""

    parts = (("token",),)

    token: HeaderSecret = setting("token", "OS_TOKEN", "OS_AUTH_TOKEN", "HW_AUTH_TOKEN")
    """A Keystone token: of the project, and sent as it is, if the project's id is given; else exchanged for one."""


class KeyPair(Credentials):
    """An access key with its secret key (AK/SK), permanent or temporary."""

    parts = (("access_key",), ("secret_key",))

    access_key: HeaderText = setting("accessKey", "OS_ACCESS_KEY", "HW_ACCESS_KEY", "HUAWEICLOUD_SDK_AK")
    """The access key (AK)."""
    secret_key: HeaderSecret = setting("secretKey", "OS_SECRET_KEY", "HW_SECRET_KEY", "HUAWEICLOUD_SDK_SK")
    """The secret key (SK)."""
    security_token: HeaderSecret | None = setting(
        "securityToken", "OS_SECURITY_TOKEN", "HW_SECURITY_TOKEN", "HUAWEICLOUD_SDK_SECURITY_TOKEN"
    )
    """The security token that belongs to a temporary access key."""


class Password(Credentials):
    """A user with a password, and the domain (account) that the user is of."""

    parts = (("username",), ("password",), ("domain_name", "domain_id"))

    username: Name = setting("username", "OS_USERNAME", "HW_USER_NAME")
    """The name of the user."""
    password: Secret = setting("password", "OS_PASSWORD", "HW_USER_PASSWORD")
    """The password of the user."""
    domain_name: Name | None = setting("domainName", "OS_USER_DOMAIN_NAME", "OS_DOMAIN_NAME", "HW_DOMAIN_NAME")
    """The name of the domain (the account) that the user is of."""
    domain_id: Name | None = setting("domainId", "OS_USER_DOMAIN_ID", "OS_DOMAIN_ID", "HW_DOMAIN_ID")
    """The id of that domain, in place of its name."""


class ApplicationCredential(Credentials):
    """An application credential of Keystone. It is of one project."""

    parts = (("application_credential_id",), ("application_credential_secret",))

    application_credential_id: Name = setting("applicationCredentialId", "OS_APPLICATION_CREDENTIAL_ID")
    """The id of an application credential."""
    application_credential_secret: Secret = setting("applicationCredentialSecret", "OS_APPLICATION_CREDENTIAL_SECRET")
    """The secret of the application credential."""


class Cloud(Credentials):
    """A cloud of clouds.yaml, the file of OpenStack's tools."""

    parts = (("cloud",),)

    cloud: Name = setting("cloud", "OS_CLOUD")
    """The name of a cloud in clouds.yaml."""


CREDENTIALS: tuple[type[Credentials], ...] = (Token, KeyPair, Password, ApplicationCredential, Cloud)
"""The ways to sign in, in the order in which they count within one place."""


def declared() -> dict[str, FieldInfo]:
    """Give every setting as it is declared, by its name in Python."""
    models: tuple[type[BaseModel], ...] = (Settings, *CREDENTIALS)
    return {field: info for model in models for field, info in model.model_fields.items()}


def configuration_keys() -> list[str]:
    """Name every setting as the stack's configuration does, as in `dli:region`."""
    return [names_of(info)[0] for info in declared().values()]
