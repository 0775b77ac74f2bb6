import pytest

from pulumi_dli.jobs.inputs import JobInputs
from pulumi_dli.jobs.job_rules import Checked, check
from pulumi_dli.jobs.validation import UNKNOWN
from tests.jobs.examples import JAR, JOB, PACKAGE, SPARK_3_3, Properties

AGENCY = {"executionAgencyUrn": "spark-on-obs"}


def checked(declared: Properties, region: str | None = None) -> Checked:
    return check(JobInputs.parse(declared), region)


def warnings(**declared: object) -> list[str]:
    result = checked(JOB | declared)
    assert result.failures == []
    return result.warnings


# What contradicts


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            {"queue": "batch"},
            "file: is missing; set it to the package to run, for example obs://bucket/jobs/wordcount.py",
        ),
        ({"file": "a.jar"}, "className: is missing; a .jar needs the main class to run, for example org.example.Main"),
        ({"file": "OBS://demo/A.JAR", "className": ""}, "className: is missing"),
        (JOB | {"clusterName": "batch"}, "queue and clusterName: both are set, and both name the queue; keep queue"),
        (JOB | {"image": "demo/spark:1"}, "image: is used only with feature custom; set feature to custom, or leave"),
        (JOB | {"image": "demo/spark:1", "feature": "ai"}, "image: is used only with feature custom"),
        (JOB | {"feature": "custom"}, "feature: custom needs image, for example organization/name:tag"),
        (JOB | SPARK_3_3 | {"file": "a.py"}, "file: must be an obs:// path with Spark 3.3 and later"),
        (JOB | SPARK_3_3 | {"jars": ["obs://demo/a.jar", "b.jar"]}, "jars: must be an obs:// path with Spark 3.3"),
        (JOB | SPARK_3_3 | {"pyFiles": ["b.py"]}, "pyFiles: must be an obs:// path with Spark 3.3"),
        (JOB | SPARK_3_3 | {"files": ["b.txt"]}, "files: must be an obs:// path with Spark 3.3"),
        (JOB | SPARK_3_3 | {"resources": [PACKAGE]}, "resources: is not supported by Spark 3.3 and later; use jars"),
        (JOB | SPARK_3_3 | {"groups": [{"name": "lib"}]}, "groups: is not supported by Spark 3.3 and later; use jars"),
    ],
)
def test_properties_that_contradict_each_other_are_refused(declared: Properties, message: str) -> None:
    (failure,) = checked(declared).failures
    assert failure.startswith(message)


@pytest.mark.parametrize(
    "declared",
    [
        JAR,
        JOB | SPARK_3_3 | {"jars": ["obs://demo/a.jar"], "resources": [], "groups": []},
        JOB | {"feature": "custom", "image": "demo/spark:1"},
        *[{"file": "a.py", "queue": "batch", "sparkVersion": version} for version in ("2.4.5", "3.1.1", "3", "latest")],
    ],
)
def test_properties_that_fit_together_are_accepted(declared: Properties) -> None:
    assert checked(declared).failures == []


@pytest.mark.parametrize("version", ["3.3", "3.3.1", "3.10.0", "4", "4.0.0"])
def test_the_rules_of_spark_3_3_hold_for_all_later_versions(version: str) -> None:
    assert checked({"file": "a.py", "sparkVersion": version}).failures


# What is only doubtful


def test_a_job_without_doubts_is_not_warned_of() -> None:
    assert warnings() == []
    assert warnings(autoRecovery=True, maxRetryTimes=5) == []


@pytest.mark.parametrize(
    "feature", [{"feature": "ai"}, {"sparkVersion": "3.1.1"}, {"feature": "custom", "image": "demo/spark:1"}]
)
def test_what_only_some_regions_know_is_doubtful_elsewhere(feature: Properties) -> None:
    (warning,) = checked(JOB | feature, region="eu-de").warnings
    assert warning.startswith(f"{', '.join(feature)}: not documented for Open Telekom Cloud (eu-de)")
    assert checked(JOB | feature, region="cn-north-4").warnings == []
    assert checked(JOB | feature, region=None).warnings == []
    assert checked(JOB | feature | {"region": "cn-north-4"}, region="eu-de").warnings == []


NO_EFFECT = "maxRetryTimes has no effect without autoRecovery; set autoRecovery to true, or leave maxRetryTimes out"


def test_retries_that_are_not_switched_on_are_doubtful() -> None:
    assert warnings(maxRetryTimes=5) == [NO_EFFECT]
    assert warnings(maxRetryTimes=5, autoRecovery=False) == [NO_EFFECT]


def test_spark_3_3_without_an_agency_is_doubtful() -> None:
    (warning,) = warnings(**SPARK_3_3)
    assert warning.startswith("Spark 3.3 and later reads OBS with an agency: set executionAgencyUrn")
    assert warnings(**SPARK_3_3, executionAgencyUrn="spark-on-obs") == []
    assert warnings(**SPARK_3_3, conf={"spark.dli.job.agency.name": "spark-on-obs"}) == []
    assert warnings(sparkVersion="3.1.1") == []


def test_a_job_without_a_queue_is_doubtful() -> None:
    (warning,) = checked({"file": "a.py"}).warnings
    assert warning.startswith("neither queue nor clusterName is set")
    assert checked({"file": "a.py", "clusterName": "batch"}).warnings == []


# Unknown values


@pytest.mark.parametrize(
    "declared",
    [
        {"file": UNKNOWN, "queue": "batch"},
        {"file": "a.jar", "queue": "batch", "className": UNKNOWN},
        {"file": "a.py", "queue": "batch", "clusterName": UNKNOWN},
        JOB | {"image": "demo/spark:1", "feature": UNKNOWN},
        JOB | {"image": UNKNOWN},
        JOB | {"feature": "custom", "image": UNKNOWN},
        JOB | {"sparkVersion": UNKNOWN, "jars": ["a.jar"]},
        JOB | SPARK_3_3 | AGENCY | {"resources": UNKNOWN, "jars": UNKNOWN, "pyFiles": [UNKNOWN, "obs://demo/a.py"]},
        JOB | SPARK_3_3 | {"executionAgencyUrn": UNKNOWN},
        JOB | SPARK_3_3 | {"conf": UNKNOWN},
        JOB | {"maxRetryTimes": UNKNOWN},
        JOB | {"maxRetryTimes": 5, "autoRecovery": UNKNOWN},
        {"file": "a.py", "queue": UNKNOWN},
    ],
)
def test_a_rule_over_several_properties_needs_them_all_known(declared: Properties) -> None:
    result = checked(declared)
    assert (result.failures, result.warnings) == ([], [])


PROJECT = "5e1c0f2d5e1c0f2d5e1c0f2d5e1c0f2d"


@pytest.mark.parametrize(
    ("declared", "warning"),
    [
        (
            {"file": "obs://demo/wordcount.PY"},
            "file: the extension is PY; the service may not take it for a .py, so rename",
        ),
        ({"file": "obs://demo/a.Jar", "className": "A"}, "file: the extension is Jar; the service may not take"),
        ({"file": "obs://demo/a.py", "className": "Main"}, "className: a .py has no main class; leave className out"),
        ({"file": "https://demo/a.py"}, "file: is an https:// address, which the service may refuse; upload"),
        ({"projectId": "my-project"}, "projectId: the id of a project has 32 hexadecimal digits; the console shows"),
    ],
)
def test_what_is_hardly_meant_is_warned_of(declared: Properties, warning: str) -> None:
    (told,) = warnings(**declared)
    assert told.startswith(warning)


def test_what_may_be_meant_is_not_warned_of() -> None:
    for declared in ({"file": "obs://demo/a.py"}, {"file": "group/a.jar", "className": "A"}, {"projectId": PROJECT}):
        assert warnings(**declared) == []
