"""What is to be submitted, and for which resource."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi_dli.jobs.naming import SubmissionName
from pulumi_dli.operations.run_registry import ResourceKey


@dataclass(frozen=True)
class SubmissionRequest:
    """A job to be submitted.

    `fixed_name` is the name that the user gave, if any; `body` makes the request's body; `redact` has the secret texts
    in it, which the service may repeat in a refusal. `key` names the resource that is to hold the run.
    """

    key: ResourceKey
    resource_fingerprint: str
    request_fingerprint: str
    fixed_name: str | None
    body: Callable[[str], dict[str, Any]]
    redact: Sequence[str] = ()

    @property
    def resource_name(self) -> str:
        """The logical name of the job."""
        return self.key[0]

    def new_name(self) -> str:
        """Make a name for one submission, which no other submission has."""
        return str(SubmissionName.new(self.resource_name, self.resource_fingerprint, self.request_fingerprint))
