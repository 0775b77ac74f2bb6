"""The name of a submission. By its name the provider finds a job whose answer was lost.

A name is `<logical name>-<resource>-<request>-<random>`. The first fingerprint identifies the resource, the second the
request; each has 8 hex digits. The random part has 6 hex digits and is new in every submission, so the name identifies
one submission.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Any

_MAX_NAME_LENGTH = 128  # dli_02_0124, "name"
_SUFFIX = re.compile(r"-([0-9a-f]{8})-([0-9a-f]{8})-([0-9a-f]{6})\Z")
_KEPT_LENGTH = _MAX_NAME_LENGTH - 25


def _digest(*parts: Any) -> str:
    document = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(document.encode()).hexdigest()[:8]


def resource_fingerprint_of(*identity: Any) -> str:
    """Return the fingerprint of a resource: 8 hex digits that distinguish it from all other resources.

    `identity` has its organization, project, stack, parent (types and name) and logical name. It also has the setting
    `dli:scope`, for stacks that are equal in everything else.
    """
    return _digest(*identity)


def request_fingerprint_of(
    canonical: dict[str, Any], triggers: Any, replacement_trigger: Any, left_out: Collection[str] = ()
) -> str:
    """Return the fingerprint of a request: 8 hex digits of the canonical request and of the triggers.

    `left_out` has the names of the properties that they do not contain. It distinguishes the request from one that
    does not have these properties at all.
    """
    parts = canonical, triggers or {}, replacement_trigger
    return _digest(*parts, sorted(left_out)) if left_out else _digest(*parts)


def logical_names(resource_name: str, large_numbers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the logical names that a run with these numbers may have: first today's form, then the form of 0.1.0.

    Today's form ends with 8 hex digits of the exact numbers, because the fingerprint contains them rounded. Without
    large numbers the result is empty: every name is allowed.
    """
    if not large_numbers:
        return ()
    variant = f"-{_digest(large_numbers)}"
    return f"{resource_name[: _KEPT_LENGTH - len(variant)]}{variant}", resource_name[:_KEPT_LENGTH]


@dataclass(frozen=True)
class SubmissionName:
    """The parts of a submission's name."""

    resource_name: str
    resource_fingerprint: str
    request_fingerprint: str
    random: str

    @classmethod
    def new(cls, resource_name: str, resource_fingerprint: str, request_fingerprint: str) -> SubmissionName:
        """Return a new name. No other submission has it."""
        return cls(resource_name, resource_fingerprint, request_fingerprint, secrets.token_hex(3))

    @classmethod
    @lru_cache(maxsize=2**14)  # before each submission, the name of every live job is read
    def parse(cls, text: str | None) -> SubmissionName | None:
        """Return the parts of a name, or None if this package has not made it."""
        match = _SUFFIX.search(text or "")
        return cls((text or "")[: match.start()], *match.groups()) if match else None

    def __str__(self) -> str:
        """Return the name as text. It cuts a long logical name so that the text has at most 128 characters."""
        kept = self.resource_name[:_KEPT_LENGTH]
        return f"{kept}-{self.resource_fingerprint}-{self.request_fingerprint}-{self.random}"


def is_respelled(answered: str | None, submitted: str) -> bool:
    """Return whether the name in an answer may be the submitted name, as the service writes it.

    A service may omit the name, change case and blanks, or cut the end. What is left of a cut name must still have the
    fingerprint of the resource or 32 characters. Otherwise it may be the name of somebody else's job.
    """
    if not answered or is_same_name(answered, submitted):
        return True
    name = SubmissionName.parse(submitted)
    shortest = min(32, len(_folded(name.resource_name)) + 9) if name is not None else len(submitted)
    return len(_folded(answered)) >= shortest and _folded(submitted).startswith(_folded(answered))


def is_same_name(answered: str | None, submitted: str) -> bool:
    """Return whether two names differ in case and blanks at most."""
    return answered is not None and _folded(answered) == _folded(submitted)


def submission_of(name: str | None) -> str | None:
    """Return the text that only the runs of one submission have in common, or None if the name proves nothing.

    A name that the user declares proves nothing, because any number of jobs may have it.
    """
    folded = _folded(name or "")
    return folded if SubmissionName.parse(folded) is not None else None


def _folded(name: str) -> str:
    return "".join(name.split()).casefold()


class Relation(Enum):
    """How a run relates to a job, judged by the name of the run."""

    NONE = auto()
    """It is a run of another job."""
    SAME = auto()
    """It is a run of this job with today's declaration."""
    SAME_BUT_SECRETS = auto()
    """It is a run of this job with today's declaration, except that its secret values may differ."""
    SAME_FIXED_NAME = auto()
    """It has the job's fixed name. Other jobs may have this name too, so the requests must be compared."""
    OTHER_DECLARATION = auto()
    """It is a run of this job with another declaration."""


def relation_of(
    run_name: str | None,
    *,
    resource: str,
    requests: Collection[str],
    similar_requests: Collection[str] = (),
    fixed_name: str | None,
    logical_names: Collection[str] = (),
) -> Relation:
    """Return how a run relates to a job, judged by the name of the run.

    Args:
        run_name: The name of the run.
        resource: The fingerprint of the job's resource.
        requests: The fingerprints that prove an equal request, today's and earlier forms.
        similar_requests: The fingerprints of requests that are equal except in their secret values.
        fixed_name: The name that the user declares, or None.
        logical_names: The logical names that the run may have. Empty if every name is allowed.
    """
    if fixed_name is not None and run_name == fixed_name:
        return Relation.SAME_FIXED_NAME
    name = SubmissionName.parse(run_name)
    if name is None or name.resource_fingerprint != resource:
        return Relation.NONE
    has_numbers = not logical_names or name.resource_name in logical_names
    if fixed_name is not None or not has_numbers:
        return Relation.OTHER_DECLARATION
    if name.request_fingerprint in requests:
        return Relation.SAME
    is_similar = name.request_fingerprint in similar_requests
    return Relation.SAME_BUT_SECRETS if is_similar else Relation.OTHER_DECLARATION
