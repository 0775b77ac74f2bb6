import os
from pathlib import Path

import pytest

from pulumi_dli.local.engines.spark_paths import UNUSABLE, UNUSABLE_FOR_TABLES, check_path, check_path_for_tables
from pulumi_dli.local.job_tests import SparkJobs
from pulumi_dli.local.server import LocalDliError
from pulumi_dli.local.testing import Service
from tests.local.serving import USABLE_BY_SPARK, USABLE_FOR_TABLES

ADVICE = r"Choose a data directory whose path has no control character and none of `, # : ? * [ ] { ; \`"


@pytest.mark.parametrize("character", UNUSABLE)
def test_a_character_that_spark_cannot_use_is_named_and_what_to_do(character: str) -> None:
    with pytest.raises(ValueError) as raised:
        check_path(Path(f"/a{character}b/dli"))
    problem = f"Spark cannot use the path /a{character}b/dli of the data directory, because it has the character "
    assert str(raised.value) == f"{problem}`{character}`. {ADVICE}"


@pytest.mark.parametrize(
    ("name", "shown", "problem"),
    [
        ("a\nb", "'/a\\nb'", "a control character"),
        ("a\tb", "'/a\\tb'", "a control character"),
        ("a\x7fb", "'/a\\x7fb'", "a control character"),
        ("a\x85b", "'/a\\x85b'", "a control character"),
        (os.fsdecode(b"a\xffb"), "'/a\\udcffb'", "a byte that is not UTF-8"),
    ],
)
def test_what_cannot_be_printed_is_shown_as_an_escape(name: str, shown: str, problem: str) -> None:
    with pytest.raises(ValueError, match="Choose a data directory") as raised:
        check_path(Path("/", name))
    assert f"the path {shown} of the data directory, because it has {problem}. " in str(raised.value)


def test_all_other_printable_characters_are_usable() -> None:
    check_path(Path("/", USABLE_BY_SPARK))
    check_path_for_tables(Path("/", USABLE_FOR_TABLES))
    printable = {chr(code) for code in range(0x20, 0x7F) if not chr(code).isalnum()} - {"/"}
    assert printable - {*UNUSABLE} <= {*USABLE_BY_SPARK}
    assert printable - {*UNUSABLE, *UNUSABLE_FOR_TABLES} <= {*USABLE_FOR_TABLES}


@pytest.mark.parametrize("character", UNUSABLE_FOR_TABLES)
def test_a_character_with_which_only_tables_do_not_work_is_refused_for_tables(character: str) -> None:
    check_path(Path(f"/a{character}b"))
    with pytest.raises(ValueError) as raised:
        check_path_for_tables(Path(f"/a{character}b"))
    problem = f"DLI's metadata cannot use the path /a{character}b of the data directory, because it has the character "
    assert str(raised.value) == f"{problem}`{character}`. {ADVICE}"


@pytest.mark.parametrize("path", ["/a\\", "/a\\/dli"])
def test_a_name_that_ends_in_a_backslash_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="because it has a name that ends in a backslash"):
        check_path(Path(path))


def test_a_path_behind_a_link_counts_too(tmp_path: Path) -> None:
    (tmp_path / "a,b").mkdir()
    (tmp_path / "link").symlink_to("a,b")
    with pytest.raises(ValueError, match=f"the path {tmp_path}/a,b/dli of the data directory"):
        check_path(tmp_path / "link" / "dli")


def test_spark_is_refused_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a,b").mkdir()
    monkeypatch.chdir(tmp_path / "a,b")
    for jobs in (SparkJobs(Path("dli")), Service(Path("dli"), engine="spark")):
        with pytest.raises(LocalDliError, match=f"^Spark cannot use the path {tmp_path}/a,b/dli"), jobs:
            pass
    assert list(Path().iterdir()) == []


def test_a_service_without_spark_works_in_any_directory(tmp_path: Path) -> None:
    with Service(tmp_path / f"a{UNUSABLE}{UNUSABLE_FOR_TABLES}\n") as service:
        assert service.submit({"file": "obs://jobs/job.py"}) == service.jobs()[0].id
