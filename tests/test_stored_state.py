"""A state that an earlier version has written is refreshed, previewed, updated and destroyed by the code of today.

`tests/data/stack_export_0_1_0.json` is what `pulumi stack export` gave for `PROGRAM` after its first `up`, without the
positions in the source. It is never written anew: a later version adds a file of its own.
"""

import json
from pathlib import Path

from pulumi_dli.local.testing import Service
from tests.project import Project

EXPORT = (Path(__file__).parent / "data" / "stack_export_0_1_0.json").read_text()

PROGRAM = """
    load = dli.BatchJob(
        "load",
        file="obs://demo/jobs/load.py",
        args=["obs://demo/in", pulumi.Output.secret("hunter2")],
        queue="default",
        driver_memory="2G",
        conf={"spark.dli.local.timeline": "starting:0s,running:0s,success"},
        triggers={"day": "monday"},
        cancel_timeout=60,
    )
    load.wait(timeout="2m")
    stream = dli.BatchJob(
        "stream",
        file="obs://demo/jobs/stream.py",
        cluster_name="default",
        conf={"spark.dli.local.timeline": "starting:0s,running"},
        opts=pulumi.ResourceOptions(replacement_trigger="v1", protect=True),
    )
    stream.wait(until="running")
    pulumi.export("load", load.id)
"""


def export_for(service: Service) -> str:
    """The export with jobs of this service in the place of those that it had then."""
    export = EXPORT
    stored = {
        resource["inputs"]["resourceName"]: resource
        for resource in json.loads(EXPORT)["deployment"]["resources"]
        if resource["type"].endswith(":BatchJob")
    }
    for name in ("load", "stream"):
        inputs, outputs = stored[name]["inputs"], stored[name]["outputs"]
        request = {"file": inputs["file"], "className": "", "conf": inputs["conf"], "name": outputs["submittedName"]}
        export = export.replace(stored[name]["id"], service.submit(request))
        export = export.replace(outputs["submittedTo"]["projectId"], service.server.credentials.project_id)
    return export


def test_a_state_of_0_1_0_is_refreshed_updated_and_destroyed(project: Project, service: Service) -> None:
    (project.folder / "export.json").write_text(export_for(service))
    project.pulumi("stack", "import", "--file", "export.json")
    project.write(PROGRAM)

    project.pulumi("refresh", "--yes", "--skip-preview")
    load, _ = service.jobs()
    stored = project.state_of("load")
    assert (stored["id"], stored["outputs"]["createTime"]) == (load.id, load.create_time)
    project.pulumi("preview", "--expect-no-changes")
    assert service.states() == ["success", "running"]

    changed = PROGRAM.replace("monday", "tuesday").replace(
        'cluster_name="default"', 'queue="default", cancel_timeout=5'
    )
    project.write(changed.replace("protect=True", "protect=False"))
    project.up()
    assert service.states() == ["success", "running", "success"]
    assert project.state_of("load-success")["outputs"]["jobId"] == service.jobs()[2].id
    assert project.state_of("stream")["outputs"]["cancelTimeout"] == 5

    project.pulumi("destroy", "--yes", "--skip-preview")
    assert service.states() == ["success", "dead", "success"]
