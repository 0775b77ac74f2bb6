"""Credentials: what signs in. One complete set of settings, from the first place that has any part of one.

The places are the stack's configuration, the environment, and the file of Huawei Cloud's SDK (`[basic] …`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, PrivateAttr, SecretStr
from pydantic.fields import FieldInfo

from pulumi_dli.account.settings import NAMESPACE, Settings, is_blank, names_of, read_model, sendable, setting
from pulumi_dli.api.errors import SettingsError

_FILE = "~/.huaweicloud/credentials"
_FILE_VARIABLE = "HUAWEICLOUD_SDK_CREDENTIALS_FILE"
_FILE_BEGINNING = "[basic] "

Name = Annotated[str, BeforeValidator(lambda value: str(value).strip())]
HeaderText = Annotated[str, BeforeValidator(sendable)]
HeaderSecret = Annotated[SecretStr, BeforeValidator(sendable)]
Secret = Annotated[SecretStr, BeforeValidator(lambda value: str(value).strip("\r\n"))]
"""A secret that may have any character, blanks around it included."""


class Credentials(BaseModel):
    """What signs in: one complete set, from one place. Sets are never mixed: keys of two clouds do not fit.

    The settings of a set have names that begin alike: `dli:`, `OS_`, `HW_`, `HUAWEICLOUD_SDK_` or `[basic] `.
    """

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    parts: ClassVar[tuple[tuple[str, ...], ...]]
    """What a set has to have; of several fields together, one."""

    _source: str = PrivateAttr("")
    _beside: Mapping[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def source(self) -> str:
        """Where the set was found, in words."""
        return self._source

    @property
    def project_id(self) -> str | None:
        """The project's id that stands beside the set in its file."""
        return self._beside.get("[basic] project_id") or None

    @property
    def iam_endpoint(self) -> str | None:
        """The address of IAM that stands beside the set in its file."""
        return self._beside.get("[basic] iam_endpoint") or None

    @staticmethod
    def load(stack_configuration: Mapping[str, Any]) -> Credentials:
        """Read the credentials: one complete set, from the first place that has any part of one.

        Raises SettingsError where there are none, naming every place that was looked at, or where a set is not whole.
        """
        looked_at = []
        for source in _sources(stack_configuration):
            for kind in CREDENTIALS:
                for beginning in source.beginnings:
                    found = kind._from(source, beginning)
                    if found is not None:
                        return found
            looked_at.append(source.listed())
        raise SettingsError(
            f"no credentials. Looked at, in this order: {'; '.join(looked_at)}. Set a token; or an access key with its "
            "secret key; or user, password and domain; or an application credential; or a cloud of clouds.yaml"
        )

    @classmethod
    def _from(cls, source: _Source, beginning: str) -> Credentials | None:
        """Take a set from a source. None where nothing of it is there; a domain alone is nothing of it."""
        names = {field: names_of(info, beginning) for field, info in cls.model_fields.items()}
        given = {
            name: source.values[name] for of in names.values() for name in of if not is_blank(source.values.get(name))
        }
        either = {field for part in cls.parts if len(part) > 1 for field in part}
        if not any(name in given for field, of in names.items() if field not in either for name in of):
            return None
        missing = [
            _either(name for field in part for name in names[field])
            for part in cls.parts
            if not any(name in given for field in part for name in names[field])
        ]
        if missing:
            raise SettingsError(
                f"half a set of credentials {source.label}: {_and(given)} without {_and(missing)}. A set comes from "
                "one place as a whole"
            )
        credentials = read_model(cls, given, given)
        credentials._source = f"{_and(given)} {source.label}"
        credentials._beside = source.values if beginning == _FILE_BEGINNING else {}
        return credentials


class Token(Credentials):
    """A token of Keystone."""

    parts = (("token",),)

    token: HeaderSecret = setting("token", "OS_TOKEN", "OS_AUTH_TOKEN", "HW_AUTH_TOKEN")
    """A Keystone token: of the project, and sent as it is, if the project's id is given; else exchanged for one."""


class KeyPair(Credentials):
    """An access key with its secret key (AK/SK), permanent or temporary."""

    parts = (("access_key",), ("secret_key",))

    access_key: HeaderText = setting("accessKey", "OS_ACCESS_KEY", "HW_ACCESS_KEY", "HUAWEICLOUD_SDK_AK", "[basic] ak")
    """The access key (AK)."""
    secret_key: HeaderSecret = setting(
        "secretKey", "OS_SECRET_KEY", "HW_SECRET_KEY", "HUAWEICLOUD_SDK_SK", "[basic] sk"
    )
    """The secret key (SK)."""
    security_token: HeaderSecret | None = setting(
        "securityToken",
        "OS_SECURITY_TOKEN",
        "HW_SECURITY_TOKEN",
        "HUAWEICLOUD_SDK_SECURITY_TOKEN",
        "[basic] security_token",
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


@dataclass(frozen=True)
class _Source:
    """A place where credentials may be. `label` says where, in words, `remark` what was found instead of them."""

    label: str
    beginnings: tuple[str, ...]
    values: Mapping[str, Any]
    remark: str = ""

    def listed(self) -> str:
        """Name all that was looked for here, in order."""
        sets = (
            _with([_either(self._marked(part, kind, beginning)) for part in kind.parts])
            for kind in CREDENTIALS
            for beginning in self.beginnings
            if all(names_of(kind.model_fields[field], beginning) for part in kind.parts for field in part[:1])
        )
        return f"{self.label}{self.remark} {', '.join(sets)}"

    def _marked(self, part: tuple[str, ...], kind: type[Credentials], beginning: str) -> Iterable[str]:
        for field in part:
            for name in names_of(kind.model_fields[field], beginning):
                if name in self.values:  # what is set here is blank, or a domain without a user
                    yield f"{name} ({'empty' if is_blank(self.values[name]) else 'set'})"
                else:
                    yield name


def _sources(stack: Mapping[str, Any]) -> Iterator[_Source]:
    yield _Source("in the stack's configuration", (f"{NAMESPACE}:",), stack, " (pulumi config set --secret)")
    yield _Source("in the environment", ("OS_", "HW_", "HUAWEICLOUD_SDK_"), os.environ)
    yield _credentials_file()


def _credentials_file() -> _Source:
    """Read the file of Huawei Cloud's SDK. Raises SettingsError for one that cannot be read, without showing it."""
    name = os.environ.get(_FILE_VARIABLE) or _FILE
    parser = ConfigParser(interpolation=None)
    values, remark = {}, ""
    try:
        with Path(name).expanduser().open(encoding="utf-8") as file:
            parser.read_file(file)
        values = {f"{_FILE_BEGINNING}{key}": value for key, value in parser["basic"].items()}
    except FileNotFoundError:
        remark = ", which is not there,"
    except KeyError:
        remark = ", which has no section [basic],"
    except (OSError, UnicodeDecodeError, ConfigParserError) as error:
        raise SettingsError(
            f"the file {name} cannot be read ({type(error).__name__}). It is an INI file with a section [basic]"
        ) from None
    return _Source(f"in the file {name}", (_FILE_BEGINNING,), values, remark)


def declared() -> dict[str, FieldInfo]:
    """Give every setting as it is declared, by its name in Python."""
    models: tuple[type[BaseModel], ...] = (Settings, *CREDENTIALS)
    return {field: info for model in models for field, info in model.model_fields.items()}


def configuration_keys() -> list[str]:
    """Name every setting as the stack's configuration does, as in `dli:region`."""
    return [names_of(info)[0] for info in declared().values()]


def _either(names: Iterable[str]) -> str:
    return " or ".join(names)


def _and(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _with(parts: list[str]) -> str:
    return " with ".join([parts[0], _and(parts[1:])] if parts[1:] else parts)
