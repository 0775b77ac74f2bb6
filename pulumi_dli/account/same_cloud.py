"""Decides whether credentials may go to an address: both must belong to the same cloud.

An address belongs to the cloud whose domain it has. Credentials belong to the cloud of the addresses that are set
beside them, in the same place (the stack's configuration, the environment or a file), or else to the cloud of the
region there. With neither they go to any address: in CI, the keys are often in the stack and the region is in the
environment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pulumi_dli.account.settings import ENDPOINT_VARIABLES, Address, Settings, is_blank, names_of
from pulumi_dli.api.errors import SettingsError
from pulumi_dli.api.location import is_loopback
from pulumi_dli.api.regions import CLOUDS, dli_address


@dataclass(frozen=True)
class Surroundings:
    """What is set beside credentials.

    Args:
        addresses: The addresses that tell the cloud of the credentials.
        regions: The addresses that are made from a region there. They count if there are no addresses.
        beside: The names of all addresses in the same place.
        is_file: Whether the credentials come from a file that names their cloud.
    """

    addresses: tuple[Address, ...] = ()
    regions: tuple[Address, ...] = ()
    beside: frozenset[str] = frozenset()
    is_file: bool = False

    def contradiction(self, target: Address) -> Address | None:
        """Return what tells that the credentials belong to another cloud than an address, or None."""
        if target.is_set and target.source in self.beside:
            return self._contradiction_beside(target)
        hints = self.addresses or self.regions
        return None if any(_agree(one, target) for one in hints) else next(iter(hints), None)

    def _contradiction_beside(self, target: Address) -> Address | None:
        # Whoever sets both in one place knows what belongs together, unless it is surely two clouds.
        others = self.addresses if is_loopback(target.url) else (*self.addresses, *self.regions)
        is_other = _are_two_clouds if self.is_file else _are_surely_two_clouds
        return next((one for one in others if is_other(one, target)), None)


def surroundings_in(values: Mapping[str, Any], credential_names: Iterable[str]) -> Surroundings:
    """Return the surroundings of credentials in a place.

    In the environment several tools may have their variables. Only our own (`DLI_`) and those of the same tool as
    the credentials (`OS_`, `HW_`, `HUAWEICLOUD_`) tell the cloud. If they name none, each region there does.

    Args:
        values: The values in the place, by name.
        credential_names: The names of the credentials.
    """
    prefixes = {"DLI", *(name.partition("_")[0] for name in credential_names)}
    addresses, regions = (*_addresses(values),), (*_regions(values),)
    own_addresses = tuple(one for one in addresses if _is_own(one, prefixes))
    own_regions = tuple(one for one in regions if _is_own(one, prefixes))
    beside = frozenset(one.source for one in addresses)
    return Surroundings(own_addresses, own_regions if own_addresses or own_regions else regions, beside)


def check_same_cloud(
    source: str, surroundings: Surroundings, target: Address, name_of: Callable[[str], str] = str
) -> None:
    """Raise SettingsError if credentials must not go to an address.

    Args:
        source: The credentials, in words.
        surroundings: What is set beside them.
        target: The address.
        name_of: Returns what a message calls a setting.
    """
    hint = surroundings.contradiction(target)
    if hint is not None:
        raise SettingsError(
            f"the credentials ({source}) are for {_owner(hint)} ({name_of(hint.source)}), but {target.url} "
            f"({name_of(target.source)}) is an address of {_owner(target)}. So they are not sent "
            "there. Remove the settings of the other cloud. If the address is right, set it in the same place as the "
            "credentials."
        )


def _addresses(values: Mapping[str, Any]) -> Iterator[Address]:
    names = (name for field in ("endpoint", "auth_url") for name in names_of(Settings.model_fields[field]))
    for name in (*names, *(name for name in values if name.startswith(ENDPOINT_VARIABLES))):
        if not is_blank(values.get(name)):
            yield Address(str(values[name]).split(",")[0].strip(), name)


def _regions(values: Mapping[str, Any]) -> Iterator[Address]:
    domains = (values.get(name) for name in names_of(Settings.model_fields["cloud_domain"]))
    domain = next((str(one) for one in domains if not is_blank(one)), None)
    for name in names_of(Settings.model_fields["region"]):
        url = dli_address(str(values.get(name)), domain)
        if url is not None and not is_blank(values.get(name)):
            yield Address(url, name, is_set=False)


def _is_own(address: Address, prefixes: Collection[str]) -> bool:
    return ":" in address.source or address.source.partition("_")[0] in prefixes


def _are_two_clouds(one: Address, other: Address) -> bool:
    """Return whether two addresses do not agree, and the cloud of one is known."""
    return not _agree(one, other) and any(map(_known_owner, (one, other)))


def _are_surely_two_clouds(one: Address, other: Address) -> bool:
    """Return whether the clouds of both addresses are known, and are not the same. One may be this machine."""
    return all(map(_known_owner, (one, other))) and _known_owner(one) != _known_owner(other)


def _agree(one: Address, other: Address) -> bool:
    """Return whether two addresses belong to the same cloud: one has the domain of the other."""
    first, second = _domain(one), _domain(other)
    return first == second or first.endswith(f".{second}") or second.endswith(f".{first}")


def _domain(address: Address) -> str:
    """Return the domain of a cloud: what follows the name of the service. A number of a host is its own domain."""
    known = next((cloud.domain for cloud in CLOUDS if _host(address).endswith(f".{cloud.domain}")), None)
    if known or is_loopback(address.url):
        return known or "localhost"
    _, _, rest = _host(address).partition(".")
    return rest if "." in rest and not rest.replace(".", "").isdecimal() else _host(address)


def _owner(address: Address) -> str:
    return _known_owner(address) or _domain(address)


def _known_owner(address: Address) -> str | None:
    """Return the name of the cloud, or `this machine`, or None if the cloud is not in the table."""
    if is_loopback(address.url):
        return "this machine"
    return next((cloud.name for cloud in CLOUDS if cloud.domain == _domain(address)), None)


def _host(address: Address) -> str:
    url = address.url if "://" in address.url else f"https://{address.url}"
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:  # the call to this address fails with the right words
        return ""
