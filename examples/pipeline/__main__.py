"""Four jobs: extract → sales by customer, sales by product → load.

A step runs after those before it have succeeded, and runs again when one of them has, or when its own arguments
change. A new day runs all four; other arguments of by-product run that step and load.
"""

from typing import NamedTuple

import pulumi

import pulumi_dli as dli

config = pulumi.Config()
base, day = f"obs://{config.require('bucket')}", config.require("day")


class Step(NamedTuple):
    """A job and its outcome."""

    job: dli.BatchJob
    done: dli.BatchJobWait


def step(name: str, *args: str, after: tuple[Step, ...] = ()) -> Step:
    """Declare a job that waits for others, and runs again whenever one of them has."""
    job = dli.BatchJob(
        name,
        file=f"{base}/jobs/{name.replace('-', '_')}.py",
        args=args,
        queue=config.require("queue"),
        triggers={"upstream": [before.job.id for before in after]},
        opts=pulumi.ResourceOptions(depends_on=[before.done for before in after]),
    )
    return Step(job, job.wait(timeout="2h"))


sales, by_customer, by_product, report = (
    f"{base}/{folder}/{day}" for folder in ("sales", "customers", "products", "report")
)

extract = step("extract", f"{base}/in/{day}.csv", sales)
customers = step("by-customer", sales, by_customer, after=(extract,))
products = step("by-product", sales, by_product, after=(extract,))
load = step("load", by_customer, by_product, report, after=(customers, products))

pulumi.export("report", load.done.state.apply(lambda _: report))
