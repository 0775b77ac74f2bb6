"""Counts the words of obs://<bucket>/in into obs://<bucket>/out, and waits for the outcome."""

import pulumi

import pulumi_dli as dli

config = pulumi.Config()
bucket = config.require("bucket")

job = dli.BatchJob(
    "wordcount",
    file=f"obs://{bucket}/jobs/wordcount.py",
    args=[f"obs://{bucket}/in", f"obs://{bucket}/out"],
    queue=config.require("queue"),
)
done = job.wait(until="success", timeout="20m")

pulumi.export("job", job.id)
pulumi.export("state", done.state)
pulumi.export("seconds", done.duration.apply(lambda milliseconds: milliseconds and milliseconds / 1000))
