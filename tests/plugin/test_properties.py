from typing import Any

from hypothesis import given

from pulumi_dli.jobs.exact_numbers import leaves
from pulumi_dli.plugin.properties import Properties, is_covered
from tests.plugin.test_wire import DOCUMENTS


@given(DOCUMENTS)
def test_a_path_covers_everything_inside(values: dict[str, Any]) -> None:
    for path, _ in leaves(values):
        assert is_covered(path, [path.partition("[")[0]])


def test_secrets_are_not_in_the_representation() -> None:
    assert "hunter2" not in repr(Properties({"a": "hunter2"}, frozenset({"a"})))
