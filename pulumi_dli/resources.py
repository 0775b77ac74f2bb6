"""The resources that a Pulumi program declares: `BatchJob`, one run of a batch job, and `BatchJobWait`, its outcome."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

import pulumi
from pulumi import dynamic

from pulumi_dli.naming import scope_of
from pulumi_dli.provider import BatchJobProvider, BatchJobWaitProvider

Scalar = str | int | float | bool
Strings = pulumi.Input[Sequence[pulumi.Input[str]]]
Until = Literal["success", "running", "finished"]


class PackageArgsDict(TypedDict, total=False):
    """A package that was uploaded before (table 4 of the API page)."""

    name: pulumi.Input[str]
    """The package's name, `group/name`, or an `obs://` path."""
    type: pulumi.Input[str]
    """Its type: `jar`, `pyFile` or `file`."""


class GroupArgsDict(TypedDict, total=False):
    """A package group that was uploaded before (table 5 of the API page)."""

    name: pulumi.Input[str]
    """The group's name."""
    resources: pulumi.Input[Sequence[pulumi.Input[PackageArgsDict]]]
    """The packages of the group that the job uses. The service does not check their types."""


class SubmittedTo(TypedDict):
    """The place where a job was submitted. `region` may be unknown, where only an address was set."""

    region: str | None
    projectId: str


@pulumi.input_type
class _BatchJobProps(dict[str, Any]):
    """The properties of a batch job as they go over Pulumi's wire: their names there, and their types."""

    file: pulumi.Input[str] | None = None
    class_name: pulumi.Input[str] | None = pulumi.property("className", default=None)
    queue: pulumi.Input[str] | None = None
    cluster_name: pulumi.Input[str] | None = pulumi.property("clusterName", default=None)
    args: Strings | None = None
    sc_type: pulumi.Input[str] | None = pulumi.property("scType", default=None)
    jars: Strings | None = None
    py_files: Strings | None = pulumi.property("pyFiles", default=None)
    files: Strings | None = None
    modules: Strings | None = None
    resources: pulumi.Input[Sequence[pulumi.Input[PackageArgsDict]]] | None = None
    groups: pulumi.Input[Sequence[pulumi.Input[GroupArgsDict]]] | None = None
    conf: pulumi.Input[Mapping[str, pulumi.Input[Scalar]]] | None = None
    name: pulumi.Input[str] | None = None
    driver_memory: pulumi.Input[str] | None = pulumi.property("driverMemory", default=None)
    driver_cores: pulumi.Input[int] | None = pulumi.property("driverCores", default=None)
    executor_memory: pulumi.Input[str] | None = pulumi.property("executorMemory", default=None)
    executor_cores: pulumi.Input[int] | None = pulumi.property("executorCores", default=None)
    num_executors: pulumi.Input[int] | None = pulumi.property("numExecutors", default=None)
    obs_bucket: pulumi.Input[str] | None = pulumi.property("obsBucket", default=None)
    auto_recovery: pulumi.Input[bool] | None = pulumi.property("autoRecovery", default=None)
    max_retry_times: pulumi.Input[int] | None = pulumi.property("maxRetryTimes", default=None)
    catalog_name: pulumi.Input[str] | None = pulumi.property("catalogName", default=None)
    feature: pulumi.Input[str] | None = None
    spark_version: pulumi.Input[str] | None = pulumi.property("sparkVersion", default=None)
    image: pulumi.Input[str] | None = None
    execution_agency_urn: pulumi.Input[str] | None = pulumi.property("executionAgencyUrn", default=None)
    triggers: pulumi.Input[Mapping[str, Any]] | None = None
    rerun_on_failure: pulumi.Input[bool] | None = pulumi.property("rerunOnFailure", default=None)
    on_record_expired: pulumi.Input[Literal["keep", "rerun"]] | None = pulumi.property("onRecordExpired", default=None)
    when_running: pulumi.Input[Literal["cancel", "refuse"]] | None = pulumi.property("whenRunning", default=None)
    cancel_timeout: pulumi.Input[int] | None = pulumi.property("cancelTimeout", default=None)
    adopt_id: pulumi.Input[str] | None = pulumi.property("adoptId", default=None)
    region: pulumi.Input[str] | None = None
    project_id: pulumi.Input[str] | None = pulumi.property("projectId", default=None)
    replacement_trigger: Any = pulumi.property("replacementTrigger", default=None)
    resource_name: str | None = pulumi.property("resourceName", default=None)
    scope: str | None = None


_DECLARED = tuple(_BatchJobProps.__annotations__)
_OBSERVED = (
    "state",
    "app_id",
    "owner",
    "proxy_user",
    "kind",
    "log",
    "create_time",
    "update_time",
    "duration",
    "submitted_name",
    "effective_sc_type",
    "effective_queue",
    "submitted_to",
    "record_expired",
    "sizing",
)


class BatchJob(dynamic.Resource, module="dli", name="BatchJob"):
    """One run of a Spark batch job on Data Lake Insight.

    Submitted when it is first declared, and again when what is declared changes, when `triggers` change, or when the
    last run is dead (`rerun_on_failure`). Nothing else runs it twice. `wait` gives its outcome.
    """

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
        on_record_expired: pulumi.Input[Literal["keep", "rerun"]] | None = None,
        when_running: pulumi.Input[Literal["cancel", "refuse"]] | None = None,
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
            adopt_id: The id of a batch job that runs or ran already: it is taken over instead of submitting one.
            region: The region; by default the setting.
            project_id: The project's id; by default the setting.
            opts: Options of the resource. `delete_before_replace` is on: two runs are never at work at once.
        """
        props = _BatchJobProps(
            file=file,
            class_name=class_name,
            queue=queue,
            cluster_name=cluster_name,
            args=args,
            sc_type=sc_type,
            jars=jars,
            py_files=py_files,
            files=files,
            modules=modules,
            resources=resources,
            groups=groups,
            conf=conf,
            name=name,
            driver_memory=driver_memory,
            driver_cores=driver_cores,
            executor_memory=executor_memory,
            executor_cores=executor_cores,
            num_executors=num_executors,
            obs_bucket=obs_bucket,
            auto_recovery=auto_recovery,
            max_retry_times=max_retry_times,
            catalog_name=catalog_name,
            feature=feature,
            spark_version=spark_version,
            image=image,
            execution_agency_urn=execution_agency_urn,
            triggers=triggers,
            rerun_on_failure=rerun_on_failure,
            on_record_expired=on_record_expired,
            when_running=when_running,
            cancel_timeout=cancel_timeout,
            adopt_id=adopt_id,
            region=region,
            project_id=project_id,
        )
        self._register(resource_name, props, opts)

    def _register(self, resource_name: str, props: _BatchJobProps, opts: pulumi.ResourceOptions | None) -> None:
        parent = opts.parent if opts is not None else None
        parents = [] if parent is None else [parent.pulumi_resource_type, parent.pulumi_resource_name]
        identity = (pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack(), parents, resource_name)
        self._declared = dict(props)
        for key in (*_DECLARED, *_OBSERVED):  # an output exists only where its key does
            props.setdefault(key, None)
        props["resource_name"] = resource_name
        props["scope"] = scope_of(*identity)
        # A replacement trigger replaces by itself; the provider needs it to tell one submission from the next.
        props["replacement_trigger"] = opts.replacement_trigger if opts is not None else None
        options = pulumi.ResourceOptions.merge(pulumi.ResourceOptions(delete_before_replace=True), opts)
        super().__init__(BatchJobProvider(), resource_name, props, options)

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
        props = _BatchJobProps(region=region, project_id=project_id)
        job._register(resource_name, props, pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id)))
        return job

    def wait(
        self,
        until: Until = "success",
        timeout: str | float | None = None,
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> "BatchJobWait":
        """Wait for the outcome, as a resource of its own that others can depend on.

        Its logical name is `<job>-<until>`, its parent this job. See `BatchJobWait` for `until` and `timeout`.
        """
        return BatchJobWait(
            f"{self.pulumi_resource_name}-{until}",
            job_id=self.id,
            until=until,
            timeout=timeout,
            job_name=self.pulumi_resource_name,
            submitted_to=self.submitted_to,
            rerun_on_failure=self._declared.get("rerun_on_failure"),
            opts=pulumi.ResourceOptions.merge(pulumi.ResourceOptions(parent=self), opts),
        )

    @property
    @pulumi.getter(name="file")
    def file(self) -> pulumi.Output[str]:
        """As declared."""
        return pulumi.get(self, "file")

    @property
    @pulumi.getter(name="className")
    def class_name(self) -> pulumi.Output[str | None]:
        """As declared."""
        return pulumi.get(self, "class_name")

    @property
    @pulumi.getter(name="queue")
    def queue(self) -> pulumi.Output[str | None]:
        """As declared."""
        return pulumi.get(self, "queue")

    @property
    @pulumi.getter(name="clusterName")
    def cluster_name(self) -> pulumi.Output[str | None]:
        """As declared."""
        return pulumi.get(self, "cluster_name")

    @property
    @pulumi.getter(name="args")
    def args(self) -> pulumi.Output[Sequence[str] | None]:
        """As declared."""
        return pulumi.get(self, "args")

    @property
    @pulumi.getter(name="scType")
    def sc_type(self) -> pulumi.Output[str | None]:
        """As declared."""
        return pulumi.get(self, "sc_type")

    @property
    @pulumi.getter(name="jars")
    def jars(self) -> pulumi.Output[Sequence[str] | None]:
        """As declared."""
        return pulumi.get(self, "jars")

    @property
    @pulumi.getter(name="pyFiles")
    def py_files(self) -> pulumi.Output[Sequence[str] | None]:
        """As declared."""
        return pulumi.get(self, "py_files")

    @property
    @pulumi.getter(name="files")
    def files(self) -> pulumi.Output[Sequence[str] | None]:
        """As declared."""
        return pulumi.get(self, "files")

    @property
    @pulumi.getter(name="modules")
    def modules(self) -> pulumi.Output[Sequence[str] | None]:
        """As declared."""
        return pulumi.get(self, "modules")

    @property
    @pulumi.getter(name="resources")
    def resources(self) -> pulumi.Output[Sequence[PackageArgsDict] | None]:
        """As declared."""
        return pulumi.get(self, "resources")

    @property
    @pulumi.getter(name="groups")
    def groups(self) -> pulumi.Output[Sequence[GroupArgsDict] | None]:
        """As declared."""
        return pulumi.get(self, "groups")

    @property
    @pulumi.getter(name="conf")
    def conf(self) -> pulumi.Output[Mapping[str, str] | None]:
        """As declared."""
        return pulumi.get(self, "conf")

    @property
    @pulumi.getter(name="name")
    def name(self) -> pulumi.Output[str | None]:
        """As declared."""
        return pulumi.get(self, "name")

    @property
    @pulumi.getter(name="driverMemory")
    def driver_memory(self) -> pulumi.Output[str | None]:
        """As declared."""
        return pulumi.get(self, "driver_memory")

    @property
    @pulumi.getter(name="driverCores")
    def driver_cores(self) -> pulumi.Output[int | None]:
        """As declared."""
        return pulumi.get(self, "driver_cores")

    @property
    @pulumi.getter(name="executorMemory")
    def executor_memory(self) -> pulumi.Output[str | None]:
        """As declared."""
        return pulumi.get(self, "executor_memory")

    @property
    @pulumi.getter(name="executorCores")
    def executor_cores(self) -> pulumi.Output[int | None]:
        """As declared."""
        return pulumi.get(self, "executor_cores")

    @property
    @pulumi.getter(name="numExecutors")
    def num_executors(self) -> pulumi.Output[int | None]:
        """As declared."""
        return pulumi.get(self, "num_executors")

    @property
    @pulumi.getter(name="obsBucket")
    def obs_bucket(self) -> pulumi.Output[str | None]:
        """As declared."""
        return pulumi.get(self, "obs_bucket")

    @property
    @pulumi.getter(name="autoRecovery")
    def auto_recovery(self) -> pulumi.Output[bool | None]:
        """As declared."""
        return pulumi.get(self, "auto_recovery")

    @property
    @pulumi.getter(name="maxRetryTimes")
    def max_retry_times(self) -> pulumi.Output[int | None]:
        """As declared."""
        return pulumi.get(self, "max_retry_times")

    @property
    @pulumi.getter(name="catalogName")
    def catalog_name(self) -> pulumi.Output[str | None]:
        """As declared."""
        return pulumi.get(self, "catalog_name")

    @property
    @pulumi.getter(name="feature")
    def feature(self) -> pulumi.Output[str | None]:
        """As declared."""
        return pulumi.get(self, "feature")

    @property
    @pulumi.getter(name="sparkVersion")
    def spark_version(self) -> pulumi.Output[str | None]:
        """As declared."""
        return pulumi.get(self, "spark_version")

    @property
    @pulumi.getter(name="image")
    def image(self) -> pulumi.Output[str | None]:
        """As declared."""
        return pulumi.get(self, "image")

    @property
    @pulumi.getter(name="executionAgencyUrn")
    def execution_agency_urn(self) -> pulumi.Output[str | None]:
        """As declared."""
        return pulumi.get(self, "execution_agency_urn")

    @property
    @pulumi.getter(name="triggers")
    def triggers(self) -> pulumi.Output[Mapping[str, Any] | None]:
        """As declared."""
        return pulumi.get(self, "triggers")

    @property
    @pulumi.getter(name="rerunOnFailure")
    def rerun_on_failure(self) -> pulumi.Output[bool | None]:
        """As declared."""
        return pulumi.get(self, "rerun_on_failure")

    @property
    @pulumi.getter(name="onRecordExpired")
    def on_record_expired(self) -> pulumi.Output[str | None]:
        """As declared."""
        return pulumi.get(self, "on_record_expired")

    @property
    @pulumi.getter(name="whenRunning")
    def when_running(self) -> pulumi.Output[str | None]:
        """As declared."""
        return pulumi.get(self, "when_running")

    @property
    @pulumi.getter(name="cancelTimeout")
    def cancel_timeout(self) -> pulumi.Output[int | None]:
        """As declared."""
        return pulumi.get(self, "cancel_timeout")

    @property
    @pulumi.getter(name="adoptId")
    def adopt_id(self) -> pulumi.Output[str | None]:
        """As declared."""
        return pulumi.get(self, "adopt_id")

    @property
    @pulumi.getter(name="region")
    def region(self) -> pulumi.Output[str | None]:
        """As declared."""
        return pulumi.get(self, "region")

    @property
    @pulumi.getter(name="projectId")
    def project_id(self) -> pulumi.Output[str | None]:
        """As declared."""
        return pulumi.get(self, "project_id")

    @property
    @pulumi.getter(name="state")
    def state(self) -> pulumi.Output[str]:
        """The state at submission or at the last refresh: `starting`, `running`, `recovering`, `success`, `dead`. The
        outcome is `job.wait().state`."""
        return pulumi.get(self, "state")

    @property
    @pulumi.getter(name="appId")
    def app_id(self) -> pulumi.Output[str | None]:
        """The id of the application behind the job. Not the job's id."""
        return pulumi.get(self, "app_id")

    @property
    @pulumi.getter(name="owner")
    def owner(self) -> pulumi.Output[str | None]:
        """Who submitted the job."""
        return pulumi.get(self, "owner")

    @property
    @pulumi.getter(name="proxyUser")
    def proxy_user(self) -> pulumi.Output[str | None]:
        """The tenant for whom it runs."""
        return pulumi.get(self, "proxy_user")

    @property
    @pulumi.getter(name="kind")
    def kind(self) -> pulumi.Output[str | None]:
        """The kind of the job."""
        return pulumi.get(self, "kind")

    @property
    @pulumi.getter(name="log")
    def log(self) -> pulumi.Output[Sequence[str] | None]:
        """The last lines of the job's record, at most ten."""
        return pulumi.get(self, "log")

    @property
    @pulumi.getter(name="createTime")
    def create_time(self) -> pulumi.Output[int | None]:
        """When the job was created, in milliseconds since 1970."""
        return pulumi.get(self, "create_time")

    @property
    @pulumi.getter(name="updateTime")
    def update_time(self) -> pulumi.Output[int | None]:
        """When it last changed, in milliseconds since 1970."""
        return pulumi.get(self, "update_time")

    @property
    @pulumi.getter(name="duration")
    def duration(self) -> pulumi.Output[int | None]:
        """How long it has run, in milliseconds."""
        return pulumi.get(self, "duration")

    @property
    @pulumi.getter(name="submittedName")
    def submitted_name(self) -> pulumi.Output[str | None]:
        """The name under which it was submitted."""
        return pulumi.get(self, "submitted_name")

    @property
    @pulumi.getter(name="effectiveScType")
    def effective_sc_type(self) -> pulumi.Output[str | None]:
        """The compute resource type as the service sees it; `CUSTOMIZED` where sizes are given."""
        return pulumi.get(self, "effective_sc_type")

    @property
    @pulumi.getter(name="effectiveQueue")
    def effective_queue(self) -> pulumi.Output[str | None]:
        """The queue as the service spells it."""
        return pulumi.get(self, "effective_queue")

    @property
    @pulumi.getter(name="submittedTo")
    def submitted_to(self) -> pulumi.Output[SubmittedTo]:
        """The place where it was submitted: `region` and `projectId`."""
        return pulumi.get(self, "submitted_to")

    @property
    @pulumi.getter(name="recordExpired")
    def record_expired(self) -> pulumi.Output[bool]:
        """True when the service has deleted the job's record."""
        return pulumi.get(self, "record_expired")

    @property
    @pulumi.getter(name="sizing")
    def sizing(self) -> pulumi.Output[str | None]:
        """What the job takes, in words: vCPUs, memory and CUs of driver and executors."""
        return pulumi.get(self, "sizing")


@pulumi.input_type
class _BatchJobWaitProps(dict[str, Any]):
    """The properties of a wait as they go over Pulumi's wire."""

    job_id: pulumi.Input[str] | None = pulumi.property("jobId", default=None)
    until: pulumi.Input[str] | None = None
    timeout: pulumi.Input[str | float] | None = None
    job_name: pulumi.Input[str] | None = pulumi.property("jobName", default=None)
    submitted_to: pulumi.Input[Mapping[str, Any]] | None = pulumi.property("submittedTo", default=None)
    rerun_on_failure: pulumi.Input[bool] | None = pulumi.property("rerunOnFailure", default=None)
    waited: pulumi.Input[float] | None = None


class BatchJobWait(dynamic.Resource, module="dli", name="BatchJobWait"):
    """The outcome of a batch job: it exists once the job has reached what is waited for.

    It only reads, so it may fail, be interrupted and be repeated: the next `pulumi up` goes on waiting.
    """

    def __init__(
        self,
        resource_name: str,
        *,
        job_id: pulumi.Input[str],
        until: pulumi.Input[Until] = "success",
        timeout: pulumi.Input[str | float] | None = None,
        job_name: str | None = None,
        submitted_to: pulumi.Input[SubmittedTo] | None = None,
        rerun_on_failure: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a wait. `BatchJob.wait` is the usual way, and fills in the last three.

        Args:
            resource_name: The wait's logical name.
            job_id: The id of the batch job.
            until: `success`; `running`, which passes when the job runs or has succeeded; or `finished`, which passes
                for a dead job too. Otherwise a dead job is an error.
            timeout: How long one `pulumi up` waits: `90s`, `20m`, `2h`, or seconds. None by default. When it is over,
                `up` fails, the job goes on, and the next `up` goes on waiting.
            job_name: The job's logical name, for messages.
            submitted_to: The place where the job was submitted, by default that of the settings.
            rerun_on_failure: Whether the next `up` runs a dead job again, for the message.
            opts: Options of the resource.
        """
        shown_name = job_name or resource_name

        async def pass_gate(inputs: list[Any]) -> list[Any]:
            from pulumi_dli.gate import pass_gate  # noqa: PLC0415  a program without waits needs no HTTP client

            batch_id, until, timeout, place = inputs
            return list(
                await pass_gate(
                    batch_id, until=until, timeout=timeout, submitted_to=place, job_name=shown_name, row=self
                )
            )

        passed: pulumi.Output[list[Any]] = pulumi.Output.all(job_id, until, timeout, submitted_to).apply(pass_gate)
        props = _BatchJobWaitProps(
            job_id=passed.apply(lambda result: result[0]),
            until=until,
            timeout=timeout,
            job_name=shown_name,
            submitted_to=submitted_to,
            rerun_on_failure=rerun_on_failure,
            # How long the gate has waited matters only where the time is limited.
            waited=None if timeout is None else passed.apply(lambda result: result[1]),
        )
        for key in ("state", "app_id", "log", "create_time", "update_time", "duration"):
            props.setdefault(key, None)
        super().__init__(BatchJobWaitProvider(), resource_name, props, opts)

    @property
    @pulumi.getter(name="jobId")
    def job_id(self) -> pulumi.Output[str | None]:
        """The id of the batch job."""
        return pulumi.get(self, "job_id")

    @property
    @pulumi.getter(name="until")
    def until(self) -> pulumi.Output[str | None]:
        """What was waited for."""
        return pulumi.get(self, "until")

    @property
    @pulumi.getter(name="state")
    def state(self) -> pulumi.Output[str]:
        """The state of the job when the wait ended."""
        return pulumi.get(self, "state")

    @property
    @pulumi.getter(name="appId")
    def app_id(self) -> pulumi.Output[str | None]:
        """The id of the application behind the job. Not the job's id."""
        return pulumi.get(self, "app_id")

    @property
    @pulumi.getter(name="log")
    def log(self) -> pulumi.Output[Sequence[str] | None]:
        """The last lines of the job's record, at most ten."""
        return pulumi.get(self, "log")

    @property
    @pulumi.getter(name="createTime")
    def create_time(self) -> pulumi.Output[int | None]:
        """When the job was created, in milliseconds since 1970."""
        return pulumi.get(self, "create_time")

    @property
    @pulumi.getter(name="updateTime")
    def update_time(self) -> pulumi.Output[int | None]:
        """When it last changed, in milliseconds since 1970."""
        return pulumi.get(self, "update_time")

    @property
    @pulumi.getter(name="duration")
    def duration(self) -> pulumi.Output[int | None]:
        """How long it has run, in milliseconds."""
        return pulumi.get(self, "duration")
