"""The fixture with which authors of jobs test them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pulumi_dli.local.errors import ApiError
from pulumi_dli.local.job_tests import SparkJobs
from pulumi_dli.local.server import LocalDli
from tests.local.api import Api

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
LOG, TIMELINE = "spark.dli.local.log", "spark.dli.local.timeline"


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[SparkJobs]:
    """Jobs that only play their states."""
    with SparkJobs(tmp_path / "dli", engine="timeline") as running:
        yield running


def test_objects_are_put_and_read(jobs: SparkJobs, tmp_path: Path) -> None:
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "folder" / "inner" / "a").write_bytes(b"\xff")
    jobs.put("obs://demo/text", "\u00f6")
    jobs.put("obs://demo/x/copied", tmp_path / "folder")
    jobs.put("obs://demo/x/file", tmp_path / "folder" / "inner" / "a")
    assert jobs.read("obs://demo/text") == "\u00f6"
    assert jobs.read_bytes("obs://demo/x/copied/inner/a") == jobs.read_bytes("obs://demo/x/file") == b"\xff"
    assert jobs.objects("obs://demo/x") == ["obs://demo/x/copied/inner/a", "obs://demo/x/file"]
    assert jobs.objects("obs://demo/text") == ["obs://demo/text"]
    assert jobs.objects("obs://demo/nothing") == []
    assert jobs.local_path("obs://demo/text").read_text() == "\u00f6"


def test_the_part_files_of_a_folder_are_read_as_one(jobs: SparkJobs) -> None:
    for name, content in {"part-00001-x.csv": "b\n", "part-00000-x.csv": "a\n", "_SUCCESS": "no"}.items():
        jobs.put(f"obs://demo/out/{name}", content)
    assert jobs.read("obs://demo/out") == "a\nb\n"
    with pytest.raises(FileNotFoundError, match="obs://demo/empty has no part files"):
        jobs.local_path("obs://demo/empty").mkdir()
        jobs.read("obs://demo/empty")
    with pytest.raises(FileNotFoundError):
        jobs.read("obs://demo/nothing")


@pytest.mark.parametrize(
    "path", ["demo/a", "/demo/a", "obs://", "obs:///a", "obs://../a", "obs://demo/../../a", "s3://b/a"]
)
def test_what_is_no_path_of_an_object_is_refused(jobs: SparkJobs, path: str) -> None:
    for use in (lambda: jobs.put(path, ""), lambda: jobs.read(path)):
        with pytest.raises(ValueError, match="write it as in obs://bucket/folder/file"):
            use()


def test_a_run_tells_its_state_its_log_and_why_it_failed(jobs: SparkJobs) -> None:
    jobs.put("obs://demo/job.py", "")
    run = jobs.run("obs://demo/job.py", conf={LOG: "a\nb", TIMELINE: "running:0s,success"}, sc_type="B")
    assert (run.state, run.log, run.failure_reason) == ("success", ("a", "b"), None)
    log = "row 1\nValueError: no column"
    run = jobs.run("obs://demo/job.py", conf={LOG: log, TIMELINE: "running:0s,dead"}, modules=["m"])
    assert (run.state, run.log[-1], run.failure_reason) == ("dead", "ValueError: no column", "ValueError: no column")
    assert "modules" in run.submission_log[0]


def test_a_local_file_is_the_file_of_the_job_and_arguments_are_texts(jobs: SparkJobs, tmp_path: Path) -> None:
    script = tmp_path / "my job.py"
    script.write_text("print()")
    run = jobs.run(script, 1, tmp_path, "a", conf={TIMELINE: "success"})
    assert run.state == "success"
    assert jobs.objects("obs://spark-jobs-under-test") == ["obs://spark-jobs-under-test/my job.py"]
    with pytest.raises(FileNotFoundError):
        jobs.run(tmp_path / "nothing.py")
    with pytest.raises(ApiError, match="queue"):
        jobs.run(script, queue="nowhere")


@contextmanager
def cancels_begin_in_state(state: str) -> Iterator[None]:
    """Hold each cancel back until the job is in this state."""
    cancel = LocalDli.cancel

    def cancel_later(server: LocalDli, job_id: str) -> None:
        api = Api(server.credentials)
        api.wait(job_id, state)
        cancel(server, job_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalDli, "cancel", cancel_later)
        yield


def test_a_job_that_takes_too_long_is_cancelled(jobs: SparkJobs) -> None:
    told = r"did not end within 0\.1 s.*\nat work\nThe job was cancelled\."
    with cancels_begin_in_state("running"), pytest.raises(TimeoutError, match=told):
        jobs.run("obs://demo/job.py", conf={LOG: "at work", TIMELINE: "running"}, timeout=0.1)


def test_a_job_that_ends_just_before_it_would_be_cancelled_has_run(jobs: SparkJobs) -> None:
    with cancels_begin_in_state("success"):
        run = jobs.run("obs://demo/job.py", conf={TIMELINE: "running:0.1s,success"}, timeout=-1)
    assert run.state == "success"


@pytest.mark.slow
def test_the_tests_of_an_example_pass_with_real_spark() -> None:
    folder = EXAMPLES / "wordcount"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=280, check=False)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
