"""`make test-lowest`: an environment of its own, with the lowest versions, and the quick tests."""

from pathlib import Path

import pytest

from scripts import lowest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("environment", "cache"), [({"HOME": "/home/me"}, "/home/me/.cache"), ({"XDG_CACHE_HOME": "/cache"}, "/cache")]
)
def test_the_environment_is_beside_the_pulumi_cli(environment: dict[str, str], cache: str) -> None:
    assert lowest.folder(environment).parent == Path(cache) / "pulumi-dli"


def test_nothing_is_installed_or_run_outside_of_it(tmp_path: Path) -> None:
    made, *others = lowest.commands(tmp_path, [])
    assert made[-1] == str(tmp_path)
    assert all(str(tmp_path) in " ".join(command) for command in others)
    assert "lowest-direct" in others[-2]


def test_the_quick_tests_of_each_package_run_unless_others_are_named() -> None:
    assert all((ROOT / name).is_dir() for name in lowest.TESTS)
    assert set(lowest.PACKAGES) == {path.parent.name for path in (ROOT / "pulumi_dli").glob("*/__init__.py")}
    assert lowest.commands(Path("place"), [])[-1][-len(lowest.TESTS) :] == list(lowest.TESTS)
    assert lowest.commands(Path("place"), ["tests/api"])[-1][-3:] == ["-m", "not slow", "tests/api"]
