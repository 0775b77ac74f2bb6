"""The resource `BatchJobWait`: the outcome of a batch job, which other resources can depend on."""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, final

import pulumi
from pulumi import dynamic
from pulumi.output import UNKNOWN

from pulumi_dli.program.closing_summary import closing_summary
from pulumi_dli.program.interrupt import ends_quietly
from pulumi_dli.program.mocks import is_mocked
from pulumi_dli.program.registration import (
    check_declaration,
    duration_of,
    fill_undeclared,
    outputs_only,
    without_none,
)
from pulumi_dli.program.secret_inputs import secret_texts
from pulumi_dli.program.seen_ends import declare_wait
from pulumi_dli.program.settings_check import check_settings
from pulumi_dli.program.types import (
    StreamLog,
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
    """The outcome of a batch job. The resource exists when the job has reached the state that `until` names.

    A wait only reads. So it may fail, time out or be interrupted: the next `pulumi up` goes on waiting.
    """

    job_id: pulumi.Output[str] = pulumi.property("jobId")
    """The id of the batch job."""
    until: pulumi.Output[str]
    """The goal of the wait."""
    timeout: pulumi.Output[str | float | None]
    """How long one `pulumi up` waits."""
    job_name: pulumi.Output[str] = pulumi.property("jobName")
    """The job's logical name."""
    submitted_to: pulumi.Output[SubmittedTo | None] = pulumi.property("submittedTo")
    """The region and the project where the job runs, as declared."""
    rerun_on_failure: pulumi.Output[bool | None] = pulumi.property("rerunOnFailure")
    """Whether the next `pulumi up` runs a dead job again."""
    redact: pulumi.Output[Sequence[str] | None]
    """The texts that the provider masks in the job's log. Secret."""

    state: pulumi.Output[str]
    """The state of the job when the wait ended."""
    app_id: pulumi.Output[str | None] = pulumi.property("appId")
    """The id of the job's Spark application. It is not the id of the job."""
    log: pulumi.Output[Sequence[str] | None]
    """The last lines of the job's record when the wait ended, at most ten. They need not be from the driver log.
    Empty or null if the service had no lines. Masked and secret if `redact` is set or an input of the job is secret."""
    failure_reason: pulumi.Output[str | None] = pulumi.property("failureReason")
    """Why the job failed, in one line, as far as its driver log tells. Secret like `log`."""
    create_time: pulumi.Output[int | None] = pulumi.property("createTime")
    """When the service created the job, in milliseconds since 1970."""
    update_time: pulumi.Output[int | None] = pulumi.property("updateTime")
    """When the job last changed, in milliseconds since 1970."""
    duration: pulumi.Output[int | None]
    """The time from the submission of the job to its end, in milliseconds. It includes the wait for capacity."""

    def __init__(
        self,
        resource_name: str,
        *,
        job_id: pulumi.Input[str],
        until: pulumi.Input[Until] = "success",
        timeout: pulumi.Input[str | float] | timedelta | None = None,
        job_name: str | None = None,
        submitted_to: pulumi.Input[SubmittedToArgsDict] | None = None,
        rerun_on_failure: pulumi.Input[bool] | None = None,
        redact: pulumi.Input[Sequence[pulumi.Input[str]] | None] = None,
        stream_log: StreamLog = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a wait. Programs usually call `BatchJob.wait`, which sets `job_name` to `redact` as well.

        Args:
            resource_name: The wait's logical name.
            job_id: The id of the batch job.
            until: The goal. `success` fails if the job is dead. `running` passes when the job runs, recovers or has
                succeeded, and fails if the job is dead. `finished` passes when the job has ended, dead or not.
            timeout: How long one `pulumi up` waits: `90s`, `20m`, `1h30m` or seconds. The default is the create timeout
                of the option customTimeouts, or no limit. After this time `up` fails, the job goes on, and the next
                `up` goes on waiting.
            job_name: The job's logical name, for messages. The default is the wait's name.
            submitted_to: The `region` and the `projectId` where the job runs. The default is the settings.
            rerun_on_failure: Whether the job has `rerun_on_failure`. Only for the text of the error about a dead job.
            redact: Texts to mask in the job's log, in messages and in outputs. They are stored as a secret. In Python,
                `job.wait()` takes them from the job's secret inputs. In other languages the provider adds these.
            stream_log: Whether the terminal shows the driver's log on the job's row while `up` waits, with `redact`
                masked. True shows what the job prints and logs, "all" also what Spark logs. It begins with the last
                900 lines or more. Where more than about 1,000 lines are new at once, it leaves out those in the middle
                and says how many. If the service has no log call, it shows the lines of the job's record, at most ten.
                The lines are not stored.
            opts: Options of the resource.
        """
        declared_at = time.monotonic()
        timeout = duration_of(timeout, opts)
        inputs = {"job_id": job_id, "until": until, "timeout": timeout, "job_name": job_name, "redact": redact}
        check_declaration("BatchJobWait", resource_name, opts, inputs)
        check_settings()
        declare_wait(job_name)
        shown_name = job_name or resource_name
        texts = None if redact is None else secret_texts(redact)

        async def wait_in_program(batch_id: str) -> tuple[str, float | None]:
            if pulumi.runtime.is_dry_run() or is_mocked():
                return batch_id, None
            # Import the gate late, because a program without waits needs no HTTP client.
            with ends_quietly():
                from pulumi_dli.program.wait_gate import wait_at_gate  # noqa: PLC0415

            row = await _row_of(job_id, opts)
            waited = await wait_at_gate(
                batch_id,
                wait_name=resource_name,
                until=await _value_of(until),
                timeout=await _value_of(timeout),
                submitted_to=await _value_of(submitted_to),
                job_name=shown_name,
                row=row,
                stream_log=stream_log,
                created=await _value_of(getattr(row, "create_time", None)),
                declared_at=declared_at,
                redact=await _value_of(texts) if stream_log else None,
                outcome=(self.state, self.duration),
            )
            return batch_id, waited

        # Only the id is an input of this apply: a secret among the other inputs would make the id a secret too.
        passed: pulumi.Output[tuple[str, float | None]] = pulumi.Output.from_input(job_id).apply(wait_in_program)
        declared = {
            "job_id": passed.apply(lambda result: result[0]),
            "until": until,
            "timeout": timeout,
            "job_name": shown_name,
            "submitted_to": submitted_to,
            "rerun_on_failure": rerun_on_failure,
            "redact": texts,
            "waited": None if timeout is None else passed.apply(_waited_seconds),
        }
        props = _WAIT_INPUTS(_WAIT_OUTPUTS | without_none(declared))
        super().__init__(BatchJobWaitProvider(), resource_name, props, opts)
        fill_undeclared(self)
        if not (pulumi.runtime.is_dry_run() or is_mocked()):
            closing_summary().expect()
            pulumi.Output.all(self.job_id, self.state, self.duration).apply(lambda end: closing_summary().passed(*end))


def _waited_seconds(result: tuple[str, float | None]) -> Any:
    """Return the seconds that the wait gate has waited. In a preview they are unknown, so a plan accepts any value."""
    return UNKNOWN if pulumi.runtime.is_dry_run() else result[1]


async def _row_of(job_id: pulumi.Input[str], opts: pulumi.ResourceOptions | None) -> pulumi.Resource | None:
    """Return the resource on whose row the terminal shows the progress: the job of this id, or the wait's parent."""
    sources = await pulumi.Output.from_input(job_id).resources()
    parent = opts.parent if opts is not None else None
    return next(iter(sources)) if len(sources) == 1 else parent


async def _value_of(value: pulumi.Input[Any]) -> Any:
    return await pulumi.Output.from_input(value).future()


_WAIT_INPUTS, _WAIT_OUTPUTS = input_type_of(BatchJobWait), outputs_only(BatchJobWait)
