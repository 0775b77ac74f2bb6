import json
from typing import Any

import pytest

from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.cost import estimated_cu_hours

HOUR = 3_600_000
OWN = {"driverCores": 1, "driverMemory": "4G", "executorCores": 1, "executorMemory": "4G", "numExecutors": 3}


def listed(duration: int | None, sc_type: str | None, **request: Any) -> Batch:
    document = {"id": "a", "duration": duration, "sc_type": sc_type, "req_body": json.dumps(request)}
    return Batch.model_validate(document)


@pytest.mark.parametrize(
    ("batch", "cus", "hours"),
    [
        (listed(HOUR, "A"), None, 8.0),
        (listed(HOUR // 4, "B"), None, 4.0),
        (listed(HOUR, "CUSTOMIZED", **OWN), None, 4.0),
        (listed(HOUR, "A", numExecutors=0), None, 2.0),
        (listed(HOUR, "CUSTOMIZED", numExecutors=3), None, None),
        (listed(HOUR, None), None, None),
        (listed(HOUR, "CUSTOMIZED", **{**OWN, "driverMemory": "much"}), None, None),
        (listed(HOUR, "CUSTOMIZED", **{**OWN, "driverCores": "1"}), None, None),
        (listed(HOUR, "CUSTOMIZED"), 20, 20.0),
        (listed(None, "A"), 20, None),
        (listed(1000, "A"), None, 0.0022),
    ],
)
def test_the_cost_is_known_where_the_time_and_the_sizes_are(batch: Batch, cus: int | None, hours: float | None) -> None:
    assert estimated_cu_hours(batch, cus) == hours
