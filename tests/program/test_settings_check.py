import json
from collections.abc import Callable

import pulumi
import pytest

from pulumi_dli.account.credentials import configuration_keys
from pulumi_dli.program import settings_check
from pulumi_dli.program.settings_check import MAPS, NAMESPACE, SETTINGS, check_settings


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the stack's configuration, all values to one secret, as Pulumi passes it to a program."""
    return lambda *keys: monkeypatch.setenv("PULUMI_CONFIG", json.dumps(dict.fromkeys(keys, "s3cret")))


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The project is itself named `dli`. Gives what it is warned of."""
    told: list[str] = []
    monkeypatch.setattr(pulumi, "get_project", lambda: "dli")
    monkeypatch.setattr(pulumi.log, "warn", told.append)
    settings_check._failures.cache_clear()
    return told


def test_the_settings_are_those_that_are_declared() -> None:
    assert {NAMESPACE + name for name in SETTINGS} == {*configuration_keys(), *(NAMESPACE + name for name in MAPS)}


WITHOUT_PATH = "was set without --path; to set a part of dli:jobs, use `pulumi config set --path`."


def test_settings_and_keys_of_others_are_accepted(configure: Callable[..., None]) -> None:
    configure(*(f"dli:{name}" for name in SETTINGS), "aws:region", "jobs:regoin", "dlix:a")
    check_settings()


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("dli:regoin", "there is no such setting; did you mean dli:region?"),
        ("dli:acessKey", "there is no such setting; did you mean dli:accessKey?"),
        ("dli:project", "there is no such setting; did you mean dli:projectId?"),
        ("dli:x", "there is no such setting."),
        ("dli:jobs.load.wait", WITHOUT_PATH),
        ('dli:jobs["load"].wait', WITHOUT_PATH),
    ],
)
def test_what_is_no_setting_is_refused_with_the_nearest_one_and_without_its_value(
    configure: Callable[..., None], key: str, told: str
) -> None:
    configure("dli:region", key)
    with pytest.raises(pulumi.RunError) as raised:
        check_settings()
    assert str(raised.value) == f"{key}: {told} Remove it: `pulumi config rm {key}`"


def test_all_mistakes_are_told_at_once(configure: Callable[..., None]) -> None:
    configure("dli:regoin", "dli:tocken")
    with pytest.raises(pulumi.RunError, match=r"(?s)dli:regoin.*dli:tocken"):
        check_settings()


def test_in_a_project_of_the_same_name_only_near_misses_are_told(
    configure: Callable[..., None], warnings: list[str]
) -> None:
    configure("dli:regoin", "dli:greeting", "dli:jobs.load")
    for _ in range(2):
        check_settings()
    assert warnings == [
        f"dli:jobs.load: {WITHOUT_PATH}",
        "dli:regoin: there is no such setting; did you mean dli:region?",
    ]
