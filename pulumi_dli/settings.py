"""Settings: where the service is, who signs in, how patient we are.

Each setting is declared once, with its names in the stack's configuration (`dli:…`) and in the environment, in the
order in which they count. The stack's configuration comes before the environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from requests.auth import AuthBase

from pulumi_dli.auth import KeyAuth, TokenAuth
from pulumi_dli.clock import parse_duration
from pulumi_dli.errors import SettingsError

NAMESPACE = "dli"

Seconds = Annotated[float, BeforeValidator(parse_duration)]
"""A duration: `90s`, `20m`, `2h`, or a number of seconds."""


def _setting(key: str, *environment: str, default: Any = None) -> Any:
    return Field(default=default, validation_alias=AliasChoices(f"{NAMESPACE}:{key}", *environment))


class _Source(BaseSettings):
    model_config = SettingsConfigDict(
        case_sensitive=True, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )


class Credentials(_Source):
    """What signs in: a token, or an access key with its secret key. Both of one project."""

    token: SecretStr | None = _setting("token", "OS_TOKEN", "OS_AUTH_TOKEN", "HW_AUTH_TOKEN")
    """A Keystone token of the project."""
    access_key: str | None = _setting("accessKey", "OS_ACCESS_KEY", "HW_ACCESS_KEY", "HUAWEICLOUD_SDK_AK")
    """The access key (AK)."""
    secret_key: SecretStr | None = _setting("secretKey", "OS_SECRET_KEY", "HW_SECRET_KEY", "HUAWEICLOUD_SDK_SK")
    """The secret key (SK)."""
    security_token: SecretStr | None = _setting(
        "securityToken", "OS_SECURITY_TOKEN", "HW_SECURITY_TOKEN", "HUAWEICLOUD_SDK_SECURITY_TOKEN"
    )
    """The security token that belongs to a temporary access key."""

    def auth(self, project_id: str) -> AuthBase | None:
        """Make what signs requests; None where nothing is given. Raises SettingsError for half a set."""
        if self.token is not None:
            return TokenAuth(self.token.get_secret_value())
        if self.access_key is None and self.secret_key is None:
            return None
        if self.access_key is None or self.secret_key is None:
            given, missing = ("secret_key", "access_key") if self.access_key is None else ("access_key", "secret_key")
            raise SettingsError(f"half a set of credentials: {_names(given)} is set, but {_names(missing)} is not")
        return KeyAuth(
            self.access_key,
            self.secret_key.get_secret_value(),
            security_token=self.security_token.get_secret_value() if self.security_token else None,
            project_id=project_id,
        )


class _StackCredentials(Credentials):
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


class Settings(_Source):
    """All settings but the credentials. Durations are in seconds or written as in `90s`, `20m`, `2h`."""

    region: str | None = _setting("region", "DLI_REGION", "OS_REGION_NAME", "HW_REGION_NAME")
    """The region, as in `eu-de`."""
    project_id: str | None = _setting(
        "projectId", "DLI_PROJECT_ID", "OS_PROJECT_ID", "HW_PROJECT_ID", "HUAWEICLOUD_SDK_PROJECT_ID"
    )
    """The id of the project."""
    endpoint: str | None = _setting("endpoint", "DLI_ENDPOINT")
    """The address of DLI; by default made from the region."""
    ca_cert: str | None = _setting("caCert", "OS_CACERT")
    """A file with the certificates to trust."""
    insecure: bool = _setting("insecure", "OS_INSECURE", default=False)
    """True: certificates are not checked."""
    max_retries: int = _setting("maxRetries", "DLI_MAX_RETRIES", default=5)
    """How often a call that may be repeated is repeated."""
    request_timeout: Seconds = _setting("requestTimeout", "DLI_REQUEST_TIMEOUT", default=60.0)
    """How long one call may take."""
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
        try:
            return cls(**stack_configuration)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            raise SettingsError(f"setting {problem['loc'][0]}: {problem['msg']}") from None

    def place(self, region: str | None = None, project_id: str | None = None) -> Place:
        """Say where jobs are submitted; `region` and `project_id` come before the settings.

        Raises SettingsError where the project or the address is not given.
        """
        region = region or self.region
        project_id = project_id or self.project_id
        if not project_id:
            raise SettingsError(f"no project: set {_names('project_id')}. The console shows it under My Credentials")
        endpoint = self.endpoint or _endpoint_from_environment(region) or _endpoint_of(region)
        return Place(endpoint if "://" in endpoint else f"https://{endpoint}", region, project_id)


@dataclass(frozen=True)
class Place:
    """Where jobs run: the address of DLI, the region if it is known, the project's id."""

    endpoint: str
    region: str | None
    project_id: str


def sign_in(stack_configuration: Mapping[str, Any], project_id: str) -> AuthBase:
    """Make what signs requests, from the first place that has credentials.

    Raises SettingsError where there are none, naming every place that was looked at, or where a set is not whole.
    """
    for source in (_StackCredentials, Credentials):
        given = stack_configuration if source is _StackCredentials else {}
        auth = source(**given).auth(project_id)
        if auth is not None:
            return auth
    places = "; ".join(_names(name) for name in ("token", "access_key", "secret_key"))
    raise SettingsError(
        f"no credentials. Looked at, in this order: {places}. Set a token, or an access key with its secret key"
    )


def configuration_keys() -> list[str]:
    """Name every setting as the stack's configuration does, as in `dli:region`."""
    fields = {**Settings.model_fields, **Credentials.model_fields}
    return [
        str(info.validation_alias.choices[0])
        for info in fields.values()
        if isinstance(info.validation_alias, AliasChoices)
    ]


def _names(field: str) -> str:
    """Name the places of a setting, in their order."""
    info = Credentials.model_fields.get(field) or Settings.model_fields[field]
    assert isinstance(info.validation_alias, AliasChoices)  # noqa: S101  every setting is declared by _setting
    key, *environment = info.validation_alias.choices
    return f"{key} (pulumi config set), or {', '.join(map(str, environment))} (environment)"


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


def _endpoint_of(region: str | None) -> str:
    """Make DLI's address from the region (OTC: "Regions and Endpoints", 2026-04: DLI is in eu-de only)."""
    if region is None:
        raise SettingsError(f"no region: set {_names('region')}; or the address itself, {_names('endpoint')}")
    if region == "eu-de":
        return "https://dli.eu-de.otc.t-systems.com"
    if region not in _HUAWEI_CLOUD_REGIONS:
        raise SettingsError(
            f"region {region!r} is not known to have DLI. Check its spelling (eu-de is Open Telekom Cloud's, "
            f"cn-north-4 one of Huawei Cloud's); or set the address itself, {_names('endpoint')}"
        )
    domain = "myhuaweicloud.eu" if region == "eu-west-101" else "myhuaweicloud.com"
    return f"https://dli.{region}.{domain}"


def _endpoint_from_environment(region: str | None) -> str | None:
    """Read the variable of Huawei's SDK; where it lists several addresses, the first counts."""
    name = f"HUAWEICLOUD_SDK_REGION_DLI_{(region or '').upper().replace('-', '_')}"
    return os.environ.get(name, "").split(",")[0].strip() or None
