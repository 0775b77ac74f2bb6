"""The resource `BatchJob`: one run of a batch job."""

from collections.abc import Mapping, Sequence
from typing import Any, final

import pulumi
from pulumi import dynamic

from pulumi_dli.jobs.naming import resource_fingerprint_of
from pulumi_dli.program.batch_job_wait import BatchJobWait
from pulumi_dli.program.registration import fill_undeclared, given, outputs_only
from pulumi_dli.program.secret_inputs import secret_texts
from pulumi_dli.program.seen_ends import ends_seen_inputs
from pulumi_dli.program.types import (
    Group,
    GroupArgsDict,
    OnRecordExpired,
    Package,
    PackageArgsDict,
    Scalar,
    Strings,
    SubmittedTo,
    Until,
    WhenRunning,
    input_type_of,
    wire_names,
    with_getters,
)
from pulumi_dli.program.wait_aliases import wait_aliases
from pulumi_dli.provider import BatchJobProvider


@final
@with_getters
class BatchJob(dynamic.Resource, module="dli", name="BatchJob"):
    """One run of a Spark batch job on Data Lake Insight.

    Submitted when it is first declared, and again when what is declared changes, when `triggers` change, or when the
    last run is dead (`rerun_on_failure`). Nothing else runs it twice. Its outcome is a `BatchJobWait`.
    """

    file: pulumi.Output[str]
    """The package that is run."""
    class_name: pulumi.Output[str | None] = pulumi.property("className")
    """Its main class."""
    queue: pulumi.Output[str | None]
    """The queue, as declared; as the service spells it: `effective_queue`."""
    cluster_name: pulumi.Output[str | None] = pulumi.property("clusterName")
    """The queue, if it was declared by its older name."""
    args: pulumi.Output[Sequence[str] | None]
    """The arguments of the main class or script."""
    sc_type: pulumi.Output[str | None] = pulumi.property("scType")
    """The compute resource type, as declared; as the service sees it: `effective_sc_type`."""
    jars: pulumi.Output[Sequence[str] | None]
    """The jars that the job needs."""
    py_files: pulumi.Output[Sequence[str] | None] = pulumi.property("pyFiles")
    """The Python modules and archives that the job needs."""
    files: pulumi.Output[Sequence[str] | None]
    """The other files that the job needs."""
    modules: pulumi.Output[Sequence[str] | None]
    """The system modules that the job needs."""
    resources: pulumi.Output[Sequence[Package] | None]
    """The uploaded packages that the job needs."""
    groups: pulumi.Output[Sequence[Group] | None]
    """The uploaded package groups that the job needs."""
    conf: pulumi.Output[Mapping[str, str] | None]
    """The Spark configuration, as it is sent."""
    name: pulumi.Output[str | None]
    """The job's name at the service, if one was declared; the name that it has: `submitted_name`."""
    driver_memory: pulumi.Output[str | None] = pulumi.property("driverMemory")
    """The memory of the driver."""
    driver_cores: pulumi.Output[int | None] = pulumi.property("driverCores")
    """The cores of the driver."""
    executor_memory: pulumi.Output[str | None] = pulumi.property("executorMemory")
    """The memory of each executor."""
    executor_cores: pulumi.Output[int | None] = pulumi.property("executorCores")
    """The cores of each executor."""
    num_executors: pulumi.Output[int | None] = pulumi.property("numExecutors")
    """The number of executors."""
    obs_bucket: pulumi.Output[str | None] = pulumi.property("obsBucket")
    """The OBS bucket in which the job is saved."""
    auto_recovery: pulumi.Output[bool | None] = pulumi.property("autoRecovery")
    """Whether the service starts a job that failed again."""
    max_retry_times: pulumi.Output[int | None] = pulumi.property("maxRetryTimes")
    """How often it does so."""
    catalog_name: pulumi.Output[str | None] = pulumi.property("catalogName")
    """The catalog that the job has access to."""
    feature: pulumi.Output[str | None]
    """The kind of Spark image."""
    spark_version: pulumi.Output[str | None] = pulumi.property("sparkVersion")
    """The version of Spark, if one was declared."""
    image: pulumi.Output[str | None]
    """The image that the job runs in."""
    execution_agency_urn: pulumi.Output[str | None] = pulumi.property("executionAgencyUrn")
    """The name of the IAM agency that the job works with."""
    triggers: pulumi.Output[Mapping[str, Any] | None]
    """The values that run the job again when one changes."""
    rerun_on_failure: pulumi.Output[bool | None] = pulumi.property("rerunOnFailure")
    """Whether the next `pulumi up` runs a dead job again."""
    on_record_expired: pulumi.Output[str | None] = pulumi.property("onRecordExpired")
    """What happens when the record is deleted before the job's end was seen."""
    when_running: pulumi.Output[str | None] = pulumi.property("whenRunning")
    """What happens when the job must run again while it runs."""
    cancel_timeout: pulumi.Output[int | None] = pulumi.property("cancelTimeout")
    """Seconds for which a cancelled run is awaited."""
    adopt_id: pulumi.Output[str | None] = pulumi.property("adoptId")
    """The id of the batch job that was adopted."""
    region: pulumi.Output[str | None]
    """The region, if one was declared; where the job runs: `submitted_to`."""
    project_id: pulumi.Output[str | None] = pulumi.property("projectId")
    """The project's id, if one was declared; where the job runs: `submitted_to`."""

    state: pulumi.Output[str]
    """The state at submission or at the last refresh: `starting`, `running`, `recovering`, `success`, `dead`. The
    outcome is the `state` of its `BatchJobWait`."""
    app_id: pulumi.Output[str | None] = pulumi.property("appId")
    """The id of the application behind the job. Not the job's id."""
    owner: pulumi.Output[str | None]
    """Who submitted the job."""
    proxy_user: pulumi.Output[str | None] = pulumi.property("proxyUser")
    """The tenant for whom it runs."""
    kind: pulumi.Output[str | None]
    """The kind of the job."""
    log: pulumi.Output[Sequence[str] | None]
    """The last lines of the job's record, at most ten. Masked, and secret, where an input of the job is secret."""
    create_time: pulumi.Output[int | None] = pulumi.property("createTime")
    """When the job was created, in milliseconds since 1970."""
    update_time: pulumi.Output[int | None] = pulumi.property("updateTime")
    """When it last changed, in milliseconds since 1970."""
    duration: pulumi.Output[int | None]
    """How long it has run, in milliseconds."""
    submitted_name: pulumi.Output[str | None] = pulumi.property("submittedName")
    """The name under which it was submitted."""
    effective_sc_type: pulumi.Output[str | None] = pulumi.property("effectiveScType")
    """The compute resource type as the service sees it; `CUSTOMIZED` where sizes are given."""
    effective_queue: pulumi.Output[str | None] = pulumi.property("effectiveQueue")
    """The queue as the service spells it."""
    submitted_to: pulumi.Output[SubmittedTo] = pulumi.property("submittedTo")
    """The place where it was submitted."""
    record_expired: pulumi.Output[bool] = pulumi.property("recordExpired")
    """True when the service has deleted the job's record."""
    sizing: pulumi.Output[str | None]
    """What the job takes, in words: vCPUs, memory and CUs of driver and executors."""

    def __init__(
        self,
        resource_name: str,
        *,
        file: pulumi.Input[str],
        class_name: pulumi.Input[str] | None = None,
        queue: pulumi.Input[str] | None = None,
        cluster_name: pulumi.Input[str] | None = None,
        args: Strings | None = None,
        sc_type: pulumi.Input[str] | None = None,
        jars: Strings | None = None,
        py_files: Strings | None = None,
        files: Strings | None = None,
        modules: Strings | None = None,
        resources: pulumi.Input[Sequence[pulumi.Input[PackageArgsDict]]] | None = None,
        groups: pulumi.Input[Sequence[pulumi.Input[GroupArgsDict]]] | None = None,
        conf: pulumi.Input[Mapping[str, pulumi.Input[Scalar]]] | None = None,
        name: pulumi.Input[str] | None = None,
        driver_memory: pulumi.Input[str] | None = None,
        driver_cores: pulumi.Input[int] | None = None,
        executor_memory: pulumi.Input[str] | None = None,
        executor_cores: pulumi.Input[int] | None = None,
        num_executors: pulumi.Input[int] | None = None,
        obs_bucket: pulumi.Input[str] | None = None,
        auto_recovery: pulumi.Input[bool] | None = None,
        max_retry_times: pulumi.Input[int] | None = None,
        catalog_name: pulumi.Input[str] | None = None,
        feature: pulumi.Input[str] | None = None,
        spark_version: pulumi.Input[str] | None = None,
        image: pulumi.Input[str] | None = None,
        execution_agency_urn: pulumi.Input[str] | None = None,
        triggers: pulumi.Input[Mapping[str, Any]] | None = None,
        rerun_on_failure: pulumi.Input[bool] | None = None,
        on_record_expired: pulumi.Input[OnRecordExpired] | None = None,
        when_running: pulumi.Input[WhenRunning] | None = None,
        cancel_timeout: pulumi.Input[int] | None = None,
        adopt_id: pulumi.Input[str] | None = None,
        region: pulumi.Input[str] | None = None,
        project_id: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a batch job.

        The first group goes to DLI (API reference, "Creating a Batch Processing Job", dli_02_0124, 2023-11, and
        2026-04 for the last four); the second is for the provider. A value that breaks a rule is refused in the plan.

        Args:
            resource_name: The job's logical name.
            file: The package to run: an `obs://` path of a `.jar` or `.py`, or the name of a package that was
                uploaded before (`group/name`). Spark 3.3 and later take `obs://` only.
            class_name: The main class. Mandatory for a `.jar`; for a `.py` leave it out, and an empty one is sent.
            queue: The queue, of the general-purpose type. Not together with `cluster_name`.
            cluster_name: The older name of `queue`.
            args: The arguments of the main class or script. Passed as they are, blanks and empty ones too.
            sc_type: The compute resource type: `A` (8 vCPUs, 32 GB; the default), `B` (16, 64) or `C` (32, 128).
            jars: Jars that the job needs: `obs://` paths or names of uploaded packages.
            py_files: Python modules and archives that the job needs: `obs://` paths or names of uploaded packages.
            files: Other files that the job needs: `obs://` paths or names of uploaded packages.
            modules: System modules for other data sources, as in `sys.datasource.hbase`, `sys.datasource.opentsdb`,
                `sys.datasource.rds`, `sys.datasource.css`. RDS Postgre and DWS need none.
            resources: Uploaded packages with their types: maps with `name` and `type`. Not with Spark 3.3 and later.
            groups: Uploaded package groups: maps with `name` and `resources`. Not with Spark 3.3 and later.
            conf: Spark configuration. Values are sent as text; true and false as Spark writes them.
            name: The job's name at the service, at most 128 characters. Leave it out: the name that is made then is
                how a lost submission is found again. A fixed name may repeat.
            driver_memory: Memory of the driver, with its unit: `2G`, `2048M`. Replaces the value of `sc_type`.
            driver_cores: Cores of the driver. Replaces the value of `sc_type`.
            executor_memory: Memory of each executor, with its unit: `2G`, `2048M`. Replaces the value of `sc_type`.
            executor_cores: Cores of each executor. Replaces the value of `sc_type`.
            num_executors: Number of executors. Replaces the value of `sc_type`.
            obs_bucket: The OBS bucket in which the job is saved.
            auto_recovery: Whether the service starts a job that failed again. False by default.
            max_retry_times: How often it does so: 0 to 100, 20 by default. Without `auto_recovery` it has no effect.
            catalog_name: `dli` gives the job access to DLI's metadata.
            feature: The kind of Spark image: `basic`, `ai` or `custom`. Not documented on Open Telekom Cloud.
            spark_version: The version of Spark, as in `3.3.1`; by default the queue's. Not documented on Open Telekom
                Cloud.
            image: The image, `organization/name:tag`, with `feature` `custom` only.
            execution_agency_urn: The name of the IAM agency that the job works with; Spark 3.3 needs one to read OBS.
            triggers: Any values: when one changes, the job runs again. They are not sent.
            rerun_on_failure: Whether the next `pulumi up` runs a dead job again. True by default.
            on_record_expired: What to do when the service has deleted the job's record before its end was seen:
                `keep` (the default) or `rerun`.
            when_running: What to do when the job must run again while it runs: `cancel` the old run first (the
                default), or `refuse`.
            cancel_timeout: Seconds for which a cancelled run is awaited: 300 by default, 0 not at all.
            adopt_id: The id of a batch job that runs or ran already: it is adopted instead of submitting one.
            region: The region; by default the setting.
            project_id: The project's id; by default the setting.
            opts: Options of the resource. `delete_before_replace` is always on: two runs are never at work at once.

        Raises:
            pulumi.RunError: `file` is None.
        """
        declared = {name: value for name, value in locals().items() if name in wire_names(BatchJob)}
        if file is None:
            # Only here it is sure that no file will come: with --continue-on-error the plan meets absent ones.
            raise pulumi.RunError(
                f"BatchJob {resource_name}: file is None. Give the package to run, as in obs://bucket/jobs/wordcount.py"
            )
        self._register(resource_name, declared, opts)

    def _register(self, resource_name: str, declared: dict[str, Any], opts: pulumi.ResourceOptions | None) -> None:
        hidden = {
            "resourceName": resource_name,
            "scope": _scope(resource_name, opts.parent if opts is not None else None),
            # A replacement trigger replaces by itself; the provider needs it to tell one submission from the next.
            "replacementTrigger": opts.replacement_trigger if opts is not None else None,
        }
        if any(declared.get(option) is not None for option in ("on_record_expired", "when_running")):
            # Only these need to know how a run has ended whose record is gone, or whose service is out of reach.
            is_renamed = bool(opts is not None and opts.aliases)
            hidden |= ends_seen_inputs(resource_name, is_renamed=is_renamed)
        self._reruns = declared.get("rerun_on_failure")
        self._redact = secret_texts(declared, [resource_name])
        self._waits: dict[Until, BatchJobWait] = {}
        self._parent, self._earlier = (opts.parent, opts.aliases) if opts is not None else (None, None)
        props = _JOB_INPUTS(_JOB_OUTPUTS | given(declared | hidden | {"redact": self._redact}))
        options = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True))
        super().__init__(BatchJobProvider(), resource_name, props, options)
        fill_undeclared(self)

    @staticmethod
    def get(
        resource_name: str,
        id: pulumi.Input[str],
        *,
        region: pulumi.Input[str] | None = None,
        project_id: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> "BatchJob":
        """Describe a batch job that this stack does not manage. It is read at every `up`, and never cancelled.

        `id` is the batch id, not the appId. `up` fails where the service has no such job; the record of a finished job
        is kept for some hours only. Outputs of what was declared are empty: the service does not tell all of it.
        """
        job = BatchJob.__new__(BatchJob)
        options = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id))
        job._register(resource_name, {"region": region, "project_id": project_id}, options)
        job._reruns = False
        return job

    def wait(
        self,
        until: Until = "success",
        timeout: str | float | None = None,
        *,
        stream_log: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> "BatchJobWait":
        """Wait for the outcome, as a resource of its own that others can depend on.

        Its logical name is `<job>-<until>`. Its parent is that of this job, so that a component in `depends_on` stands
        for the outcome of the jobs in it. See `BatchJobWait` for `until`, `timeout` and `stream_log`. Asked again
        without more, it gives the wait that there is.
        """
        beside = pulumi.ResourceOptions(parent=self._parent)
        has_no_options = opts is None or vars(opts) == vars(beside)
        if until in self._waits and timeout is None and not stream_log and has_no_options:
            return self._waits[until]
        if opts is None or opts.parent is None or opts.parent is self._parent:
            beside.aliases = wait_aliases(self, self._earlier, until)
        self._waits[until] = BatchJobWait(
            f"{self.pulumi_resource_name}-{until}",
            job_id=self.id,
            until=until,
            timeout=timeout,
            job_name=self.pulumi_resource_name,
            submitted_to=self.submitted_to.apply(
                lambda place: {"region": place.region, "projectId": place.project_id} if place else {}
            ),
            rerun_on_failure=self._reruns,
            redact=self._redact,
            stream_log=stream_log,
            opts=pulumi.ResourceOptions.merge(beside, opts),
        )
        return self._waits[until]


def _scope(resource_name: str, parent: pulumi.Resource | None) -> pulumi.Input[str]:
    """Give the hash of what tells a job from all others: the stack, its parents, its name."""
    stack = pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack()
    if parent is None:
        return resource_fingerprint_of(*stack, [], resource_name)

    async def of_child() -> str:
        # Awaited, since an output of the parent would make the job depend on its siblings, and so on itself.
        *_, types, name = str(await parent.urn.future()).split("::", 3)
        return resource_fingerprint_of(*stack, [types, name], resource_name)

    return pulumi.Output.from_input(of_child())


_JOB_INPUTS, _JOB_OUTPUTS = input_type_of(BatchJob), outputs_only(BatchJob)
