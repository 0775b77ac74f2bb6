"""Jobs as they are declared and stored, as the tests of the rules use them."""

from typing import Any

from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.inputs import JobInputs
from pulumi_dli.jobs.outputs import of_job

Properties = dict[str, Any]

ID = "7d4b6c1e-92f0-4d6a-8f0e-2b5a7c913e44"
PLACE = {"region": "eu-de", "projectId": "5e1c"}
DECLARED: Properties = {
    "file": "a.py",
    "queue": "batch",
    "args": ["in", "out"],
    "driverMemory": "2G",
    "triggers": {"day": "2026-11-24"},
    "resourceName": "load",
    "scope": "12345678",
}
STORED = of_job(JobInputs.parse(DECLARED), Batch(id=ID, state="running"), {"submittedTo": PLACE})

JOB: Properties = {"file": "obs://demo/jobs/orders.py", "queue": "batch"}
JAR: Properties = {"file": "orders.jar", "className": "org.example.Orders", "queue": "batch"}
PACKAGE: Properties = {"name": "lib/common.jar", "type": "jar"}
SPARK_3_3: Properties = {"sparkVersion": "3.3.1"}
