"""The destroy of Huawei Cloud's Terraform provider, which compares the states letter by letter.

Source: terraform-provider-huaweicloud at 10c32cb, resource_huaweicloud_dli_spark_job.go, `resourceDliSparkJobDelete`.
"""

import pytest

from tests.local.api import Api, eventually


def state_of(api: Api, job_id: str) -> str:
    return str(api.ask("GET", f"{api.batches}/{job_id}/state")["state"])


def cancel_if_live(api: Api, job_id: str) -> bool:
    """Cancel the job if its state is one of those in which the provider cancels. Give whether it did."""
    is_live = state_of(api, job_id) in ("starting", "running", "recovering")
    if is_live:
        api.cancel(job_id)
    return is_live


def has_ended(state: str) -> bool:
    return state in ("dead", "success")


@pytest.mark.parametrize("state", ["starting", "running", "recovering"])
def test_a_destroy_cancels_a_live_job_and_sees_its_end(api: Api, state: str) -> None:
    job_id = api.submit(state)
    api.wait(job_id, state)
    assert cancel_if_live(api, job_id)
    eventually(lambda: state_of(api, job_id), has_ended)


@pytest.mark.parametrize("state", ["success", "dead"])
def test_a_destroy_leaves_a_job_alone_that_has_ended(api: Api, state: str) -> None:
    job_id = api.submit(state)
    api.wait(job_id, state)
    assert not cancel_if_live(api, job_id)
    assert has_ended(state_of(api, job_id))
