"""What users do today: submit with the vendor's SDK, and poll each job until it has ended, one after the other.

vendor_poll.py NUMBER CONF_TIMELINE; where and who from the variables that `pulumi_dli.local env` prints.
"""

import os
import sys
import time

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkdli.v1 import (
    CreateSparkJobRequest,
    CreateSparkJobRequestBody,
    DliClient,
    ShowSparkJobStatusRequest,
)

POLL = 10.0  # seconds, as in Huawei's samples and Terraform's provider, or slower


def main(number: str, timeline: str) -> None:
    credentials = BasicCredentials(
        os.environ["OS_ACCESS_KEY"], os.environ["OS_SECRET_KEY"], os.environ["OS_PROJECT_ID"]
    )
    client = (
        DliClient.new_builder()
        .with_http_config(HttpConfig(ignore_ssl_verification=True))
        .with_credentials(credentials)
        .with_endpoints([os.environ["DLI_ENDPOINT"]])
        .build()
    )
    ids = []
    for count in range(int(number)):
        body = CreateSparkJobRequestBody(
            file=f"obs://bench/job{count}.py",
            class_name="",
            queue="default",
            name=f"job{count}",
            conf={"spark.dli.local.timeline": timeline},
        )
        ids.append(client.create_spark_job(CreateSparkJobRequest(body=body)).id)
    for batch_id in ids:
        while client.show_spark_job_status(ShowSparkJobStatusRequest(batch_id=batch_id)).state.lower() not in (
            "success",
            "dead",
        ):
            time.sleep(POLL)


if __name__ == "__main__":
    main(*sys.argv[1:])
