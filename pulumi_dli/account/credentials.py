"""The kinds of credentials, each a set of settings that signs in. `credential_sources` finds a set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, PrivateAttr, SecretStr
from pydantic.fields import FieldInfo

from pulumi_dli.account.same_cloud import Surroundings
from pulumi_dli.account.settings import Address, Settings, header_text, names_of, setting

Name = Annotated[str, BeforeValidator(lambda value: str(value).strip())]
HeaderText = Annotated[str, BeforeValidator(header_text)]
HeaderSecret = Annotated[SecretStr, BeforeValidator(header_text)]
Secret = Annotated[SecretStr, BeforeValidator(lambda value: str(value).strip("\r\n"))]
"""A secret with any characters. Blanks at its ends belong to it; line breaks at its ends do not."""


class Credentials(BaseModel):
    """One complete set of credentials. All its values come from one place, because keys of two clouds do not fit.

    In the environment, the variables of one set have the same prefix: `OS_`, `HW_` or `HUAWEICLOUD_SDK_`.
    """

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    parts: ClassVar[tuple[tuple[str, ...], ...]]
    """The required parts of a set. If a part names several fields, one of them is enough."""
    shared: ClassVar[tuple[str, ...]] = ()
    """Fields that other tools set too. They alone are no part of a set."""
    needless: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """For a field, the part that a set with this field does not need."""

    _source: str = PrivateAttr("")
    _surroundings: Surroundings = PrivateAttr(default_factory=Surroundings)
    _project_id: str | None = PrivateAttr(None)
    _iam_endpoint: Address | None = PrivateAttr(None)

    def with_origin(
        self, source: str, surroundings: Surroundings, *, project_id: str | None, iam_endpoint: Address | None
    ) -> Self:
        """Store where the set comes from and return the set. See the properties of the same names."""
        self._source, self._surroundings = source, surroundings
        self._project_id, self._iam_endpoint = project_id, iam_endpoint
        return self

    @property
    def source(self) -> str:
        """The names of the values and their place, in words, for error messages."""
        return self._source

    @property
    def surroundings(self) -> Surroundings:
        """The addresses and the region that are set beside the set."""
        return self._surroundings

    @property
    def project_id(self) -> str | None:
        """The id of the project in the same file, or None."""
        return self._project_id

    @property
    def iam_endpoint(self) -> Address | None:
        """IAM's address in the same file, or None. It may lack scheme and `/v3`."""
        return self._iam_endpoint


class Token(Credentials):
    """A token that Keystone has issued."""

    parts = (("token",),)

    token: HeaderSecret = setting("token", "OS_TOKEN", "OS_AUTH_TOKEN", "HW_AUTH_TOKEN")
    """A Keystone token. If `projectId` is set, the provider sends the token as it is: it must belong to that project.
    Otherwise the provider exchanges it for a token of the project.
    """


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
    """A user with a password, and the domain (account) to which the user belongs."""

    parts = (("username", "user_id"), ("password",), ("domain_name", "domain_id"))
    shared = parts[-1]
    needless = {"user_id": shared}  # the id of a user is unique in all domains

    username: Name | None = setting("username", "OS_USERNAME", "HW_USER_NAME")
    """The name of the user."""
    password: Secret = setting("password", "OS_PASSWORD", "HW_USER_PASSWORD")
    """The password of the user."""
    domain_name: Name | None = setting("domainName", "OS_USER_DOMAIN_NAME", "OS_DOMAIN_NAME", "HW_DOMAIN_NAME")
    """The name of the domain (the account) to which the user belongs."""
    domain_id: Name | None = setting("domainId", "OS_USER_DOMAIN_ID", "OS_DOMAIN_ID", "HW_DOMAIN_ID")
    """The id of that domain, in place of its name."""
    user_id: Name | None = setting("userId", "OS_USER_ID", "HW_USER_ID")
    """The id of the user, in place of the name. It needs no domain."""


class ApplicationCredential(Credentials):
    """An application credential of Keystone. It belongs to one project."""

    parts = (("application_credential_id",), ("application_credential_secret",))

    application_credential_id: Name = setting("applicationCredentialId", "OS_APPLICATION_CREDENTIAL_ID")
    """The id of the application credential."""
    application_credential_secret: Secret = setting("applicationCredentialSecret", "OS_APPLICATION_CREDENTIAL_SECRET")
    """The secret of the application credential."""


class Cloud(Credentials):
    """A cloud of clouds.yaml, the file of OpenStack's tools."""

    parts = (("cloud",),)

    cloud: Name = setting("cloud", "OS_CLOUD")
    """The name of a cloud in clouds.yaml."""


CREDENTIALS: tuple[type[Credentials], ...] = (Token, KeyPair, Password, ApplicationCredential, Cloud)
"""The kinds of credentials. If one place has several, the first kind counts."""


def declared() -> dict[str, FieldInfo]:
    """Return the declaration of every setting and credential, by its name in Python."""
    models: tuple[type[BaseModel], ...] = (Settings, *CREDENTIALS)
    return {field: info for model in models for field, info in model.model_fields.items()}


def configuration_keys() -> list[str]:
    """Return the key of every setting in the stack's configuration, for example `dli:region`."""
    return [names_of(info)[0] for info in declared().values()]
