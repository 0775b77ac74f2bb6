"""Settings: where the service is, who signs in, how patient we are.

Each setting is declared once, with its names in the stack's configuration (`dli:…`) and in the environment, in the
order in which they count. The stack's configuration comes before the environment.
"""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FilePath,
    NonNegativeInt,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from requests.auth import AuthBase

from pulumi_dli.auth import KeyAuth, TokenAuth
from pulumi_dli.clock import parse_duration
from pulumi_dli.errors import SettingsError

NAMESPACE = "dli"


def _sendable(value: Any) -> str:
    """Refuse what no HTTP header can carry, without showing it: it may be secret."""
    text = str(value).strip()
    if not (text.isascii() and text.isprintable()):
        raise ValueError("has a character that cannot be sent, such as a line break or a letter that is not ASCII")
    return text


Seconds = Annotated[float, BeforeValidator(parse_duration), Field(gt=0)]
"""A duration: `90s`, `20m`, `2h`, or a number of seconds."""

Text = Annotated[str, BeforeValidator(_sendable)]
Secret = Annotated[SecretStr, BeforeValidator(_sendable)]


def _setting(key: str, *environment: str, default: Any = None) -> Any:
    return Field(default=default, validation_alias=AliasChoices(f"{NAMESPACE}:{key}", *environment))


class Credentials(BaseModel):
    """What signs in: a token, or an access key with its secret key. Both of one project.

    A setting's first name and each of its variables belong to one set with those of the other settings at the same
    position. Sets are never mixed: the secret key of one cloud does not fit the access key of another.
    """

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    token: Secret | None = _setting("token", "OS_TOKEN", "OS_AUTH_TOKEN", "HW_AUTH_TOKEN")
    """A Keystone token of the project."""
    access_key: Text | None = _setting("accessKey", "OS_ACCESS_KEY", "HW_ACCESS_KEY", "HUAWEICLOUD_SDK_AK")
    """The access key (AK)."""
    secret_key: Secret | None = _setting("secretKey", "OS_SECRET_KEY", "HW_SECRET_KEY", "HUAWEICLOUD_SDK_SK")
    """The secret key (SK)."""
    security_token: Secret | None = _setting(
        "securityToken", "OS_SECURITY_TOKEN", "HW_SECURITY_TOKEN", "HUAWEICLOUD_SDK_SECURITY_TOKEN"
    )
    """The security token that belongs to a temporary access key."""

    @classmethod
    def load(cls, stack_configuration: Mapping[str, Any]) -> Credentials:
        """Read the credentials: one complete set, from the first place that has any part of one.

        Raises SettingsError where there are none, naming every place that was looked at, or where a set is not whole.
        """
        tokens = [(name,) for name in _PLACES["token"]]
        keys = list(zip(_PLACES["access_key"], _PLACES["secret_key"], _PLACES["security_token"], strict=True))
        in_stack, in_environment = [tokens[0], keys[0]], [*tokens[1:], *keys[1:]]
        for source, sets in ((stack_configuration, in_stack), (os.environ, in_environment)):
            for names in sets:
                given = {name: source[name] for name in names if not _is_blank(source.get(name))}
                if given:
                    _refuse_half_a_set(names, given)
                    return _read(cls, given, given)
        raise SettingsError(
            "no credentials. Looked at, in this order: in the stack's configuration (pulumi config set --secret) "
            f"{_listed(in_stack)}; in the environment {_listed(in_environment)}. Set a token, or an access key with "
            "its secret key"
        )

    def auth(self, project_id: str) -> AuthBase:
        """Make what signs requests."""
        if self.token is not None:
            return TokenAuth(self.token.get_secret_value())
        assert self.access_key is not None and self.secret_key is not None  # noqa: S101  a set is complete
        return KeyAuth(
            self.access_key,
            self.secret_key.get_secret_value(),
            security_token=self.security_token.get_secret_value() if self.security_token else None,
            project_id=project_id,
        )


def _refuse_half_a_set(names: tuple[str, ...], given: Collection[str]) -> None:
    missing = [name for name in names[:2] if name not in given]  # the third, the security token, is optional
    if missing:
        raise SettingsError(
            f"half a set of credentials: {' and '.join(given)} without {' and '.join(missing)}. A set comes from one "
            "place as a whole"
        )


def _listed(sets: Iterable[tuple[str, ...]]) -> str:
    return ", ".join(" with ".join(names[:2]) for names in sets)


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
    """The id of the project."""
    endpoint: str | None = _setting("endpoint", "DLI_ENDPOINT")
    """The address of DLI; by default made from the region."""
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

    def place(self, region: str | None = None, project_id: str | None = None) -> Place:
        """Say where jobs are submitted; `region` and `project_id` come before the settings.

        Raises SettingsError where the project or the address is not given.
        """
        region = region or self.region
        project_id = project_id or self.project_id
        if not project_id:
            raise SettingsError(f"no project: set {_names('project_id')}. The console shows it under My Credentials")
        try:
            project_id = _sendable(project_id)
        except ValueError as error:
            raise SettingsError(f"the project's id {error}") from None
        if self.endpoint:
            endpoint = _checked(self.endpoint, _names("endpoint"))
        elif region is None:
            raise SettingsError(f"no region: set {_names('region')}; or the address itself, {_names('endpoint')}")
        else:
            endpoint = _endpoint_from_environment(region) or _endpoint_of(region)
        return Place(endpoint, region, project_id)


Model = TypeVar("Model", bound=BaseModel)


def _read(model: type[Model], given: Mapping[str, Any], source: Mapping[str, Any]) -> Model:
    """Make a model of what is given. The error for a bad value names its place in `source`, and shows no secret."""
    try:
        return model(**given)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        names = next(names for names in _PLACES.values() if problem["loc"][0] in names)
        place = next(name for name in names if not _is_blank(source.get(name)))
        raise SettingsError(f"{place}: {problem['msg'].removeprefix('Value error, ')}") from None


def _is_blank(value: Any) -> bool:
    return value is None or not str(value).strip()


@dataclass(frozen=True)
class Place:
    """Where jobs run: the address of DLI, the region if it is known, the project's id."""

    endpoint: str
    region: str | None
    project_id: str


def sign_in(stack_configuration: Mapping[str, Any], project_id: str) -> AuthBase:
    """Make what signs requests. Raises SettingsError where there are no credentials, or half a set."""
    return Credentials.load(stack_configuration).auth(project_id)


_PLACES: dict[str, tuple[str, ...]] = {
    field: tuple(str(name) for name in info.validation_alias.choices)
    for field, info in {**Settings.model_fields, **Credentials.model_fields}.items()
    if isinstance(info.validation_alias, AliasChoices)
}
"""Where each setting is looked for, in this order: a key of the stack's configuration, then variables."""


def configuration_keys() -> list[str]:
    """Name every setting as the stack's configuration does, as in `dli:region`."""
    return [names[0] for names in _PLACES.values()]


def _names(field: str) -> str:
    """Name the places of a setting, in their order."""
    key, *environment = _PLACES[field]
    return f"{key} (pulumi config set), or {', '.join(environment)} (environment)"


_HUAWEI_CLOUD_REGIONS = frozenset(
    {
        "ae-ad-1",
        "af-north-1",
        "af-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "cn-east-2",
        "cn-east-3",
        "cn-east-4",
        "cn-east-5",
        "cn-north-1",
        "cn-north-2",
        "cn-north-4",
        "cn-north-9",
        "cn-south-1",
        "cn-southwest-2",
        "eu-west-0",
        "eu-west-101",
        "la-north-2",
        "la-south-2",
        "me-east-1",
        "my-kualalumpur-1",
        "na-mexico-1",
        "ru-moscow-1",
        "ru-northwest-2",
        "sa-brazil-1",
        "tr-west-1",
    }
)
"""Regions of huaweicloudsdkdli 3.1.219 (v1/region/dli_region.py)."""


def _endpoint_of(region: str) -> str:
    """Make DLI's address from the region (OTC: "Regions and Endpoints", 2026-04: DLI is in eu-de only)."""
    if region == "eu-de":
        return "https://dli.eu-de.otc.t-systems.com"
    if region not in _HUAWEI_CLOUD_REGIONS:
        raise SettingsError(
            f"region {region!r} is not known to have DLI. Check its spelling (eu-de is Open Telekom Cloud's, "
            f"cn-north-4 one of Huawei Cloud's); or set the address itself, {_names('endpoint')}, or "
            f"{_endpoint_variable(region)} (environment)"
        )
    domain = "myhuaweicloud.eu" if region == "eu-west-101" else "myhuaweicloud.com"
    return f"https://dli.{region}.{domain}"


def _endpoint_variable(region: str) -> str:
    return f"HUAWEICLOUD_SDK_REGION_DLI_{region.upper().replace('-', '_')}"


def _endpoint_from_environment(region: str) -> str | None:
    """Read the variable of Huawei's SDK; where it lists several addresses, the first counts."""
    name = _endpoint_variable(region)
    first = os.environ.get(name, "").split(",")[0].strip()
    return _checked(first, name) if first else None


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
