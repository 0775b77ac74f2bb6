import pytest

from pulumi_dli.jobs.failure_reason import failure_reason
from pulumi_dli.local.engines.failure_hints import failure_hint

TRACEBACK = ["Traceback (most recent call last):", '  File "job.py", line 3, in <module>', "    run()"]


@pytest.mark.parametrize(
    ("thrown", "hint"),
    [
        (
            [
                "py4j.protocol.Py4JJavaError: An error occurred while calling o59.text.",
                ": java.io.IOException: Could not initialize target File System for URI : obs://my-bucket.1/",
                "\tat org.apache.hadoop.fs.viewfs.ViewFileSystem.initialize(ViewFileSystem.java:1)",
            ],
            "The bucket my-bucket.1 does not exist in the local DLI. "
            "Make the directory obs/my-bucket.1 in its data directory before you submit the job.",
        ),
        (
            [
                'Exception in thread "main" java.io.IOException: Could not initialize target File System for URI : obs://b/'
            ],
            "The bucket b does not exist in the local DLI. "
            "Make the directory obs/b in its data directory before you submit the job.",
        ),
        (
            ["ModuleNotFoundError: No module named 'numpy'"],
            "The module numpy does not exist in the local DLI. It is in the extra local-ml. "
            "Run: pip install 'pulumi-dli[local,local-ml]'",
        ),
        (
            [
                "ModuleNotFoundError: No module named 'pandas'",
                "ImportError: Pandas >= 1.0.5 must be installed; however, it was not found.",
            ],
            "The module pandas does not exist in the local DLI. It is in the extra local-ml. "
            "Run: pip install 'pulumi-dli[local,local-ml]'",
        ),
        (
            [
                "pyspark.errors.exceptions.base.PySparkImportError: [PACKAGE_NOT_INSTALLED] PyArrow >= 4.0.0 must be "
                "installed; however, it was not found."
            ],
            "The module pyarrow does not exist in the local DLI. It is in the extra local-ml. "
            "Run: pip install 'pulumi-dli[local,local-ml]'",
        ),
    ],
    ids=["bucket", "bucket of a jar", "numpy", "pandas", "pyarrow"],
)
def test_what_only_the_local_dli_lacks_is_named_and_is_the_reason_that_up_shows(thrown: list[str], hint: str) -> None:
    log = [*TRACEBACK, *thrown, "26/11/30 04:58:04 INFO ShutdownHookManager: Shutdown hook called"]
    assert failure_hint(log, log, "local[2]") == hint
    assert failure_reason([*log, hint]).text == hint


@pytest.mark.parametrize(
    "log",
    [
        [],
        ["ModuleNotFoundError: No module named 'my_own'"],
        ["ModuleNotFoundError: No module named 'numpy'", "KeyError: 'it went on and died of something else'"],
        ["Could not initialize target File System for URI : obs://b/", "ValueError: another"],
    ],
    ids=["nothing", "another module", "went on", "bucket of before"],
)
def test_there_is_no_hint_for_what_the_job_itself_did(log: list[str]) -> None:
    assert failure_hint(log, log, "local[2]") is None


def test_a_program_that_seeks_yarn_is_told_the_master() -> None:
    start = ["26/11/30 INFO DefaultNoHARMFailoverProxyProvider: Connecting to ResourceManager at /0.0.0.0:8032"]
    hint = failure_hint(start, [], "local[2]")
    assert hint is not None
    assert hint.endswith("The local DLI runs jobs on local[2]: leave the master out of the program.")
