"""Which texts of secret inputs are masked."""

from typing import Any

import pytest

from pulumi_dli.jobs.validation import UNKNOWN
from pulumi_dli.plugin.properties import Properties
from pulumi_dli.plugin.secret_texts import secret_texts


@pytest.mark.parametrize(
    ("values", "secrets", "texts"),
    [
        ({"args": ["plain", "hunter2"]}, ["args[1]"], ["hunter2"]),
        ({"args": ["two", "hunter2"]}, ["args"], ["hunter2", "two"]),
        ({"conf": {"a.b": "hunter2"}}, ['conf["a.b"]'], ["hunter2"]),
        ({"triggers": {"n": 12345.0, "list": [{"x": "deep"}]}}, ["triggers"], ["12345", "deep"]),
        ({"args": ["hunter2", "hunter2"]}, ["args[1]"], []),  # everybody can read it
        ({"args": ["ab", "true", "load"]}, ["args"], []),
        ({"queue": "hunter2", "scType": "ABC"}, ["queue", "scType"], []),  # public arguments
        ({"args": ["hunter2"], "queue": "hunter2"}, ["args", "queue"], []),
        ({"args": [UNKNOWN, "hunter2", True, None]}, ["args"], ["hunter2"]),
        ({"args": ["hunter2"]}, [], []),
        ({"args": [f"a{index}" * 2 for index in range(11)]}, ["args[1]"], ["a1a1"]),  # not args[10]
    ],
)
def test_the_texts(values: dict[str, Any], secrets: list[str], texts: list[str]) -> None:
    assert secret_texts(Properties(values, frozenset(secrets)), "load") == texts
