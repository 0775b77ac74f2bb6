"""What stands in every user's state, and in the names of live runs. No version may ever change it.

The tests run 0.1.0 too. So the values are those of 0.1.0, and not those of a later version that somebody has copied.
"""

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from pulumi_dli.local.testing import Service
from tests.compat.old_stack import JOB_TYPE, LIVE
from tests.compat.versions import TODAY, unpack_0_1_0
from tests.project import Project

PROGRAM = """
    import os

    dli.BatchJob(
        "every",
        file="obs://demo/jobs/etl.jar",
        class_name="org.example.Etl",
        queue="default",
        args=["obs://demo/in", ""],
        sc_type="B",
        jars=["obs://demo/lib/a.jar"],
        py_files=["obs://demo/lib/a.py"],
        files=["obs://demo/lib/a.txt"],
        modules=["sys.datasource.rds"],
        resources=[{"name": "lib/a.jar", "type": "jar"}],
        groups=[{"name": "lib", "resources": [{"name": "b.jar", "type": "jar"}]}],
        conf={"spark.some_key": True, "spark.number": 3},
        driver_memory="2G",
        driver_cores=1,
        executor_memory="4096 MB",
        executor_cores=2,
        num_executors=3,
        obs_bucket="demo",
        auto_recovery=True,
        max_retry_times=5,
        catalog_name="dli",
        feature="custom",
        spark_version="3.1.1",
        image="demo/spark:1",
        execution_agency_urn="spark-on-obs",
        triggers={"some_key": {"number": 1, "text": "grün"}},
        rerun_on_failure=True,
        on_record_expired="rerun",
        when_running="cancel",
        cancel_timeout=60,
        region=os.environ["OS_REGION_NAME"],
        project_id=os.environ["OS_PROJECT_ID"],
        opts=pulumi.ResourceOptions(replacement_trigger="v1"),
    ).wait(until="running", timeout="10m")
    dli.BatchJob("named", file="named.py", cluster_name="default", name="nightly")
    dli.BatchJob("adopted", file="adopted.py", queue="default", adopt_id="ADOPTED")
    dli.BatchJob("secret", file="secret.py", queue="default", args=[pulumi.Output.secret("hunter2")]).wait()
    dli.BatchJob("plain", file="plain.py", queue="default")
    dli.BatchJob("triggered", file="plain.py", queue="default", triggers={"day": "monday", "number": 1})
    dli.BatchJob("replaced", file="plain.py", queue="default", opts=pulumi.ResourceOptions(replacement_trigger="v1"))
    outer = pulumi.ComponentResource("demo:index:Nightly", "outer")
    inner = pulumi.ComponentResource("demo:index:Region", "inner", opts=pulumi.ResourceOptions(parent=outer))
    dli.BatchJob("child", file="plain.py", queue="default", opts=pulumi.ResourceOptions(parent=inner))
    dli.jobs_from_config()
"""

CONFIGURATION = """
config:
  dli:jobDefaults:
    queue: default
    conf: {spark.sql.shuffle.partitions: 8}
  dli:jobs:
    configured:
      file: obs://demo/configured.py
      numExecutors: 2
"""

WAIT_TYPE = "pulumi-python:dynamic/dli:BatchJobWait"

PROVIDERS = {
    JOB_TYPE: "gASVLwAAAAAAAACME3B1bHVtaV9kbGkucHJvdmlkZXKUjBBCYXRjaEpvYlByb3ZpZGVylJOUKYGULg==",
    WAIT_TYPE: "gASVMwAAAAAAAACME3B1bHVtaV9kbGkucHJvdmlkZXKUjBRCYXRjaEpvYldhaXRQcm92aWRlcpSTlCmBlC4=",
}
"""The pickles of `pulumi_dli.provider.BatchJobProvider()` and `pulumi_dli.provider.BatchJobWaitProvider()`."""

DECLARED = """
    adoptId args autoRecovery cancelTimeout catalogName className clusterName conf driverCores driverMemory
    executionAgencyUrn executorCores executorMemory feature file files groups image jars maxRetryTimes modules name
    numExecutors obsBucket onRecordExpired projectId pyFiles queue redact region replacementTrigger rerunOnFailure
    resourceName resources scType scope sparkVersion triggers whenRunning
"""
OBSERVED = """
    appId createTime duration effectiveQueue effectiveScType log owner recordExpired sizing state submittedName
    submittedTo updateTime
"""
WAIT_DECLARED = "jobId jobName redact rerunOnFailure submittedTo timeout until waited"
WAIT_OBSERVED = "appId createTime duration log state updateTime"
"""The names of properties in the state: what is declared, and what the service or the provider adds."""

SCOPES_AND_SPECS = {
    "plain": ("dd7d5167", "eaa61782"),
    "triggered": ("703b4bc2", "2d2f05a9"),
    "replaced": ("caa06227", "3a3f5f72"),
    "child": ("2e3bfe1a", "eaa61782"),
    "every": ("a4cb0afb", "71247e71"),
    "configured": ("e26520c0", "36bd167f"),
}
"""The two hexadecimal parts of a submission's name: who submits, and what runs."""


@pytest.mark.parametrize("version", ["0.1.0", "today"])
def test_what_state_and_live_runs_have_stays_as_it_is(version: str, tmp_path: Path, local_dli: Service) -> None:
    project = Project(tmp_path / "project", local_dli.environment)
    local_dli.play("every", LIVE)
    local_dli.play("theirs", LIVE)
    theirs = local_dli.submit({"name": "theirs", "file": "adopted.py", "queue": "default"})
    project.write(PROGRAM.replace("ADOPTED", theirs))
    settings = project.folder / "Pulumi.dev.yaml"
    settings.write_text(settings.read_text() + CONFIGURATION)
    variables = TODAY if version == "today" else unpack_0_1_0(tmp_path / "0.1.0")
    project.up(**variables)
    project.pulumi("refresh", "--yes", "--skip-preview", **variables)

    resources = json.loads(project.pulumi("stack", "export"))["deployment"]["resources"]
    jobs = [resource for resource in resources if resource["type"] == JOB_TYPE]
    waits = [resource for resource in resources if resource["type"] == WAIT_TYPE]
    assert (len(jobs), len(waits)) == (9, 2)
    assert missing(jobs, "inputs", DECLARED) == set()
    assert missing(jobs, "outputs", DECLARED, OBSERVED) == set()
    # Later versions still read `waited`, but write it only if a wait times out.
    absent = set() if version == "0.1.0" else {"waited"}
    assert missing(waits, "inputs", WAIT_DECLARED) == absent
    assert missing(waits, "outputs", WAIT_DECLARED, WAIT_OBSERVED) == absent
    for resource in [*jobs, *waits]:
        # The first two bytes are the version of the pickle. A newer Python may raise it.
        stored, pinned = (base64.b64decode(text)[2:] for text in (provider_of(resource), PROVIDERS[resource["type"]]))
        assert stored == pinned

    names = {run.name.split("-")[0]: run.name.split("-")[1:] for run in local_dli.jobs()}
    assert {form: tuple(names[form][:2]) for form in SCOPES_AND_SPECS} == SCOPES_AND_SPECS
    assert [len(names[form][2]) for form in SCOPES_AND_SPECS] == [6] * len(SCOPES_AND_SPECS)


def missing(resources: Iterable[dict[str, Any]], part: str, *names: str) -> set[str]:
    """Give the names that none of these resources has among its inputs or outputs."""
    return {*" ".join(names).split()} - {key for resource in resources for key in resource[part]}


def provider_of(resource: dict[str, Any]) -> str:
    return str(resource["inputs"]["__provider"])
