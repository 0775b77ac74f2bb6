"""The resource `BatchJob`: one run of a batch job."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, final

import pulumi
from pulumi import dynamic

from pulumi_dli.jobs.exact_numbers import EXACT_NUMBERS, large_as_text
from pulumi_dli.jobs.secret_paths import HAS_SECRET_SIZE, SECRET_INPUTS
from pulumi_dli.program.batch_job_wait import BatchJobWait
from pulumi_dli.program.exact_numbers import digits_of, show_exact
from pulumi_dli.program.job_identity import is_from_configuration, scope_of, secrets_of
from pulumi_dli.program.registration import (
    check_declaration,
    check_is_set,
    duration_of,
    fill_undeclared,
    outputs_only,
    without_none,
)
from pulumi_dli.program.seen_ends import ends_seen_inputs
from pulumi_dli.program.settings_check import check_settings
from pulumi_dli.program.types import (
    Group,
    GroupArgsDict,
    OnRecordExpired,
    Package,
    PackageArgsDict,
    PreviousRun,
    Scalar,
    StreamLog,
    Strings,
    SubmittedTo,
    Until,
    WhenRunning,
    input_type_of,
    location_inputs,
    wire_names,
    with_getters,
)
from pulumi_dli.program.wait_aliases import wait_aliases
from pulumi_dli.provider import BatchJobProvider


@final
@with_getters
class BatchJob(dynamic.Resource, module="dli", name="BatchJob"):
    """One run of a Spark batch job on Data Lake Insight.

    `pulumi up` submits the job when it is first declared. It submits the job again when a declared property that goes
    to DLI changes, when `triggers` change, or when the last run is dead (`rerun_on_failure`). `--replace` runs it again
    too. The outcome of the job is a `BatchJobWait`, or a `BatchJobCompletion` of the native provider.
    """

    file: pulumi.Output[str]
    """The package that the job runs."""
    class_name: pulumi.Output[str | None] = pulumi.property("className")
    """The main class."""
    queue: pulumi.Output[str | None]
    """The queue, as declared. `effective_queue` is the queue as the service spells it."""
    cluster_name: pulumi.Output[str | None] = pulumi.property("clusterName")
    """The queue, if it was declared under this older name of `queue`."""
    args: pulumi.Output[Sequence[str] | None]
    """The arguments of the main class or script."""
    sc_type: pulumi.Output[str | None] = pulumi.property("scType")
    """The compute resource type, as declared. `effective_sc_type` is the type that the service reports."""
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
    """The Spark configuration, as the provider sends it."""
    name: pulumi.Output[str | None]
    """The job's name at the service, if it was declared. `submitted_name` is the name that the job has."""
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
    """The OBS bucket in which the service saves the job."""
    auto_recovery: pulumi.Output[bool | None] = pulumi.property("autoRecovery")
    """Whether the service starts the job again after it has failed."""
    max_retry_times: pulumi.Output[int | None] = pulumi.property("maxRetryTimes")
    """How often the service starts a failed job again."""
    catalog_name: pulumi.Output[str | None] = pulumi.property("catalogName")
    """The catalog that the job can access."""
    feature: pulumi.Output[str | None]
    """The kind of Spark image."""
    spark_version: pulumi.Output[str | None] = pulumi.property("sparkVersion")
    """The version of Spark, if it was declared."""
    image: pulumi.Output[str | None]
    """The image in which the job runs."""
    execution_agency_urn: pulumi.Output[str | None] = pulumi.property("executionAgencyUrn")
    """The name of the IAM agency that the job uses."""
    triggers: pulumi.Output[Mapping[str, Any] | None]
    """Values of the program. When one of them changes, the job runs again."""
    rerun_on_failure: pulumi.Output[bool | None] = pulumi.property("rerunOnFailure")
    """Whether the next `pulumi up` runs a dead job again."""
    on_record_expired: pulumi.Output[str | None] = pulumi.property("onRecordExpired")
    """What `pulumi up` does if the service deleted the job's record before any `up` saw the end of the job."""
    when_running: pulumi.Output[str | None] = pulumi.property("whenRunning")
    """What `pulumi up` does if the job must run again while the old run still runs."""
    cancel_timeout: pulumi.Output[int | None] = pulumi.property("cancelTimeout")
    """How many seconds to wait for the end of a cancelled run."""
    adopt_id: pulumi.Output[str | None] = pulumi.property("adoptId")
    """The id of the batch job to adopt, as declared."""
    region: pulumi.Output[str | None]
    """The region, if it was declared. `submitted_to` has the region where the job runs."""
    project_id: pulumi.Output[str | None] = pulumi.property("projectId")
    """The id of the project, if it was declared. `submitted_to` has the project where the job runs."""

    state: pulumi.Output[str]
    """The state at submission or at the last refresh: `starting`, `running`, `recovering`, `success` or `dead`. For the
    outcome of the job, use the `state` of its wait."""
    app_id: pulumi.Output[str | None] = pulumi.property("appId")
    """The id of the job's Spark application. It is not the id of the job."""
    owner: pulumi.Output[str | None]
    """The user who submitted the job."""
    proxy_user: pulumi.Output[str | None] = pulumi.property("proxyUser")
    """The tenant for which the job runs."""
    kind: pulumi.Output[str | None]
    """The kind of the job, as the service reports it."""
    log: pulumi.Output[Sequence[str] | None]
    """The last lines of the job's record, at most ten, with secret texts masked. They are secret if the job has `args`,
    `conf` or a secret input, because the job may have written these in another form."""
    failure_reason: pulumi.Output[str | None] = pulumi.property("failureReason")
    """Why the job failed, in one line, as far as its driver log tells. Secret like `log`."""
    create_time: pulumi.Output[int | None] = pulumi.property("createTime")
    """When the service created the job, in milliseconds since 1970."""
    update_time: pulumi.Output[int | None] = pulumi.property("updateTime")
    """When the job last changed, in milliseconds since 1970."""
    duration: pulumi.Output[int | None]
    """The time from the submission of the job to its end, in milliseconds. It includes the wait for capacity."""
    submitted_name: pulumi.Output[str | None] = pulumi.property("submittedName")
    """The name under which the provider submitted the job."""
    effective_sc_type: pulumi.Output[str | None] = pulumi.property("effectiveScType")
    """The compute resource type that the service reports. `CUSTOMIZED` if the job sets sizes of its own."""
    effective_queue: pulumi.Output[str | None] = pulumi.property("effectiveQueue")
    """The queue, as the service spells it."""
    submitted_to: pulumi.Output[SubmittedTo] = pulumi.property("submittedTo")
    """The region and the project where the job runs."""
    console_url: pulumi.Output[str | None] = pulumi.property("consoleUrl")
    """The job's page in the console of its cloud."""
    estimated_cu_hours: pulumi.Output[float | None] = pulumi.property("estimatedCuHours")
    """The CUs times the hours that the job has run. A refresh estimates it after the end."""
    previous_runs: pulumi.Output[Sequence[PreviousRun] | None] = pulumi.property("previousRuns")
    """The last ten earlier runs, oldest first. Lost if a replacement is interrupted or with retainOnDelete."""
    record_expired: pulumi.Output[bool] = pulumi.property("recordExpired")
    """Whether the service has deleted the job's record."""
    sizing: pulumi.Output[str | None]
    """The vCPUs, the memory and the CUs of driver and executors together, in words."""

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

        The arguments up to `execution_agency_urn` go to DLI (API reference, "Creating a Batch Processing Job",
        dli_02_0124, 2023-11, and 2026-04 for the last four). The others are for the provider. A preview refuses a value
        that breaks a rule.

        Args:
            resource_name: The job's logical name.
            file: The package to run: the `obs://` path of a `.jar` or `.py`, or the name of an uploaded package
                (`group/name`). Spark 3.3 and later accept only `obs://` paths.
            class_name: The main class. A `.jar` needs it. Leave it out for a `.py`.
            queue: The queue. It must be of the general-purpose type. Not together with `cluster_name`.
            cluster_name: The older name of `queue`.
            args: The arguments of the main class or script. The provider sends them unchanged, blanks and empty
                arguments too.
            sc_type: The compute resource type: `A` (8 vCPUs, 32 GB; the default), `B` (16, 64) or `C` (32, 128).
            jars: Jars that the job needs: `obs://` paths or names of uploaded packages.
            py_files: Python modules and archives that the job needs: `obs://` paths or names of uploaded packages.
            files: Other files that the job needs: `obs://` paths or names of uploaded packages.
            modules: System modules for other data sources: `sys.datasource.hbase`, `sys.datasource.opentsdb`,
                `sys.datasource.rds`, `sys.datasource.css`. RDS Postgre and DWS need none.
            resources: Uploaded packages with their types: maps with `name` and `type`. Not with Spark 3.3 and later.
            groups: Uploaded package groups: maps with `name` and `resources`. Not with Spark 3.3 and later.
            conf: Spark configuration. Values are sent as text: true and false as Spark writes them, whole numbers with
                all digits, fractions in the shortest form. Write a version such as `3.10` as text.
            name: The job's name at the service, at most 128 characters. Leave it out: the provider then makes a unique
                name, by which it finds a submission whose answer was lost. Two jobs may have the same fixed name.
            driver_memory: Memory of the driver, with its unit: `2G`, `2048M`. Replaces the value of `sc_type`.
            driver_cores: Cores of the driver. Replaces the value of `sc_type`.
            executor_memory: Memory of each executor, with its unit: `2G`, `2048M`. Replaces the value of `sc_type`.
            executor_cores: Cores of each executor. Replaces the value of `sc_type`.
            num_executors: Number of executors. Replaces the value of `sc_type`.
            obs_bucket: The OBS bucket in which the service saves the job.
            auto_recovery: Whether the service starts the job again after it has failed. False by default.
            max_retry_times: How often the service starts a failed job again: 0 to 100, 20 by default. It has an effect
                only with `auto_recovery`.
            catalog_name: `dli` gives the job access to DLI's metadata.
            feature: The kind of Spark image: `basic`, `ai` or `custom`. Not documented on Open Telekom Cloud.
            spark_version: The version of Spark, for example `3.3.1`. The default is the queue's. Not documented on Open
                Telekom Cloud.
            image: The image, `organization/name:tag`. Only with `feature` `custom`.
            execution_agency_urn: The name of the IAM agency that the job uses. Spark 3.3 needs it to read OBS.
            triggers: Any values. When one of them changes, the job runs again. The provider does not send them.
            rerun_on_failure: Whether the next `pulumi up` runs a dead job again. True by default.
            on_record_expired: What `pulumi up` does if the service deleted the job's record before any `up` saw the end
                of the job: `keep` the last known state (the default) or `rerun` it (refused by the native provider).
            when_running: What `pulumi up` does if the job must run again while the old run still runs: `cancel` the old
                run first (the default), or `refuse`.
            cancel_timeout: How many seconds to wait for the end of a cancelled run. 300 by default; 0 does not wait.
            adopt_id: The id of a batch job that already exists. `pulumi up` adopts that job instead of submitting one.
            region: The region. The default is the setting `dli:region`.
            project_id: The id of the project. The default is the setting `dli:projectId`.
            opts: Options of the resource. `delete_before_replace` is always on, so that two runs never run at the same
                time.

        Raises:
            pulumi.RunError: `file` is None.
        """
        declared = {name: value for name, value in locals().items() if name in wire_names(BatchJob)}
        check_declaration("BatchJob", resource_name, opts, declared)
        # The provider cannot raise this error: with --continue-on-error, a file may be absent in its check.
        check_is_set(f"BatchJob {resource_name}: file", file, "the package to run: obs://bucket/jobs/wordcount.py")
        check_settings()
        self._register(resource_name, declared, opts)

    def _register(self, resource_name: str, declared: dict[str, Any], opts: pulumi.ResourceOptions | None) -> None:
        opts = opts if opts is not None else pulumi.ResourceOptions()
        hidden = {
            "resourceName": resource_name,
            "scope": scope_of(resource_name, opts.parent),
            # Pulumi replaces the job by itself. The provider needs the value for the fingerprint of the request.
            "replacementTrigger": opts.replacement_trigger,
        }
        if any(declared.get(option) is not None for option in ("on_record_expired", "when_running")):
            # Only these options need the end of a run whose record is deleted, or whose service cannot be reached.
            hidden |= ends_seen_inputs(resource_name, is_renamed=bool(opts.aliases))
        numbered = {name: large_as_text(declared.get(name)) for name in ("conf", "triggers")}
        digits = digits_of(numbered | {"replacementTrigger": opts.replacement_trigger})
        declared |= numbered
        self._rerun_on_failure = declared.get("rerun_on_failure")
        self._secrets = secrets_of(resource_name, declared, opts, _WIRE_NAMES)
        self._waits: dict[str, tuple[BatchJobWait, Mapping[str, Any]]] = {}
        self._parent, self._job_aliases = opts.parent, opts.aliases
        hidden |= {"fromConfiguration": True} if is_from_configuration() else {}
        hidden |= {SECRET_INPUTS: self._secrets.paths, HAS_SECRET_SIZE: self._secrets.has_secret_size}
        hidden |= {"redact": self._secrets.texts, EXACT_NUMBERS: digits}
        props = _JOB_INPUTS(_JOB_OUTPUTS | without_none(declared | hidden))
        options = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True))
        super().__init__(BatchJobProvider(), resource_name, props, options)
        self._registered = {_WIRE_NAMES[name]: vars(self)[name] for name in declared if name in vars(self)}
        fill_undeclared(self)
        if digits is not None:
            show_exact(self, numbered)

    @staticmethod
    def get(
        resource_name: str,
        id: pulumi.Input[str],
        *,
        region: pulumi.Input[str] | None = None,
        project_id: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> "BatchJob":
        """Return a batch job that this stack does not manage. Every `up` reads it and never cancels it.

        `up` fails if the service has no such job. The service keeps the record of a finished job only for some hours.
        The outputs of declared properties are empty, because the service does not report all of them.

        Args:
            resource_name: The job's logical name in this stack.
            id: The id of the batch job, not its appId.
            region: The region. The default is the setting `dli:region`.
            project_id: The id of the project. The default is the setting `dli:projectId`.
            opts: Options of the resource.

        Raises:
            pulumi.RunError: `id` is None.
        """
        check_declaration("BatchJob.get", resource_name, opts, {"id": id, "region": region, "project_id": project_id})
        check_is_set(f"BatchJob.get {resource_name}: id", id, "the id of the batch job")
        job = BatchJob.__new__(BatchJob)
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id))
        job._register(resource_name, {"region": region, "project_id": project_id}, opts)
        job._rerun_on_failure = False
        return job

    def wait(
        self,
        until: Until = "success",
        timeout: str | float | timedelta | None = None,
        *,
        name: str | None = None,
        stream_log: StreamLog = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> "BatchJobWait":
        """Declare a wait for the outcome of this job: a resource on which other resources can depend.

        Its parent is the parent of this job, so a component in `depends_on` also waits for the outcome of its jobs. A
        second call with the same arguments, or with the same name only, returns the same wait.

        Args:
            until: `success`, `running` or `finished`; see `BatchJobWait`.
            timeout: How long one `pulumi up` waits: also a `timedelta`; see `BatchJobWait`.
            name: The logical name of the wait, by default `<job>-<until>`. Two waits for one goal need two names.
            stream_log: Whether the terminal shows the log during the wait, True or "all"; see `BatchJobWait`.
            opts: Options of the wait.

        Raises:
            pulumi.RunError: The job has a wait with this name and other arguments.
        """

        def name_of(job_name: str) -> str:
            return name or f"{job_name}-{until}"

        wait_name = name_of(self.pulumi_resource_name)
        check_declaration("BatchJobWait", wait_name, opts, {})
        own_options = pulumi.ResourceOptions(parent=self._parent)
        options = {**vars(opts if opts is not None else own_options)}
        arguments = {"until": until, "timeout": duration_of(timeout, opts), "stream_log": stream_log, "opts": options}
        if wait_name in self._waits:
            wait, earlier = self._waits[wait_name]
            by_name = {"until": until, "timeout": None, "stream_log": False, "opts": vars(own_options)}
            if arguments == earlier or (arguments == by_name and earlier["until"] == until):
                return wait
            raise pulumi.RunError(
                f"BatchJob {self.pulumi_resource_name}: wait {wait_name} is declared twice, with different arguments. "
                f'Remove one, or give it a name of its own: job.wait(..., name="{wait_name}-2")'
            )
        if opts is None or opts.parent is None or opts.parent is self._parent:
            own_options.aliases = wait_aliases(self, self._job_aliases, name_of)
        wait = BatchJobWait(
            wait_name,
            job_id=self.id,
            until=until,
            timeout=timeout,
            job_name=self.pulumi_resource_name,
            submitted_to=self.submitted_to.apply(location_inputs),
            rerun_on_failure=self._rerun_on_failure,
            redact=self._secrets.texts_with_marks(self._registered),
            stream_log=stream_log,
            opts=pulumi.ResourceOptions.merge(own_options, opts),
        )
        self._waits[wait_name] = wait, arguments
        return wait


_WIRE_NAMES = wire_names(BatchJob)
_MARKED_BY_TRANSFORMS = ("args", "conf")
"""The undeclared properties that have an output of their own: a transform may add secrets there."""
_JOB_INPUTS = input_type_of(BatchJob)
_JOB_OUTPUTS = outputs_only(BatchJob) | dict.fromkeys(_MARKED_BY_TRANSFORMS)
