import pytest

from pulumi_dli.jobs.inputs import ARGUMENTS
from pulumi_dli.jobs.secret_paths import PUBLIC_ARGUMENTS, is_secret, shown_path
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


@pytest.mark.parametrize(
    ("path", "paths", "expected"),
    [
        ('conf["a"]', None, 'conf["a"]'),
        ('conf["a"]', ["args"], 'conf["a"]'),
        ('conf["a"]', ['conf["a"]'], 'conf["a"]'),
        ('conf["a"]', ["conf"], "conf"),
        ('conf["a"]', UNKNOWN, "conf"),
        ('triggers["a"]["b"][0]', ['triggers["a"]'], 'triggers["a"]'),
        ('triggers["a"]["b"]["c"]', ['triggers["a"]["b"]', 'triggers["a"]'], 'triggers["a"]'),
        ("args[2]", ["args"], "args[2]"),
        ("resources[2].name", ["resources"], "resources[2].name"),
    ],
)
def test_a_message_shows_no_key_of_a_secret_map(path: str, paths: object, expected: str) -> None:
    assert shown_path(path, paths) == expected
