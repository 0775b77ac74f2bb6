"""The resource `BatchJobWait`: the outcome of a batch job, which other resources can depend on."""

from collections.abc import Sequence
from typing import Any, final

import pulumi
from pulumi import dynamic
from pulumi.output import UNKNOWN

from pulumi_dli.program.registration import fill_undeclared, given, outputs_only
from pulumi_dli.program.secret_inputs import secret_texts
from pulumi_dli.program.seen_ends import declare_wait
from pulumi_dli.program.types import (
    SubmittedTo,
    SubmittedToArgsDict,
    Until,
    input_type_of,
    with_getters,
)
from pulumi_dli.provider import BatchJobWaitProvider


@final
@with_getters
class BatchJobWait(dynamic.Resource, module="dli", name="BatchJobWait"):
    """The outcome of a batch job: it exists once the job has reached what is waited for.

    It only reads, so it may fail, be interrupted and be repeated: the next `pulumi up` goes on waiting.
    """

    job_id: pulumi.Output[str] = pulumi.property("jobId")
    """The id of the batch job."""
    until: pulumi.Output[str]
    """What was waited for."""
    timeout: pulumi.Output[str | float | None]
    """How long one `pulumi up` waits at most."""
    job_name: pulumi.Output[str] = pulumi.property("jobName")
    """The job's logical name."""
    submitted_to: pulumi.Output[SubmittedTo | None] = pulumi.property("submittedTo")
    """The place where the job was submitted, if it was given."""
    rerun_on_failure: pulumi.Output[bool | None] = pulumi.property("rerunOnFailure")
    """Whether the next `pulumi up` runs a dead job again."""
    redact: pulumi.Output[Sequence[str] | None]
    """The texts that are masked in the job's log. Secret."""

    state: pulumi.Output[str]
    """The state of the job when the wait ended."""
    app_id: pulumi.Output[str | None] = pulumi.property("appId")
    """The id of the application behind the job. Not the job's id."""
    log: pulumi.Output[Sequence[str] | None]
    """The last lines of the job's record, at most ten. Masked, and secret, where an input of the job is secret."""
    create_time: pulumi.Output[int | None] = pulumi.property("createTime")
    """When the job was created, in milliseconds since 1970."""
    update_time: pulumi.Output[int | None] = pulumi.property("updateTime")
    """When it last changed, in milliseconds since 1970."""
    duration: pulumi.Output[int | None]
    """How long it has run, in milliseconds."""

    def __init__(
        self,
        resource_name: str,
        *,
        job_id: pulumi.Input[str],
        until: pulumi.Input[Until] = "success",
        timeout: pulumi.Input[str | float] | None = None,
        job_name: str | None = None,
        submitted_to: pulumi.Input[SubmittedToArgsDict] | None = None,
        rerun_on_failure: pulumi.Input[bool] | None = None,
        redact: pulumi.Input[Sequence[pulumi.Input[str]] | None] = None,
        stream_log: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a wait. `BatchJob.wait` is the usual way, and fills in `job_name` to `redact`.

        Args:
            resource_name: The wait's logical name.
            job_id: The id of the batch job.
            until: `success`; `running`, which passes when the job runs or has succeeded; or `finished`, which passes
                for a dead job too. Otherwise a dead job is an error.
            timeout: How long one `pulumi up` waits: `90s`, `20m`, `2h`, or seconds. None by default. When it is over,
                `up` fails, the job goes on, and the next `up` goes on waiting.
            job_name: The job's logical name, for messages; by default the wait's.
            submitted_to: The place where the job was submitted, `region` and `projectId`; by default that of the
                settings.
            rerun_on_failure: Whether the next `up` runs a dead job again, for the message.
            redact: Texts that are masked in the job's log, in messages and outputs. Kept as a secret.
            stream_log: Whether the driver's log is shown beside the job's row while `up` waits, `redact` masked in it.
                It begins with the last 100 lines. Best effort: where the service has no log call, the lines of the
                job's record are shown, of which there are ten at most. Kept nowhere.
            opts: Options of the resource.
        """
        declare_wait(job_name)
        shown_name = job_name or resource_name
        texts = None if redact is None else secret_texts(pulumi.Output.secret(redact))

        async def pass_gate(batch_id: str) -> tuple[str, float | None]:
            if pulumi.runtime.is_dry_run():
                return batch_id, None
            from pulumi_dli.program.wait_gate import pass_gate  # noqa: PLC0415  a program without waits needs no HTTP client

            waited = await pass_gate(
                batch_id,
                until=await _value_of(until),
                timeout=await _value_of(timeout),
                submitted_to=await _value_of(submitted_to),
                job_name=shown_name,
                row=await _row_of(job_id, opts),
                stream_log=stream_log,
                redact=await _value_of(texts) if stream_log else None,
                end=(self.state, self.duration),
            )
            return batch_id, waited

        # The inputs beside the id are awaited in there: a secret among them would make the id a secret too.
        passed: pulumi.Output[tuple[str, float | None]] = pulumi.Output.from_input(job_id).apply(pass_gate)
        declared = {
            "job_id": passed.apply(lambda result: result[0]),
            "until": until,
            "timeout": timeout,
            "job_name": shown_name,
            "submitted_to": submitted_to,
            "rerun_on_failure": rerun_on_failure,
            "redact": texts,
            "waited": None if timeout is None else passed.apply(_seconds_of),
        }
        props = _WAIT_INPUTS(_WAIT_OUTPUTS | given(declared))
        super().__init__(BatchJobWaitProvider(), resource_name, props, opts)
        fill_undeclared(self)


def _seconds_of(result: tuple[str, float | None]) -> Any:
    """Give the seconds that the gate has waited. No preview knows them, so a plan accepts any or none."""
    return UNKNOWN if pulumi.runtime.is_dry_run() else result[1]


async def _row_of(job_id: pulumi.Input[str], opts: pulumi.ResourceOptions | None) -> pulumi.Resource | None:
    """Give the resource beside which the progress stands: the job that the id is of, or else the wait's parent."""
    sources = await pulumi.Output.from_input(job_id).resources()
    parent = opts.parent if opts is not None else None
    return next(iter(sources)) if len(sources) == 1 else parent


async def _value_of(value: pulumi.Input[Any]) -> Any:
    return await pulumi.Output.from_input(value).future()


_WAIT_INPUTS, _WAIT_OUTPUTS = input_type_of(BatchJobWait), outputs_only(BatchJobWait)
