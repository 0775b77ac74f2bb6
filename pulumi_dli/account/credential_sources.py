"""Where credentials are looked for: one function a source, in the order in which the sources count.

A new source is one function here, and its name in `SOURCES`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi_dli.account.credentials import CREDENTIALS, Credentials
from pulumi_dli.account.settings import NAMESPACE, is_blank, names_of, read_model
from pulumi_dli.api.errors import SettingsError

_FILE = "~/.huaweicloud/credentials"
_FILE_VARIABLE = "HUAWEICLOUD_SDK_CREDENTIALS_FILE"

Names = Mapping[str, list[str]]
"""The names of each field of the credentials, in the order in which they count."""


@dataclass(frozen=True)
class CredentialSource:
    """A place where credentials may be, as it was read.

    Args:
        label: Where the place is, in words.
        families: The names that belong together: a set of credentials takes all its values from one family.
        values: What is there, by name.
        remark: What was found instead of credentials.
        project_id: The id of the project that stands beside the credentials.
        iam_endpoint: The name and the value of the address of IAM that stands beside them.
    """

    label: str
    families: tuple[Names, ...]
    values: Mapping[str, Any]
    remark: str = ""
    project_id: str | None = None
    iam_endpoint: tuple[str, str] | None = None

    def listed(self) -> str:
        """Name all that was looked for here, in order."""
        sets = (
            _with([_either(self._marked(_names_of_part(part, names))) for part in kind.parts])
            for kind in CREDENTIALS
            for names in self.families
            if all(names.get(part[0]) for part in kind.parts)
        )
        return f"{self.label}{self.remark} {', '.join(sets)}"

    def _marked(self, names: Iterable[str]) -> Iterator[str]:
        for name in names:
            if name in self.values:  # what is set here is blank, or a domain without a user
                yield f"{name} ({'empty' if is_blank(self.values[name]) else 'set'})"
            else:
                yield name


def stack_configuration(stack: Mapping[str, Any]) -> CredentialSource:
    """Read the stack's configuration."""
    label = "in the stack's configuration"
    return CredentialSource(label, _families(f"{NAMESPACE}:"), stack, " (pulumi config set --secret)")


def environment(_stack: Mapping[str, Any]) -> CredentialSource:
    """Read the environment, with the variables of OpenStack, of Terraform and of Huawei Cloud's SDK."""
    return CredentialSource("in the environment", _families("OS_", "HW_", "HUAWEICLOUD_SDK_"), os.environ)


def huawei_sdk_file(_stack: Mapping[str, Any]) -> CredentialSource:
    """Read the file of Huawei Cloud's SDK. Raises SettingsError for one that cannot be read, without showing it."""
    name = os.environ.get(_FILE_VARIABLE) or _FILE
    parser = ConfigParser(interpolation=None)
    values, remark = {}, ""
    try:
        with Path(name).expanduser().open(encoding="utf-8") as file:
            parser.read_file(file)
        values = {f"[basic] {key}": value for key, value in parser["basic"].items()}
    except FileNotFoundError:
        remark = ", which is not there,"
    except KeyError:
        remark = ", which has no section [basic],"
    except (OSError, UnicodeDecodeError, ConfigParserError) as error:
        raise SettingsError(
            f"the file {name} cannot be read ({type(error).__name__}). It is an INI file with a section [basic]"
        ) from None  # the parser's error shows the line, which may hold a secret
    iam_endpoint = values.get("[basic] iam_endpoint")
    return CredentialSource(
        f"in the file {name}",
        ({"access_key": ["[basic] ak"], "secret_key": ["[basic] sk"], "security_token": ["[basic] security_token"]},),
        values,
        remark,
        project_id=values.get("[basic] project_id") or None,
        iam_endpoint=("[basic] iam_endpoint", iam_endpoint) if iam_endpoint else None,
    )


SOURCES: tuple[Callable[[Mapping[str, Any]], CredentialSource], ...] = (
    stack_configuration,
    environment,
    huawei_sdk_file,
)
"""The sources, in the order in which they count. Each is read only where those before it have no credentials."""


def load_credentials(stack: Mapping[str, Any]) -> Credentials:
    """Give one complete set of credentials, from the first source that has any part of one.

    `stack` is the stack's configuration, with keys as in `dli:token`, values decrypted. Raises SettingsError where
    there are no credentials, with every place that was looked at, or where a set is not whole.
    """
    looked_at = []
    for read in SOURCES:
        source = read(stack)
        for kind in CREDENTIALS:
            for names in source.families:
                found = _take(kind, source, names)
                if found is not None:
                    return found
        looked_at.append(source.listed())
    raise SettingsError(
        f"no credentials. Looked at, in this order: {'; '.join(looked_at)}. Set a token; or an access key with its "
        "secret key; or user, password and domain; or an application credential; or a cloud of clouds.yaml"
    )


def _take(kind: type[Credentials], source: CredentialSource, names: Names) -> Credentials | None:
    """Take a set of credentials from a family of names; None where nothing of it is there."""
    given = {field: _given(source, names.get(field, [])) for field in kind.model_fields}
    if not _is_begun(kind, given):
        return None
    given_names = [name for of in given.values() for name in of]
    missing = _missing(kind, given, names)
    if missing:
        raise SettingsError(
            f"half a set of credentials {source.label}: {_and(given_names)} without {_and(missing)}. A set comes from "
            "one place as a whole"
        )
    values = {names_of(kind.model_fields[field])[0]: source.values[of[0]] for field, of in given.items() if of}
    credentials = read_model(kind, values, lambda field: given[field][0])
    return credentials.found(
        f"{_and(given_names)} {source.label}", project_id=source.project_id, iam_endpoint=source.iam_endpoint
    )


def _given(source: CredentialSource, names: Iterable[str]) -> list[str]:
    return [name for name in names if not is_blank(source.values.get(name))]


def _missing(kind: type[Credentials], given: Names, names: Names) -> list[str]:
    """Name the parts of a set that are not there."""
    absent = (part for part in kind.parts if not any(given[field] for field in part))
    return [_either(_names_of_part(part, names)) for part in absent]


def _is_begun(kind: type[Credentials], given: Names) -> bool:
    """Tell whether anything of a set is there. A domain alone is nothing of it: other tools set it too."""
    either = {field for part in kind.parts if len(part) > 1 for field in part}
    return any(names for field, names in given.items() if field not in either)


def _families(*beginnings: str) -> tuple[Names, ...]:
    """Give the declared names of all fields, one family for each beginning of a name."""
    fields = {field: info for kind in CREDENTIALS for field, info in kind.model_fields.items()}
    return tuple({field: names_of(info, beginning) for field, info in fields.items()} for beginning in beginnings)


def _names_of_part(part: tuple[str, ...], names: Names) -> Iterator[str]:
    return (name for field in part for name in names.get(field, []))


def _either(names: Iterable[str]) -> str:
    return " or ".join(names)


def _and(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _with(parts: list[str]) -> str:
    return " with ".join([parts[0], _and(parts[1:])] if parts[1:] else parts)
