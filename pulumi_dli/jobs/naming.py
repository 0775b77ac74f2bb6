"""The name of a submission, by which it is found again when its reply was lost.

A name is `<logical name>-<resource>-<request>-<random>`. The two fingerprints have 8 hex digits, and the random part
has 6. The first fingerprint says whose job it is, the second what it runs. The random part is new with every
submission, so a name stands for one submission.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

_MAX_NAME_LENGTH = 128  # dli_02_0124, "name"
_SUFFIX = re.compile(r"-([0-9a-f]{8})-([0-9a-f]{8})-([0-9a-f]{6})\Z")
_KEPT_LENGTH = _MAX_NAME_LENGTH - 25


def _digest(*parts: Any) -> str:
    document = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(document.encode()).hexdigest()[:8]


def resource_fingerprint_of(*identity: Any) -> str:
    """Make the 8 hex digits that tell one resource from all others.

    `identity` is what makes it that resource: organization, project, stack, its parent (the types that lead to it, and
    its name), its logical name; and the setting `dli:scope`, for stacks that are equal in all the rest.
    """
    return _digest(*identity)


def request_fingerprint_of(canonical: dict[str, Any], triggers: Any, replacement_trigger: Any) -> str:
    """Make the 8 hex digits that stand for what is run: the canonical request, and the values that re-run it."""
    return _digest(canonical, triggers or {}, replacement_trigger)


def logical_names(resource_name: str, large_numbers: Mapping[str, str]) -> tuple[str, ...]:
    """Give the logical names that a run with these numbers may have: the new one first, then the one of 0.1.0.

    The new one ends with 8 hex digits for the numbers, which the fingerprint has rounded. Without numbers there are no
    names, since any will do.
    """
    if not large_numbers:
        return ()
    variant = f"-{_digest(large_numbers)}"
    return f"{resource_name[: _KEPT_LENGTH - len(variant)]}{variant}", resource_name[:_KEPT_LENGTH]


@dataclass(frozen=True)
class SubmissionName:
    """A submission's name in its parts."""

    resource_name: str
    resource_fingerprint: str
    request_fingerprint: str
    random: str

    @classmethod
    def new(cls, resource_name: str, resource_fingerprint: str, request_fingerprint: str) -> SubmissionName:
        """Make a name that no other submission has."""
        return cls(resource_name, resource_fingerprint, request_fingerprint, secrets.token_hex(3))

    @classmethod
    def parse(cls, text: str | None) -> SubmissionName | None:
        """Read a name; None where it is not one of ours."""
        match = _SUFFIX.search(text or "")
        return cls((text or "")[: match.start()], *match.groups()) if match else None

    def __str__(self) -> str:
        """Write the name; a long logical name is cut so that the whole has at most 128 characters."""
        kept = self.resource_name[:_KEPT_LENGTH]
        return f"{kept}-{self.resource_fingerprint}-{self.request_fingerprint}-{self.random}"


def is_anothers(answered: str | None, submitted: str) -> bool:
    """Return whether the name in an answer says that the answer is about another submission than `submitted`.

    A missing name says nothing, and a service may change a name in case, blanks or length. Only another name of ours
    is proof.
    """
    return SubmissionName.parse(answered) is not None and not is_same_name(answered, submitted)


def is_same_name(answered: str | None, submitted: str) -> bool:
    """Return whether two names differ in case and blanks at most."""
    return answered is not None and _folded(answered) == _folded(submitted)


def _folded(name: str) -> str:
    return "".join(name.split()).casefold()


class Relation(Enum):
    """What the name of a run says about a job that is to be submitted."""

    NONE = auto()
    """It is the run of another job."""
    SAME = auto()
    """It is a run of this very job, as it is declared now."""
    SAME_FIXED_NAME = auto()
    """It has the name that the user fixed, which other jobs may have too: only its request can tell."""
    OTHER_DECLARATION = auto()
    """It is a run of this job, as it was declared before."""


def relation_of(
    run_name: str | None,
    *,
    resource: str,
    requests: Collection[str],
    fixed_name: str | None,
    logical_names: Collection[str] = (),
) -> Relation:
    """Tell from a run's name whether it is a run of the job with these fingerprints and this fixed name.

    The job has one of `requests`. If `logical_names` are given, its run has one of them.
    """
    if fixed_name is not None and run_name == fixed_name:
        return Relation.SAME_FIXED_NAME
    name = SubmissionName.parse(run_name)
    if name is None or name.resource_fingerprint != resource:
        return Relation.NONE
    has_numbers = not logical_names or name.resource_name in logical_names
    is_same = fixed_name is None and name.request_fingerprint in requests and has_numbers
    return Relation.SAME if is_same else Relation.OTHER_DECLARATION
