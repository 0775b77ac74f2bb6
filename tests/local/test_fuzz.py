from pathlib import Path
from typing import Any

import pytest

from pulumi_dli.local.keystone import Keystone
from pulumi_dli.local.obs import ObjectStore
from pulumi_dli.local.queues import Queues
from pulumi_dli.local.signatures import Signature
from tests.local.fuzz import run


@pytest.mark.parametrize("seed", [1, 2])
def test_no_hostile_call_gets_in_breaks_anything_or_finds_what_it_may_not(tmp_path: Path, seed: int) -> None:
    statuses, problems = run(seed, 1000, tmp_path)
    assert problems == []
    assert statuses.keys() >= {"200", "400", "401", "403", "404"}
    assert statuses["accepted"] > 10


def find_anything(store: ObjectStore, _parameter: str, name: str) -> Path:
    return store._buckets / name.removeprefix("obs://")


@pytest.mark.parametrize(
    ("function", "instead", "problem"),
    [
        ((Keystone, "authenticate"), lambda *_: None, "without credentials"),
        ((Signature, "verify"), lambda *_: None, "without credentials"),
        ((ObjectStore, "find"), find_anything, "accepted: obs://../outside/secret.py"),
        ((Queues, "listed"), lambda *_: 1 / 0, "status {500}"),
    ],
)
def test_a_fault_of_the_service_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: tuple[Any, str], instead: Any, problem: str
) -> None:
    monkeypatch.setattr(*function, instead)
    assert any(problem in found for found in run(1, 1000, tmp_path)[1])
