"""Finds the job that a user means by a logical name or an id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pulumi_dli.api.models import is_uuid, normal_id
from pulumi_dli.api.states import BatchState
from pulumi_dli.cli.errors import CliError
from pulumi_dli.cli.stack import Stack, StackJob
from pulumi_dli.jobs.inputs import Properties
from pulumi_dli.jobs.outputs import FAILURE_REASON, StoredJob
from pulumi_dli.jobs.suggestion import most_similar

_MAX_NAMES = 10


@dataclass(frozen=True)
class Target:
    """A job that a command is about.

    Args:
        batch_id: The id of the run.
        stored: The outputs in the stack's state. Empty for a job that is not in the stack.
        name: The logical name. Empty for a job that is not in the stack.
        verdict: The outputs of a wait that has seen the end of the run, or an empty map.
        secrets: The texts to mask in the log of the run.
        is_native: Whether the job is a resource of the native provider.
        provider_settings: The settings of the job's explicit provider. None if the configuration of the stack counts.
        is_read_only: Whether the stack only reads the job (`BatchJob.get`).
        is_pending_delete: Whether a new job has replaced the job, and Pulumi has not deleted it yet.
    """

    batch_id: str
    stored: StoredJob = field(default_factory=lambda: StoredJob.parse({}), repr=False)
    name: str = ""
    verdict: Properties = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    is_native: bool = False
    provider_settings: Mapping[str, str] | None = field(default=None, repr=False)
    is_read_only: bool = False
    is_pending_delete: bool = False

    @property
    def is_managed(self) -> bool:
        """True if the stack declares the job, so that `pulumi up` may run it again."""
        return bool(self.name) and not self.is_read_only and not self.is_pending_delete

    @property
    def words(self) -> str:
        """The job in words, for a message."""
        return f"{self.name}: batch job {self.batch_id}" if self.name else f"batch job {self.batch_id}"

    @property
    def failure_reason(self) -> str | None:
        """The reason why the run failed, as the job or one of its waits has stored it, or None."""
        stored = (one for one in (self.verdict, self.stored.properties) if _is_dead(one))
        reasons = (one.get(FAILURE_REASON) for one in stored)
        return next((reason for reason in reasons if reason and isinstance(reason, str)), None)


def _is_dead(properties: Properties) -> bool:
    state = BatchState.parse(str(properties.get("state")))
    return state is not None and state.is_failure


def targets_in(stack: Stack) -> list[Target]:
    """Return all jobs of a stack, sorted by their names."""
    return sorted((_target(job, stack) for job in stack.jobs), key=lambda one: (one.name, one.batch_id))


def resolve(text: str, stack: Stack | None) -> Target:
    """Return the job with this logical name or id. Raises CliError if there is none, or more than one.

    Args:
        text: The name or the id.
        stack: The stack, or None if there is none.
    """
    found = _find(text, stack) if stack is not None else []
    if len(found) > 1:
        raise CliError(_ambiguous_message(text, found))
    if found and stack is not None:
        return _target(found[0], stack)
    if is_uuid(text):
        return Target(normal_id(text))
    raise CliError(_unknown_name_message(text, stack))


def _find(text: str, stack: Stack) -> list[StackJob]:
    """Return the jobs that a text names. The first of several jobs with the same id is the managed one.

    A name means the new job, if an `up` has replaced a job of this name and could not delete the old one.
    """
    with_id = [job for job in stack.jobs if job.batch_id == normal_id(text)]
    with_id.sort(key=lambda job: (job.is_read_only, job.is_pending_delete))
    with_name = [job for job in stack.jobs if job.name == text]
    return with_id[:1] or [job for job in with_name if not job.is_pending_delete] or with_name


def _target(job: StackJob, stack: Stack) -> Target:
    return Target(
        job.batch_id,
        job.stored,
        job.name,
        stack.verdict(job.batch_id),
        stack.secrets.get(job.batch_id, ()),
        job.is_native,
        job.provider_settings,
        is_read_only=job.is_read_only,
        is_pending_delete=job.is_pending_delete,
    )


def _ambiguous_message(name: str, jobs: Sequence[StackJob]) -> str:
    listed = ", ".join(f"{job.batch_id} ({f'in {job.parent}, ' if job.parent else ''}{job.urn})" for job in jobs)
    return f"{len(jobs)} jobs of the stack have the name {name}. Give the id of one of them: {listed}."


def _unknown_name_message(name: str, stack: Stack | None) -> str:
    if stack is None:
        return f"{name!r} is not the id of a batch job. `pulumi-dli jobs` lists the ids."
    names = sorted({job.name for job in stack.jobs})
    if not names:
        return f"there is no job {name!r} in {stack.words}, which has no batch jobs."
    similar = most_similar(name, names)
    suggestion = f" Did you mean {similar}?" if similar else ""
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return f"there is no job {name!r} in {stack.words}.{suggestion} Its jobs: {', '.join(names[:_MAX_NAMES])}{more}."
