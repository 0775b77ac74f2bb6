from pathlib import Path

import pytest

from pulumi_dli.local.errors import ApiError
from pulumi_dli.local.obs import ObjectStore


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with a bucket and a package, in a directory with things that are none of its business."""
    (tmp_path / "secret.py").write_text("outside")
    data = tmp_path / "data"
    for file in (
        "obs/demo/jobs/job.py",
        "obs/demo/my job ü.py",
        "obs/other/a.py",
        "packages/group/lib.jar",
        "jobs.sqlite",
    ):
        path = data / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("inside")
    return data


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("obs://demo/jobs/job.py", "obs/demo/jobs/job.py"),
        ("obs://demo//jobs/./job.py", "obs/demo/jobs/job.py"),
        ("obs://demo/my job ü.py", "obs/demo/my job ü.py"),
        ("obs://demo/../other/a.py", "obs/other/a.py"),
        ("group/lib.jar", "packages/group/lib.jar"),
    ],
)
def test_an_object_is_a_file_of_its_bucket_and_a_package_one_of_its_group(data: Path, name: str, file: str) -> None:
    assert ObjectStore(data).find("file", name) == data / file


@pytest.mark.parametrize(
    "name",
    [
        "obs://demo/none.py",
        "obs://demo/../../secret.py",
        "obs://demo/../../../secret.py",
        "obs://../../secret.py",
        "obs://../jobs.sqlite",
        "obs://demo/jobs/../../../jobs.sqlite",
        "obs://demo/%2e%2e/%2e%2e/jobs.sqlite",
        "obs:///etc/passwd",
        "obs:////etc/passwd",
        "obs://demo//etc/passwd",
        "../secret.py",
        "../obs/demo/jobs/job.py",
        "/etc/passwd",
        "//etc/passwd",
        "file:///etc/passwd",
        "OBS://demo/jobs/job.py",
        "obs://demo/jobs",
        "obs://demo",
        "obs://nowhere/job.py",
        "obs://",
        "group",
        "",
        ".",
        "..",
        "obs://demo/" + "x" * 300,
        "obs://demo/" + "x/" * 5000,
    ],
    ids=lambda name: name[:40],
)
def test_what_is_no_file_in_the_two_directories_is_not_found(data: Path, name: str) -> None:
    kind = "(object|bucket|key of the path)" if name.startswith("obs://") else "package"
    with pytest.raises(ApiError, match=f"Parameter jars is invalid: the {kind} that it names does not exist") as raised:
        ObjectStore(data).find("jars", name)
    assert raised.value.code == "DLI.0011"


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("obs://demo/nothing.py", "the object"),
        ("obs://nowhere/job.py", "the bucket"),
        ("obs://demo", "the key of the path"),
        ("group/nothing.jar", "the package"),
    ],
)
def test_the_error_says_what_of_a_path_is_missing(data: Path, name: str, what: str) -> None:
    with pytest.raises(ApiError, match=f"Parameter file is invalid: {what} that it names does not exist"):
        ObjectStore(data).find("file", name)


@pytest.mark.parametrize("target", ["../../../secret.py", "/etc/passwd", "../../jobs.sqlite", "loop.py"])
@pytest.mark.parametrize("directory", ["obs/demo", "packages/group"])
def test_links_that_lead_out_or_nowhere_are_not_followed(data: Path, directory: str, target: str) -> None:
    (data / directory / "loop.py").symlink_to(target)
    name = "obs://demo/loop.py" if directory.startswith("obs") else "group/loop.py"
    with pytest.raises(ApiError, match="does not exist"):
        ObjectStore(data).find("file", name)


def test_links_within_the_buckets_are_followed(data: Path) -> None:
    (data / "obs/demo/latest.py").symlink_to("jobs/job.py")
    assert ObjectStore(data).find("file", "obs://demo/latest.py") == data / "obs/demo/jobs/job.py"


@pytest.mark.parametrize("name", ["obs://demo/a,b.py", "obs://demo/a\0.py", "group/a,b.jar"])
def test_names_that_spark_cannot_be_given_are_refused(data: Path, name: str) -> None:
    with pytest.raises(ApiError, match="comma or NUL") as raised:
        ObjectStore(data).find("files", name)
    assert raised.value.code == "DLI.0001"


def test_a_store_in_a_directory_that_is_a_link_finds_its_files(data: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(data, target_is_directory=True)
    assert ObjectStore(tmp_path / "link").find("file", "obs://demo/jobs/job.py").read_text() == "inside"


def test_every_bucket_is_mounted_for_spark(data: Path) -> None:
    store = ObjectStore(data)
    (data / "obs/my bucket").mkdir()
    (data / "obs/not-a-bucket").write_text("")
    mounts = {key: uri for key, uri in store.hadoop_conf().items() if "mounttable" in key}
    assert mounts == {
        "fs.viewfs.mounttable.demo.linkFallback": f"file://{data}/obs/demo",
        "fs.viewfs.mounttable.my bucket.linkFallback": f"file://{data}/obs/my%20bucket",
        "fs.viewfs.mounttable.other.linkFallback": f"file://{data}/obs/other",
    }
