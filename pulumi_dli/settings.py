"""Settings: where the service is, who signs in, how patient we are.

Each setting is declared once, with its names in the order in which they count: in the stack's configuration (`dli:…`),
in the environment, and in the file of Huawei Cloud's SDK (`[basic] …`).
"""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FilePath,
    NonNegativeInt,
    PrivateAttr,
    SecretStr,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from pulumi_dli import regions
from pulumi_dli.clock import parse_duration
from pulumi_dli.errors import SettingsError

NAMESPACE = "dli"
_CREDENTIALS_FILE = "~/.huaweicloud/credentials"
_CREDENTIALS_FILE_VARIABLE = "HUAWEICLOUD_SDK_CREDENTIALS_FILE"


def sendable(value: Any) -> str:
    """Refuse what no HTTP header can carry, without showing it: it may be secret."""
    text = str(value).strip()
    if not (text.isascii() and text.isprintable()):
        raise ValueError("has a character that cannot be sent, such as a line break or a letter that is not ASCII")
    return text


Seconds = Annotated[float, BeforeValidator(parse_duration), Field(gt=0)]
"""A duration: `90s`, `20m`, `2h`, or a number of seconds."""

Name = Annotated[str, BeforeValidator(lambda value: str(value).strip())]
HeaderText = Annotated[str, BeforeValidator(sendable)]
HeaderSecret = Annotated[SecretStr, BeforeValidator(sendable)]
Secret = Annotated[SecretStr, BeforeValidator(lambda value: str(value).strip("\r\n"))]
"""A secret that may have any character, blanks around it included."""


def _setting(key: str, *elsewhere: str, default: Any = None) -> Any:
    return Field(default=default, validation_alias=AliasChoices(f"{NAMESPACE}:{key}", *elsewhere))


class Settings(BaseSettings):
    """All settings but the credentials. Durations are in seconds or written as in `90s`, `20m`, `2h`."""

    model_config = SettingsConfigDict(
        case_sensitive=True,
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
        str_strip_whitespace=True,
    )

    region: str | None = _setting("region", "DLI_REGION", "OS_REGION_NAME", "HW_REGION_NAME")
    """The region, as in `eu-de`."""
    project_id: str | None = _setting(
        "projectId", "DLI_PROJECT_ID", "OS_PROJECT_ID", "HW_PROJECT_ID", "HUAWEICLOUD_SDK_PROJECT_ID"
    )
    """The id of the project; by default it is looked up by the project's name."""
    project_name: str | None = _setting("projectName", "OS_PROJECT_NAME", "OS_TENANT_NAME", "HW_PROJECT_NAME")
    """The name of the project, where its id is not given; by default the region's."""
    endpoint: str | None = _setting("endpoint", "DLI_ENDPOINT")
    """The address of DLI; by default made from the region."""
    auth_url: str | None = _setting("authUrl", "OS_AUTH_URL", "HW_AUTH_URL", "HUAWEICLOUD_SDK_IAM_ENDPOINT")
    """The address of IAM; by default made from the region."""
    ca_cert: FilePath | None = _setting("caCert", "OS_CACERT")
    """A file with the certificates to trust."""
    insecure: bool = _setting("insecure", "OS_INSECURE", default=False)
    """True: certificates are not checked."""
    max_retries: NonNegativeInt = _setting("maxRetries", "DLI_MAX_RETRIES", default=5)
    """How often a call that may be repeated is repeated."""
    retry_pause: Seconds = _setting("retryPause", "DLI_RETRY_PAUSE", default=0.5)
    """How long the pause before the first repetition is; each further one is twice as long."""
    request_timeout: Seconds = _setting("requestTimeout", "DLI_REQUEST_TIMEOUT", default=60.0)
    """How long the service may be silent during a call."""
    poll_interval: Seconds = _setting("pollInterval", "DLI_POLL_INTERVAL", default=10.0)
    """The longest pause between two looks at a job."""
    lookup_window: Seconds = _setting("lookupWindow", "DLI_LOOKUP_WINDOW", default=60.0)
    """How long a submission without an answer is looked for before it is sent again."""
    scope: str = _setting("scope", "DLI_SCOPE", default="")
    """Tells apart stacks of equal names in one project."""
    adopt: bool = _setting("adopt", "DLI_ADOPT", default=True)
    """False: a job that an interrupted `up` left is not taken over."""
    wait: bool = _setting("wait", "DLI_WAIT", default=True)
    """False: waits pass at once in the program; the provider still gives the verdict."""

    @classmethod
    def load(cls, stack_configuration: Mapping[str, Any]) -> Settings:
        """Read the settings. `stack_configuration` has keys as in `dli:region`, values decrypted.

        Raises SettingsError for a value that cannot be read.
        """
        given = {key: value for key, value in stack_configuration.items() if not _is_blank(value)}
        return _read(cls, given, ChainMap(given, os.environ))

    @property
    def verify(self) -> bool | str:
        """Whether certificates are checked, and against which file, as requests takes it."""
        if self.insecure:
            return False
        return True if self.ca_cert is None else str(self.ca_cert)

    def place(self, project_id: str, region: str | None) -> Place:
        """Say where the jobs of a project are. Raises SettingsError where the address is not known."""
        try:
            project_id = sendable(project_id)
        except ValueError as error:
            raise SettingsError(f"the project's id {error}") from None
        if self.endpoint:
            endpoint = _checked(self.endpoint, places_of("endpoint"))
        elif region is None:
            raise SettingsError(f"no region: set {places_of('region')}; or the address itself, {places_of('endpoint')}")
        else:
            endpoint = _endpoint_from_environment(region) or regions.dli_address(region) or ""
            if not endpoint:
                raise SettingsError(_unknown_region(region))
        return Place(endpoint, region, project_id)

    def iam(self, region: str | None) -> str | None:
        """Give the address of IAM, which ends in `/v3`; None where neither it nor a known region is given.

        Raises SettingsError for an address that is none.
        """
        if self.auth_url:
            return iam_v3(self.auth_url, places_of("auth_url"))
        address = regions.iam_address(region) if region else None
        return f"{address}/v3" if address else None


def _unknown_region(region: str) -> str:
    known = (
        "Open Telekom Cloud offers DLI in eu-de only"
        if region == "eu-nl"
        else "Check its spelling (eu-de is Open Telekom Cloud's, cn-north-4 one of Huawei Cloud's)"
    )
    return (
        f"region {region!r} is not known to have DLI. {known}; or set the address itself, {places_of('endpoint')}, or "
        f"{_endpoint_variable(region)} (environment)"
    )


@dataclass(frozen=True)
class Place:
    """Where jobs run: the address of DLI, the region if it is known, the project's id."""

    endpoint: str
    region: str | None
    project_id: str


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
        names = {field: _names(info, beginning) for field, info in cls.model_fields.items()}
        given = {
            name: source.values[name] for of in names.values() for name in of if not _is_blank(source.values.get(name))
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
        credentials = _read(cls, given, given)
        credentials._source = f"{_and(given)} {source.label}"
        credentials._beside = source.values if beginning == _FILE_BEGINNING else {}
        return credentials


class Token(Credentials):
    """A token of Keystone."""

    parts = (("token",),)

    token: HeaderSecret = _setting("token", "OS_TOKEN", "OS_AUTH_TOKEN", "HW_AUTH_TOKEN")
    """A Keystone token: of the project, and sent as it is, if the project's id is given; else exchanged for one."""


class KeyPair(Credentials):
    """An access key with its secret key (AK/SK), permanent or temporary."""

    parts = (("access_key",), ("secret_key",))

    access_key: HeaderText = _setting("accessKey", "OS_ACCESS_KEY", "HW_ACCESS_KEY", "HUAWEICLOUD_SDK_AK", "[basic] ak")
    """The access key (AK)."""
    secret_key: HeaderSecret = _setting(
        "secretKey", "OS_SECRET_KEY", "HW_SECRET_KEY", "HUAWEICLOUD_SDK_SK", "[basic] sk"
    )
    """The secret key (SK)."""
    security_token: HeaderSecret | None = _setting(
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

    username: Name = _setting("username", "OS_USERNAME", "HW_USER_NAME")
    """The name of the user."""
    password: Secret = _setting("password", "OS_PASSWORD", "HW_USER_PASSWORD")
    """The password of the user."""
    domain_name: Name | None = _setting("domainName", "OS_USER_DOMAIN_NAME", "OS_DOMAIN_NAME", "HW_DOMAIN_NAME")
    """The name of the domain (the account) that the user is of."""
    domain_id: Name | None = _setting("domainId", "OS_USER_DOMAIN_ID", "OS_DOMAIN_ID", "HW_DOMAIN_ID")
    """The id of that domain, in place of its name."""


class ApplicationCredential(Credentials):
    """An application credential of Keystone. It is of one project."""

    parts = (("application_credential_id",), ("application_credential_secret",))

    application_credential_id: Name = _setting("applicationCredentialId", "OS_APPLICATION_CREDENTIAL_ID")
    """The id of an application credential."""
    application_credential_secret: Secret = _setting("applicationCredentialSecret", "OS_APPLICATION_CREDENTIAL_SECRET")
    """The secret of the application credential."""


class Cloud(Credentials):
    """A cloud of clouds.yaml, the file of OpenStack's tools."""

    parts = (("cloud",),)

    cloud: Name = _setting("cloud", "OS_CLOUD")
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
            if all(_names(kind.model_fields[field], beginning) for part in kind.parts for field in part[:1])
        )
        return f"{self.label}{self.remark} {', '.join(sets)}"

    def _marked(self, part: tuple[str, ...], kind: type[Credentials], beginning: str) -> Iterable[str]:
        for field in part:
            for name in _names(kind.model_fields[field], beginning):
                if name in self.values:  # what is set here is blank, or a domain without a user
                    yield f"{name} ({'empty' if _is_blank(self.values[name]) else 'set'})"
                else:
                    yield name


_FILE_BEGINNING = "[basic] "


def _sources(stack: Mapping[str, Any]) -> Iterator[_Source]:
    yield _Source("in the stack's configuration", (f"{NAMESPACE}:",), stack, " (pulumi config set --secret)")
    yield _Source("in the environment", ("OS_", "HW_", "HUAWEICLOUD_SDK_"), os.environ)
    yield _credentials_file()


def _credentials_file() -> _Source:
    """Read the file of Huawei Cloud's SDK. Raises SettingsError for one that cannot be read, without showing it."""
    name = os.environ.get(_CREDENTIALS_FILE_VARIABLE) or _CREDENTIALS_FILE
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


Model = TypeVar("Model", bound=BaseModel)


def _read(model: type[Model], given: Mapping[str, Any], source: Mapping[str, Any]) -> Model:
    """Make a model of what is given. The error for a bad value names its place in `source`, and shows no secret."""
    try:
        return model(**given)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        names = next(names for names in map(_names, declared().values()) if problem["loc"][0] in names)
        place = next(name for name in names if not _is_blank(source.get(name)))
        raise SettingsError(f"{place}: {problem['msg'].removeprefix('Value error, ')}") from None


def _is_blank(value: Any) -> bool:
    return value is None or not str(value).strip()


def declared() -> dict[str, FieldInfo]:
    """Give every setting as it is declared, by its name in Python."""
    models: tuple[type[BaseModel], ...] = (Settings, *CREDENTIALS)
    return {field: info for model in models for field, info in model.model_fields.items()}


def configuration_keys() -> list[str]:
    """Name every setting as the stack's configuration does, as in `dli:region`."""
    return [_names(info)[0] for info in declared().values()]


def variables(info: FieldInfo) -> list[str]:
    """Name the variables of the environment in which a setting is looked for, in their order."""
    return [name for name in _names(info) if name.isidentifier()]


def _names(info: FieldInfo, beginning: str = "") -> list[str]:
    """Name the places of a setting, in their order: those that begin so."""
    choices = info.validation_alias
    assert isinstance(choices, AliasChoices)  # noqa: S101  `_setting` makes it so
    return [name for name in map(str, choices.choices) if name.startswith(beginning)]


def places_of(field: str) -> str:
    """Name the places of a setting in words, in their order; those where nothing but a blank was found are marked."""
    info = declared()[field]
    is_empty = {name for name in variables(info) if name in os.environ and _is_blank(os.environ[name])}
    marked = (f"{name} (empty)" if name in is_empty else name for name in variables(info))
    return f"{_names(info)[0]} (pulumi config set), or {', '.join(marked)} (environment)"


def _either(names: Iterable[str]) -> str:
    return " or ".join(names)


def _and(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _with(parts: list[str]) -> str:
    return " with ".join([parts[0], _and(parts[1:])] if parts[1:] else parts)


def _endpoint_variable(region: str) -> str:
    return f"HUAWEICLOUD_SDK_REGION_DLI_{region.upper().replace('-', '_')}"


def _endpoint_from_environment(region: str) -> str | None:
    """Read the variable of Huawei's SDK; where it lists several addresses, the first counts."""
    name = _endpoint_variable(region)
    first = os.environ.get(name, "").split(",")[0].strip()
    return _checked(first, name) if first else None


def iam_v3(address: str, source: str) -> str:
    """Complete an address of IAM: it ends in `/v3`. Raises SettingsError for what is no address."""
    return _checked(address, source).removesuffix("/v3") + "/v3"


def _checked(endpoint: str, source: str) -> str:
    """Complete an address, and refuse what is none. It is not shown: it could hold a password."""
    address = endpoint if "://" in endpoint else f"https://{endpoint}"
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or "@" in address or "?" in address or "#" in address:
        raise SettingsError(f"{source}: must be an address, as in https://dli.eu-de.otc.t-systems.com")
    return address.rstrip("/")
