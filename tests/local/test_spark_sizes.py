from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_dli.api.models import BatchRequest
from pulumi_dli.local.engines.spark_sizes import Share, fit_to_share, requested_sizes, total_memory

NAMES = ("driver.cores", "driver.memory", "executor.cores", "executor.memory", "executor.instances")
GIB = 2**30


def properties(*values: str) -> dict[str, str]:
    return {f"spark.{name}": value for name, value in zip(NAMES, values, strict=True)}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ("2", "7168m", "1", "4096m", "6")),
        ({"sc_type": "C"}, ("4", "15360m", "2", "8192m", "14")),
        ({"sc_type": "B", "driverMemory": "2 GB", "numExecutors": 1}, ("2", "2048m", "2", "8192m", "1")),
        ({"driverCores": 1, "executorCores": 3, "executorMemory": "512M"}, ("1", "7168m", "3", "512m", "6")),
        ({"driverCores": 0, "numExecutors": 0}, ("0", "7168m", "1", "4096m", "0")),
    ],
    ids=repr,
)
def test_a_jobs_own_sizes_go_before_those_of_its_resource_type(body: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert requested_sizes(BatchRequest.model_validate({"file": "obs://b/a.py"} | body)) == properties(*expected)


A = ("2", "7168m", "1", "4096m", "6")
MORE = "is more than this machine can spare"


@pytest.mark.parametrize(
    ("asked", "on_cluster", "lines"),
    [
        (A, False, []),
        (("9", *A[1:]), False, [f"Driver cores 9 {MORE}: 4."]),
        (("2", "8193m", *A[2:]), False, [f"Driver memory 8193m {MORE}: 8192m."]),
        (("0", *A[1:]), False, ["Driver cores 0 is not enough for Spark: 1."]),
        ((*A[:4], "0"), False, ["Number of executors 0 is not enough for Spark: 1."]),
        (("2", "4g", "1", "1g", "4"), True, []),
        (A, True, [f"Driver memory 7168m {MORE}: 4096m.", f"Number of executors 6 {MORE}: 1."]),
        (("1", "1g", "2", "1g", "6"), True, [f"Number of executors 6 {MORE}: 2."]),
        (("1", "1g", "8", "9g", "1"), True, [f"Executor cores 8 {MORE}: 4.", f"Executor memory 9g {MORE}: 4096m."]),
        (("1", "1g", "1", "5000", "1"), True, [f"Executor memory 5000 {MORE}: 4096m."]),
    ],
    ids=repr,
)
def test_sizes_are_scaled_to_a_share_of_the_machine(asked: tuple[str, ...], on_cluster: bool, lines: list[str]) -> None:
    assert fit_to_share(properties(*asked), Share(8 * GIB, 4), on_cluster=on_cluster)[1] == lines


@pytest.mark.parametrize(
    ("memory", "given_memory"),
    [
        ("1g", None),
        ("1024", None),
        ("nonsense", None),
        ("", None),
        ("-1g", None),
        ("0m", None),
        ("900T", "8192m"),
        ("9gb", "8192m"),
        (" 999999g ", "8192m"),
        ("999999999999999999", "8192m"),
    ],
    ids=repr,
)
def test_a_memory_of_any_spelling_is_scaled_and_what_nobody_can_read_is_left_to_spark(
    memory: str, given_memory: str | None
) -> None:
    changed, _ = fit_to_share(properties("1", memory, "1", "1g", "1"), Share(8 * GIB, 4), on_cluster=False)
    assert changed.get("spark.driver.memory") == given_memory


def test_a_standalone_cluster_is_told_how_many_cores_all_executors_have() -> None:
    asked = properties("1", "1g", "2", "1g", "2")
    assert fit_to_share(asked, Share(8 * GIB, 4), on_cluster=True) == ({"spark.cores.max": "4"}, [])
    assert fit_to_share(asked | {"spark.cores.max": "2"}, Share(8 * GIB, 4), on_cluster=True) == ({}, [])


cores = st.integers(0, 1000)
mebibytes = st.integers(1, 10**9)


@given(
    driver=st.tuples(cores, mebibytes),
    executor=st.tuples(cores, mebibytes),
    executors=cores,
    share=st.builds(Share, memory=st.integers(GIB, 2**40), cores=st.integers(1, 128)),
    on_cluster=st.booleans(),
)
def test_no_job_gets_more_than_its_share_or_less_than_it_asked_for_without_a_line(
    driver: tuple[int, int], executor: tuple[int, int], executors: int, share: Share, on_cluster: bool
) -> None:
    asked = properties(str(driver[0]), f"{driver[1]}m", str(executor[0]), f"{executor[1]}m", str(executors))
    changed, lines = fit_to_share(asked, share, on_cluster=on_cluster)
    given_cores, given_memory, each_cores, each_memory, number = (
        int((asked | changed)[f"spark.{name}"].removesuffix("m")) for name in NAMES
    )
    assert min(given_cores, each_cores, number) >= 1
    assert given_cores <= share.cores
    memory = given_memory + (number * each_memory if on_cluster else 0)
    assert memory * 2**20 <= share.memory
    assert number * each_cores <= share.cores or not on_cluster
    assert len(lines) == len(changed.keys() - {"spark.cores.max"})


def test_jobs_that_run_side_by_side_share_the_memory() -> None:
    alone, one_of_two = Share.of_machine(1), Share.of_machine(2)
    assert 2 * one_of_two.memory <= max(alone.memory, 2 * GIB)
    assert alone.memory < max(total_memory(), GIB + 1)


@pytest.mark.parametrize(("limit", "total"), [("4096\n", 4096), ("max\n", None), (str(2**62), None), (None, None)])
def test_a_containers_limit_is_its_memory(tmp_path: Path, limit: str | None, total: int | None) -> None:
    file = tmp_path / "memory.max"
    if limit is not None:
        file.write_text(limit)
    assert total_memory(file) == (total or psutil.virtual_memory().total)
