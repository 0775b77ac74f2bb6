"""The sources of credentials: the stack's configuration, the environment and the file of Huawei Cloud's SDK.

To add a source, write one function here and add it to `SOURCES`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulumi_dli.account.configuration_place import NAMESPACE, ConfigurationPlace
from pulumi_dli.account.credentials import CREDENTIALS, Credentials
from pulumi_dli.account.same_cloud import Surroundings, surroundings_in
from pulumi_dli.account.settings import Address, is_blank, names_of, read_model
from pulumi_dli.api.errors import NoCredentialsError, SettingsError

_FILE = "~/.huaweicloud/credentials"
_FILE_VARIABLE = "HUAWEICLOUD_SDK_CREDENTIALS_FILE"

Names = Mapping[str, list[str]]
"""For each field of the credentials, the names of its value in a source. The first name with a value counts."""


@dataclass(frozen=True)
class CredentialSource:
    """The content of one place that may have credentials.

    Args:
        label: The place, in words.
        families: Groups of names that belong together. A set of credentials takes all its values from one group.
        values: The values in this place, by name.
        remark: Why there are no credentials, in words; empty if there may be some.
        project_id: The id of the project that belongs to the credentials.
        iam_endpoint: The address of IAM that belongs to the credentials.
        place: What the names are called in messages.
    """

    label: str
    families: tuple[Names, ...]
    values: Mapping[str, Any]
    remark: str = ""
    project_id: str | None = None
    iam_endpoint: Address | None = None
    place: ConfigurationPlace = field(default_factory=ConfigurationPlace)

    def surroundings(self, names: Iterable[str]) -> Surroundings:
        """Return what is set beside the credentials with these names."""
        if self.iam_endpoint is not None:
            return Surroundings((self.iam_endpoint,))
        return surroundings_in(self.values, names)

    def describe_search(self) -> str:
        """Return the names that were searched in this place, in their order, as text for an error message."""
        sets = (
            _join_parts([_join_with_or(self._mark_set(_names_of_part(part, names))) for part in kind.parts])
            for kind in CREDENTIALS
            for names in self.families
            if all(names.get(part[0]) for part in kind.parts)
        )
        return f"{self.label}{self.remark}: {', '.join(sets)}"

    def _mark_set(self, names: Iterable[str]) -> Iterator[str]:
        """Mark the names that are set. Their value is blank, or it is a domain without a user."""
        for name in names:
            if name in self.values:
                yield f"{self.place.name(name)} ({'empty' if is_blank(self.values[name]) else 'set'})"
            else:
                yield self.place.name(name)


def stack_configuration(stack: Mapping[str, Any]) -> CredentialSource:
    """Return the stack's configuration as a source, or the arguments of an explicit provider."""
    place = ConfigurationPlace.of(stack)
    return CredentialSource(place.label, _families(f"{NAMESPACE}:"), stack, place.secret_command, place=place)


def environment(_stack: Mapping[str, Any]) -> CredentialSource:
    """Return the environment as a source, with the variables of OpenStack, of Terraform and of Huawei Cloud's SDK."""
    return CredentialSource("in the environment", _families("OS_", "HW_", "HUAWEICLOUD_SDK_"), os.environ)


def huawei_sdk_file(_stack: Mapping[str, Any]) -> CredentialSource:
    """Return the credentials file of Huawei Cloud's SDK as a source.

    Raises SettingsError if the file exists but cannot be read. The error does not show the content.
    """
    name = os.environ.get(_FILE_VARIABLE) or _FILE
    parser = ConfigParser(interpolation=None)
    values, remark = {}, ""
    try:
        with Path(name).expanduser().open(encoding="utf-8") as file:
            parser.read_file(file)
        values = {f"[basic] {key}": value for key, value in parser["basic"].items()}
    except (FileNotFoundError, RuntimeError):  # RuntimeError: nobody knows the home directory
        remark = ", which is not there"
    except KeyError:
        remark = ", which has no section [basic]"
    except (OSError, UnicodeDecodeError, ConfigParserError) as error:
        raise SettingsError(
            f"the file {name} cannot be read ({type(error).__name__}). It is an INI file with a section [basic]"
        ) from None  # without its cause: the parser's error shows the line, which may contain a secret
    iam_endpoint = values.get("[basic] iam_endpoint")
    return CredentialSource(
        f"in the file {name}",
        ({"access_key": ["[basic] ak"], "secret_key": ["[basic] sk"], "security_token": ["[basic] security_token"]},),
        values,
        remark,
        project_id=values.get("[basic] project_id") or None,
        iam_endpoint=Address(iam_endpoint, f"[basic] iam_endpoint of {name}") if iam_endpoint else None,
    )


SOURCES: tuple[Callable[[Mapping[str, Any]], CredentialSource], ...] = (
    stack_configuration,
    environment,
    huawei_sdk_file,
)
"""The sources in their order. A source is read only if the sources before it have no credentials."""


def load_credentials(stack: Mapping[str, Any]) -> Credentials:
    """Return one complete set of credentials from the first source that has any part of a set.

    Raises NoCredentialsError if no source has credentials, with a line for each place. Raises SettingsError if the set
    is incomplete.

    Args:
        stack: The stack's configuration: keys such as `dli:token`, values decrypted; or the `ProviderArguments` that
            count in its place.
    """
    searched = []
    for read in SOURCES:
        source = read(stack)
        for kind in CREDENTIALS:
            for names in source.families:
                credentials = _read_set(kind, source, names)
                if credentials is not None:
                    return credentials
        searched.append(source.describe_search())
    places = "".join(f"\n  {place}" for place in searched)
    raise NoCredentialsError(
        "no credentials. Set a token; or an access key with its secret key; or user, password and domain; or an "
        f"application credential; or a cloud of clouds.yaml. Searched, in this order:{places}",
        provider=ConfigurationPlace.of(stack).provider,
    )


def _read_set(kind: type[Credentials], source: CredentialSource, names: Names) -> Credentials | None:
    """Return the set of credentials under one family of names, or None if the source has no part of it.

    Raises SettingsError if the set is incomplete or a value cannot be used.
    """
    present = {field: _names_with_value(source, names.get(field, [])) for field in kind.model_fields}
    if not _has_any_part(kind, present):
        return None
    all_present = [name for field_names in present.values() for name in field_names]
    shown = [source.place.name(name) for name in all_present]
    missing = _missing_parts(kind, present, names, source.place)
    if missing:
        raise SettingsError(
            f"half a set of credentials {source.label}: {_join_with_and(shown)} without "
            f"{_join_with_and(missing)}. A set comes from one place as a whole"
        )
    values = {
        names_of(kind.model_fields[field])[0]: source.values[field_names[0]]
        for field, field_names in present.items()
        if field_names
    }
    credentials = read_model(kind, values, lambda field: source.place.name_with_owner(present[field][0]))
    return credentials.with_origin(
        f"{_join_with_and(shown)} {source.label}",
        source.surroundings(all_present),
        project_id=source.project_id,
        iam_endpoint=source.iam_endpoint,
    )


def _names_with_value(source: CredentialSource, names: Iterable[str]) -> list[str]:
    return [name for name in names if not is_blank(source.values.get(name))]


def _missing_parts(kind: type[Credentials], present: Names, names: Names, place: ConfigurationPlace) -> list[str]:
    """Return the missing parts of a set. A part that has several names is one text, joined with `or`."""
    found = {field for field, field_names in present.items() if field_names}
    needless = {kind.needless.get(field) for field in found}
    missing = (part for part in kind.parts if not found.intersection(part) and part not in needless)
    return [_join_with_or(map(place.name, _names_of_part(part, names))) for part in missing]


def _has_any_part(kind: type[Credentials], present: Names) -> bool:
    """Return whether a source has any part of a set. A domain alone does not count, because other tools set it too."""
    return any(names for field, names in present.items() if field not in kind.shared)


def _families(*prefixes: str) -> tuple[Names, ...]:
    """Return the declared names of all fields: one family for each prefix of a name."""
    fields = {field: info for kind in CREDENTIALS for field, info in kind.model_fields.items()}
    return tuple({field: names_of(info, prefix) for field, info in fields.items()} for prefix in prefixes)


def _names_of_part(part: tuple[str, ...], names: Names) -> Iterator[str]:
    return (name for field in part for name in names.get(field, []))


def _join_with_or(names: Iterable[str]) -> str:
    return " or ".join(names)


def _join_with_and(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _join_parts(parts: list[str]) -> str:
    """Join the parts of a set: `user with password and domain`."""
    return " with ".join([parts[0], _join_with_and(parts[1:])] if parts[1:] else parts)
