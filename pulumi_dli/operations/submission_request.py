"""The request to submit a job for a resource."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pulumi_dli.jobs.naming import SubmissionName
from pulumi_dli.operations.run_registry import ResourceKey


@dataclass(frozen=True)
class SubmissionRequest:
    """A job to submit.

    Args:
        key: The key of the resource that will hold the run.
        resource_fingerprint: The fingerprint of the resource, for the name of the submission.
        request_fingerprint: The fingerprint of the request, for the name of the submission.
        fixed_name: The name that the user declares, or None.
        body: Returns the body of the request with a given name.
        redact: The texts that are masked in an answer of the service, which may repeat the request.
        logical_names: If there are any, the submitted name begins with the first, and an orphaned run has one of them.
        equal_fingerprints: Returns the fingerprints of equal requests in earlier forms. There may be hundreds, so they
            are computed only if there is a run to compare with.
        similar_fingerprints: Returns the fingerprints of requests that are equal except in some properties, each with
            the names of these properties.
    """

    key: ResourceKey
    resource_fingerprint: str
    request_fingerprint: str
    fixed_name: str | None
    body: Callable[[str], dict[str, Any]]
    redact: Sequence[str] = ()
    logical_names: tuple[str, ...] = ()
    equal_fingerprints: Callable[[], Collection[str]] = frozenset
    similar_fingerprints: Callable[[], Mapping[str, Collection[str]]] = dict

    @cached_property
    def proving_fingerprints(self) -> frozenset[str]:
        """The fingerprints which prove that an orphaned run has an equal request."""
        own = {self.request_fingerprint} - self.open_fingerprints.keys()
        return frozenset((*own, *self.equal_fingerprints()))

    @cached_property
    def open_fingerprints(self) -> Mapping[str, Collection[str]]:
        """The fingerprints of orphaned runs of which some properties are still to be compared, with their names."""
        return self.similar_fingerprints()

    @property
    def resource_name(self) -> str:
        """The logical name of the job."""
        return self.key[0]

    def new_name(self) -> str:
        """Return a new name for one submission. No other submission has it."""
        name = next(iter(self.logical_names), self.resource_name)
        return str(SubmissionName.new(name, self.resource_fingerprint, self.request_fingerprint))
