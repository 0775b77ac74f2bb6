import pytest

from pulumi_dli.program.command_line import may_create

NAMES = {"load-success", "load"}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pulumi up --yes", True),
        ("pulumi up --target **::load", True),
        ("pulumi up --target=**::load-success --yes", True),
        ("pulumi up -t urn:pulumi:dev::jobs::pulumi-python:dynamic/dli:BatchJob::load", True),
        ("pulumi up --target **::lo*", True),
        ("pulumi up --target **::extract,**::load", True),
        ("pulumi up --target **", True),
        ("pulumi up --target **::extract", False),
        ("pulumi up --yes -t **::extract --target **::report*", False),
        ("pulumi up --target-replace **::extract", False),
        ("pulumi up --target-replace **::load", True),
        ("pulumi up --replace **::extract", True),
        ("pulumi up --exclude **::load-success", False),
        ("pulumi up --exclude **::extract", True),
        ("pulumi refresh --run-program", False),
        ("pulumi destroy --run-program --yes", False),
        ("/usr/bin/pulumi update", True),
        ("python -m something --target x", True),
        ("", True),
    ],
)
def test_a_wait_is_held_only_if_the_engine_may_create_it(command: str, expected: bool) -> None:
    command_lines = [["python", "exec"], ["pulumi-language-python"], command.split(), ["bash", "-c", "pulumi destroy"]]
    assert may_create(command_lines, NAMES) is expected


def test_the_nearest_pulumi_counts() -> None:
    assert may_create([["pulumi", "up"], ["pulumi", "destroy"]], NAMES)
