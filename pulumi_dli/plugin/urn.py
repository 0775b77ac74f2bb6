"""URNs, the engine's names of resources, and the identity of a job that follows from its URN."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pulumi_dli.jobs.naming import resource_fingerprint_of


@dataclass(frozen=True)
class Urn:
    """The parts of `urn:pulumi:STACK::PROJECT::TYPES::NAME`.

    `types` has the types of the resource's parents and its own type, separated by `$`.
    """

    stack: str
    project: str
    types: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Urn:
        """Return the parts of a URN. Raises ValueError for text that is no URN."""
        head, project, types, name = text.split("::", 3)
        return cls(head.removeprefix("urn:pulumi:"), project, types, name)

    @property
    def type(self) -> str:
        """The type of the resource itself."""
        return self.types.rpartition("$")[2]

    @cached_property
    def scope(self) -> str:
        """The fingerprint of the resource, which distinguishes its jobs from those of all stacks.

        The engine does not tell the organization. Two stacks of two organizations with equal names need `dli:scope`.
        """
        return resource_fingerprint_of("urn", self.stack, self.project, self.types, self.name)

    @property
    def dynamic_scope(self) -> str | None:
        """The fingerprint that the dynamic provider gives to this resource, or None if it cannot be known.

        That fingerprint contains the name of the parent, which the URN does not have, and the organization. With a
        backend other than Pulumi Cloud the organization is always `organization`.
        """
        if self.types != self.type:
            return None
        return resource_fingerprint_of("organization", self.project, self.stack, [], self.name)
