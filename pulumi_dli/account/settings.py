"""Settings: where the service is, how long and how often it is asked. `credentials` has the settings that sign in.

Each setting is declared once, with its names in the order in which they count: in the stack's configuration (`dli:…`),
then in the environment.
"""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    Field,
    FilePath,
    NonNegativeInt,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from pulumi_dli.api import regions
from pulumi_dli.api.clock import parse_duration
from pulumi_dli.api.errors import SettingsError
from pulumi_dli.api.location import Location

NAMESPACE = "dli"


def sendable(value: Any) -> str:
    """Refuse what no HTTP header can carry, without showing it: it may be secret."""
    text = str(value).strip()
    if not (text.isascii() and text.isprintable()):
        raise ValueError("has a character that cannot be sent, such as a line break or a letter that is not ASCII")
    return text


Seconds = Annotated[float, BeforeValidator(parse_duration), Field(gt=0)]
"""A duration: `90s`, `20m`, `2h`, or a number of seconds."""


def setting(key: str, *elsewhere: str, default: Any = None) -> Any:
    """Declare a setting: its name in the stack's configuration, then those elsewhere, in their order."""
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

    region: str | None = setting("region", "DLI_REGION", "OS_REGION_NAME", "HW_REGION_NAME")
    """The region, as in `eu-de`."""
    project_id: str | None = setting(
        "projectId", "DLI_PROJECT_ID", "OS_PROJECT_ID", "HW_PROJECT_ID", "HUAWEICLOUD_SDK_PROJECT_ID"
    )
    """The id of the project; by default it is looked up by the project's name."""
    project_name: str | None = setting("projectName", "OS_PROJECT_NAME", "OS_TENANT_NAME", "HW_PROJECT_NAME")
    """The name of the project, where its id is not given; by default the region's."""
    endpoint: str | None = setting("endpoint", "DLI_ENDPOINT")
    """The address of DLI; by default made from the region."""
    auth_url: str | None = setting("authUrl", "OS_AUTH_URL", "HW_AUTH_URL", "HUAWEICLOUD_SDK_IAM_ENDPOINT")
    """The address of IAM; by default made from the region."""
    ca_cert: FilePath | None = setting("caCert", "OS_CACERT")
    """A file with the certificates to trust."""
    insecure: bool = setting("insecure", "OS_INSECURE", default=False)
    """True: certificates are not checked."""
    max_retries: NonNegativeInt = setting("maxRetries", "DLI_MAX_RETRIES", default=5)
    """How often a call that may be repeated is repeated."""
    retry_pause: Seconds = setting("retryPause", "DLI_RETRY_PAUSE", default=0.5)
    """How long the pause before the first repetition is; each further one is twice as long."""
    request_timeout: Seconds = setting("requestTimeout", "DLI_REQUEST_TIMEOUT", default=60.0)
    """How long the service may be silent during a call."""
    poll_interval: Seconds = setting("pollInterval", "DLI_POLL_INTERVAL", default=10.0)
    """The longest pause between two looks at a job."""
    lookup_window: Seconds = setting("lookupWindow", "DLI_LOOKUP_WINDOW", default=60.0)
    """How long a submission without an answer is looked for before it is sent again."""
    scope: str = setting("scope", "DLI_SCOPE", default="")
    """Tells apart stacks of equal names in one project."""
    forget: str | None = setting("forget", "DLI_FORGET")
    """The id of a project that is gone: nothing is called for the jobs that ran there."""
    adopt: bool = setting("adopt", "DLI_ADOPT", default=True)
    """False: a job that an interrupted `up` left is not adopted."""
    wait: bool = setting("wait", "DLI_WAIT", default=True)
    """False: waits pass at once in the program; the provider still gives the verdict."""

    @classmethod
    def load(cls, stack_configuration: Mapping[str, Any]) -> Settings:
        """Read the settings. `stack_configuration` has keys as in `dli:region`, values decrypted.

        Raises SettingsError for a value that cannot be read.
        """
        given = {key: value for key, value in stack_configuration.items() if not is_blank(value)}
        values = ChainMap(given, os.environ)

        def source_of(field: str) -> str:
            return next(name for name in names_of(cls.model_fields[field]) if not is_blank(values.get(name)))

        return read_model(cls, given, source_of)

    @property
    def verify(self) -> bool | str:
        """Whether certificates are checked, and against which file, as requests takes it."""
        if self.insecure:
            return False
        return True if self.ca_cert is None else str(self.ca_cert)

    def location(self, project_id: str, region: str | None) -> Location:
        """Say where the jobs of a project are. Raises SettingsError where the address is not known."""
        try:
            project_id = sendable(project_id)
        except ValueError as error:
            raise SettingsError(f"the project's id {error}") from error
        if self.endpoint:
            endpoint = _checked(self.endpoint, places_of("endpoint"))
        elif region is None:
            raise SettingsError(f"no region: set {places_of('region')}; or the address itself, {places_of('endpoint')}")
        else:
            endpoint = _endpoint_from_environment(region) or regions.dli_address(region) or ""
            if not endpoint:
                raise SettingsError(_unknown_region(region))
        return Location(endpoint, region, project_id)

    def iam(self, region: str | None) -> str | None:
        """Give the address of IAM, which ends in `/v3`; None where neither it nor a known region is given.

        Raises SettingsError for an address that is none.
        """
        if self.auth_url:
            return iam_v3(self.auth_url, places_of("auth_url"))
        address = regions.iam_address(region) if region else None
        return f"{address}/v3" if address else None


def _unknown_region(region: str) -> str:
    spelling = "Check its spelling (eu-de is Open Telekom Cloud's, cn-north-4 one of Huawei Cloud's)"
    known = regions.WITHOUT_DLI.get(region, spelling)
    return (
        f"region {region!r} is not known to have DLI. {known}; or set the address itself, {places_of('endpoint')}, or "
        f"{_endpoint_variable(region)} (environment)"
    )


Model = TypeVar("Model", bound=BaseModel)


def read_model(model: type[Model], given: Mapping[str, Any], source_of: Callable[[str], str]) -> Model:
    """Make a model of what is given, by the names of its fields in the stack's configuration.

    The error for a bad value shows no secret. `source_of` gives the place of a field's value, which the error names.
    """
    try:
        return model(**given)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        field = next(field for field, info in model.model_fields.items() if problem["loc"][0] in names_of(info))
        raise SettingsError(f"{source_of(field)}: {problem['msg'].removeprefix('Value error, ')}") from error


def is_blank(value: Any) -> bool:
    """Tell whether there is nothing, or nothing but blanks."""
    return value is None or not str(value).strip()


def variables(info: FieldInfo) -> list[str]:
    """Name the variables of the environment in which a setting is looked for, in their order."""
    return [name for name in names_of(info) if name.isidentifier()]


def names_of(info: FieldInfo, beginning: str = "") -> list[str]:
    """Name the places of a setting, in their order: those that begin so."""
    choices = info.validation_alias
    assert isinstance(choices, AliasChoices)  # noqa: S101  `setting` makes it so
    return [name for name in map(str, choices.choices) if name.startswith(beginning)]


def places_of(field: str) -> str:
    """Name the places of a setting in words, in their order; those where nothing but a blank was found are marked."""
    info = Settings.model_fields[field]
    is_empty = {name for name in variables(info) if name in os.environ and is_blank(os.environ[name])}
    marked = (f"{name} (empty)" if name in is_empty else name for name in variables(info))
    return f"{names_of(info)[0]} (pulumi config set), or {', '.join(marked)} (environment)"


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
