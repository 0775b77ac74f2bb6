"""The settings, except those that sign in (see `credentials`): addresses, timeouts, retries and options.

Each setting is declared once, with all its names in their order: first the key in the stack's configuration (`dli:…`),
then the variables of the environment. The first name with a value counts.
"""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    Field,
    FilePath,
    NonNegativeInt,
    PrivateAttr,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from pulumi_dli.account.configuration_place import NAMESPACE, ConfigurationPlace
from pulumi_dli.api import regions
from pulumi_dli.api.clock import parse_duration
from pulumi_dli.api.errors import SettingsError


def header_text(value: Any) -> str:
    """Return a value as text for an HTTP header, without blanks around it.

    Raises ValueError for text that a header cannot contain. The error does not show the text, which may be secret.
    """
    text = str(value).strip()
    if not (text.isascii() and text.isprintable()):
        raise ValueError("has a character that cannot be sent, such as a line break or a letter that is not ASCII")
    return text


Seconds = Annotated[float, BeforeValidator(parse_duration), Field(gt=0)]
"""A duration in seconds, above 0. It may be written as `90s`, `20m`, `2h` or as a number of seconds."""


def setting(key: str, *environment: str, default: Any = None) -> Any:
    """Declare a setting: its key in the stack's configuration, and its variables of the environment in their order."""
    return Field(default=default, validation_alias=AliasChoices(f"{NAMESPACE}:{key}", *environment))


ENDPOINT_VARIABLES = "HUAWEICLOUD_SDK_REGION_DLI_"
"""The beginning of the variables of Huawei Cloud's SDK that have DLI's address, each for one region."""


@dataclass(frozen=True)
class Address:
    """An address of a service.

    Args:
        url: The address, without a slash at its end.
        source: The name of the setting that has it, or of the region from which it is made.
        is_set: Whether a setting has it. False if it is made from a region.
    """

    url: str
    source: str
    is_set: bool = True


class Settings(BaseSettings):
    """All settings except the credentials. The texts of the fields are in schema.json, which users read."""

    model_config = SettingsConfigDict(
        case_sensitive=True,
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
        str_strip_whitespace=True,
    )

    region: str | None = setting("region", "DLI_REGION", "OS_REGION_NAME", "HW_REGION_NAME")
    """The region, for example `eu-de`."""
    project_id: str | None = setting(
        "projectId", "DLI_PROJECT_ID", "OS_PROJECT_ID", "OS_TENANT_ID", "HW_PROJECT_ID", "HUAWEICLOUD_SDK_PROJECT_ID"
    )
    """The id of the project. By default the provider looks it up by the project's name."""
    project_name: str | None = setting("projectName", "OS_PROJECT_NAME", "OS_TENANT_NAME", "HW_PROJECT_NAME")
    """The name of the project, if its id is not set. The default is the name of the region."""
    cloud_domain: str | None = setting("cloudDomain", "HW_CLOUD")
    """The domain of the cloud's services, for example `myhuaweicloud.eu`. The default depends on the region."""
    endpoint: str | None = setting("endpoint", "DLI_ENDPOINT")
    """The address of DLI. The default depends on the region."""
    auth_url: str | None = setting("authUrl", "OS_AUTH_URL", "HW_AUTH_URL", "HUAWEICLOUD_SDK_IAM_ENDPOINT")
    """The address of IAM. The default depends on the region."""
    ca_cert: FilePath | None = setting("caCert", "OS_CACERT")
    """The path of a file with the certificates to trust."""
    insecure: bool = setting("insecure", "OS_INSECURE", "HW_INSECURE", default=False)
    """True: the provider does not check certificates."""
    max_retries: NonNegativeInt = setting("maxRetries", "DLI_MAX_RETRIES", default=5)
    """How often the provider repeats a failed call that is safe to repeat."""
    retry_pause: Seconds = setting("retryPause", "DLI_RETRY_PAUSE", default=0.5)
    """The pause before the first repetition of a call. Each further pause is twice as long."""
    request_timeout: Seconds = setting("requestTimeout", "DLI_REQUEST_TIMEOUT", default=60.0)
    """How long the service may send nothing during a call before the call fails."""
    poll_interval: Seconds = setting("pollInterval", "DLI_POLL_INTERVAL", default=10.0)
    """The longest pause between two polls of a job."""
    lookup_window: Seconds = setting("lookupWindow", "DLI_LOOKUP_WINDOW", default=60.0)
    """How long the provider searches for a submission that got no answer, or for a young job that is not known."""
    scope: str = setting("scope", "DLI_SCOPE", default="")
    """A text that distinguishes stacks with equal names in one DLI project."""
    forget: str | None = setting("forget", "DLI_FORGET")
    """The id of a project that no longer exists. The provider calls nothing for the jobs that ran there."""
    adopt: bool = setting("adopt", "DLI_ADOPT", default=True)
    """False: `up` does not adopt a job that an interrupted `up` left."""
    wait: bool = setting("wait", "DLI_WAIT", default=True)
    """False: the provider waits for the jobs of a Python program, not the program itself. Rarely needed."""

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)
    _place: ConfigurationPlace = PrivateAttr(default_factory=ConfigurationPlace)

    @classmethod
    def load(cls, stack_configuration: Mapping[str, Any]) -> Settings:
        """Return the settings from the stack's configuration and the environment.

        Raises SettingsError for a value that cannot be used.

        Args:
            stack_configuration: Keys such as `dli:region`, values decrypted; or the `ProviderArguments` that count in
                their place.
        """
        place = ConfigurationPlace.of(stack_configuration)
        configured = {key: value for key, value in stack_configuration.items() if not is_blank(value)}
        values = ChainMap(configured, os.environ)

        def source_of(field: str) -> str:
            names = names_of(cls.model_fields[field])
            return next((name for name in names if not is_blank(values.get(name))), names[0])

        settings = read_model(cls, configured, lambda field: place.name_with_owner(source_of(field)))
        settings._place = place
        settings._sources = {field: source_of(field) for field in ("region", "endpoint", "auth_url")}
        return settings

    @property
    def place(self) -> ConfigurationPlace:
        """The place of the settings that count before the environment."""
        return self._place

    @property
    def verify(self) -> bool | str:
        """The argument `verify` of requests: True, False or the path of a file with certificates."""
        if self.insecure:
            return False
        return True if self.ca_cert is None else str(self.ca_cert)

    def dli(self, region: str | None, own_region: str | None = None) -> Address:
        """Return the address of DLI in a region.

        A set address serves the settings' region only. Raises SettingsError if the address is unknown or not valid.

        Args:
            region: The region of the job, or None if it is unknown.
            own_region: The region of the settings, if another source than the settings has it.
        """
        if self.endpoint and _serves(self.endpoint, region, own_region or self.region):
            url = _complete_address(self.endpoint, self.sources_of("endpoint")).removesuffix("/v2.0")
            return Address(url, self._sources["endpoint"])
        if region is None:
            raise SettingsError(
                f"no region: set {self.sources_of('region')}; or the address itself, {self.sources_of('endpoint')}"
            )
        address = _endpoint_from_environment(region) or self._service_address(regions.dli_address, region)
        if address is None:
            raise SettingsError(self._unknown_region(region))
        return address

    def iam(self, region: str | None) -> Address | None:
        """Return the address of IAM, which ends in `/v3`, or None if neither it nor a known region is set.

        Raises SettingsError if the address is not valid.
        """
        if self.auth_url:
            return Address(iam_v3(self.auth_url, self.sources_of("auth_url")), self._sources["auth_url"])
        address = self._service_address(regions.iam_address, region) if region else None
        return replace(address, url=f"{address.url}/v3") if address else None

    def _service_address(self, address_of: Callable[[str, str | None], str | None], region: str) -> Address | None:
        url = address_of(region, self.cloud_domain)
        if url is None:
            return None
        # The table's own addresses need no check.
        url = _complete_address(url, self.sources_of("cloud_domain")) if self.cloud_domain else url
        source = self._place.name(self._sources["region"]) if region == self.region else "the job's region"
        return Address(url, f"made from {source} {region}", is_set=False)

    def _unknown_region(self, region: str) -> str:
        spelling = "Check its spelling (eu-de is Open Telekom Cloud's, cn-north-4 one of Huawei Cloud's)"
        known = regions.WITHOUT_DLI.get(region, spelling)
        return (
            f"region {region!r} is not known to have DLI. {known}; or set the address itself, "
            f"{self.sources_of('endpoint')}, or {_endpoint_variable(region)} (environment)"
        )

    def sources_of(self, field: str) -> str:
        """Return the names of a setting, in their order, as text for an error message. It marks empty variables."""
        info = Settings.model_fields[field]
        empty = {name for name in variables(info) if name in os.environ and is_blank(os.environ[name])}
        marked = (f"{name} (empty)" if name in empty else name for name in variables(info))
        return f"{self._place.name_with_command(names_of(info)[0])}, or {', '.join(marked)} (environment)"


def _serves(endpoint: str, region: str | None, own_region: str | None) -> bool:
    """Return whether a set address of DLI serves a region. `own_region` is the region of the settings."""
    if region is None or own_region is not None:
        return region in (None, own_region)
    is_known = any(f".{cloud.domain}" in endpoint for cloud in regions.CLOUDS)
    return not is_known or f".{region}." in endpoint


Model = TypeVar("Model", bound=BaseModel)


def read_model(model: type[Model], values: Mapping[str, Any], source_of: Callable[[str], str]) -> Model:
    """Return a settings model with these values.

    Raises SettingsError for a value that cannot be used. The error names the source of the value, but does not show it.

    Args:
        model: The class of the model.
        values: The values, by their keys in the stack's configuration.
        source_of: Returns the source of a field's value, in words.
    """
    try:
        return model(**values)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        field = next(field for field, info in model.model_fields.items() if problem["loc"][0] in names_of(info))
        raise SettingsError(f"{source_of(field)}: {problem['msg'].removeprefix('Value error, ')}") from error


def is_blank(value: Any) -> bool:
    """Return whether a value is None or has only blanks."""
    return value is None or not str(value).strip()


def variables(info: FieldInfo) -> list[str]:
    """Return the variables of the environment that can set a setting, in their order."""
    return [name for name in names_of(info) if name.isidentifier()]


def names_of(info: FieldInfo, prefix: str = "") -> list[str]:
    """Return the names of a setting, in their order: its key in the stack's configuration, then its variables."""
    choices = info.validation_alias
    assert isinstance(choices, AliasChoices)  # noqa: S101  `setting` declares every field with AliasChoices
    return [name for name in map(str, choices.choices) if name.startswith(prefix)]


def _endpoint_variable(region: str) -> str:
    return f"{ENDPOINT_VARIABLES}{region.upper().replace('-', '_')}"


def _endpoint_from_environment(region: str) -> Address | None:
    """Return the first address in the variable of Huawei Cloud's SDK, which may list several, or None."""
    name = _endpoint_variable(region)
    first = os.environ.get(name, "").split(",")[0].strip()
    return Address(_complete_address(first, name).removesuffix("/v2.0"), name) if first else None


def iam_v3(address: str, source: str) -> str:
    """Return an address of IAM with `/v3` at its end. Raises SettingsError, naming `source`, if it is not valid."""
    return _complete_address(address, source).removesuffix("/auth/tokens").removesuffix("/v3") + "/v3"


def _complete_address(endpoint: str, source: str) -> str:
    """Return an address with its scheme and without a slash at its end.

    Raises SettingsError for text that is no address. The error does not show it, because it may contain a password.
    """
    address = endpoint if "://" in endpoint else f"https://{endpoint}"
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or "@" in address or "?" in address or "#" in address:
        raise SettingsError(f"{source}: must be an address, for example https://dli.eu-de.otc.t-systems.com")
    return address.rstrip("/")
