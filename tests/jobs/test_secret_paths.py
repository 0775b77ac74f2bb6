import pytest

from pulumi_dli.jobs.inputs import ARGUMENTS
from pulumi_dli.jobs.secret_paths import PUBLIC_ARGUMENTS, is_secret
from pulumi_dli.jobs.validation import UNKNOWN


def test_the_public_arguments_are_arguments_that_users_can_set() -> None:
    assert not [name for name in PUBLIC_ARGUMENTS if name not in ARGUMENTS or ARGUMENTS[name].is_hidden]


@pytest.mark.parametrize(
    ("path", "paths", "expected"),
    [
        ("args", ["args[1]"], True),
        ("args", ["args"], True),
        ("args[1]", ["args[1]"], True),
        ("arg", ["args[1]"], False),
        ("conf", ['conf["a"]'], True),
        ("name", [], False),
        ("name", None, False),
        ("name", UNKNOWN, True),
    ],
)
def test_a_value_is_secret_if_a_part_of_it_is_or_if_nobody_knows(path: str, paths: object, *, expected: bool) -> None:
    assert is_secret(path, paths) is expected
