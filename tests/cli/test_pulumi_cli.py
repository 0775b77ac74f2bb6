from pathlib import Path

import pytest

from pulumi_dli.cli.errors import CliError, NoStackError
from pulumi_dli.cli.pulumi_cli import PulumiCli, failure, find_project, settings_in
from tests.cli.conftest import FakePulumi


@pytest.mark.parametrize("name", ["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"])
def test_a_project_is_found_from_the_folders_in_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "project" / "jobs").mkdir(parents=True)
    (tmp_path / "project" / name).write_text("{}")
    assert find_project(tmp_path / "project" / "jobs") == tmp_path / "project"
    assert find_project(tmp_path) is None


def test_the_state_and_the_settings_are_read_with_their_secrets(pulumi: FakePulumi) -> None:
    pulumi.has(region="eu-de", token="hunter2")
    cli = PulumiCli(pulumi.project, "dev")
    assert cli.configuration() == {"dli:region": "eu-de", "dli:token": "hunter2"}
    assert cli.export()["version"] == 3
    shared = f"--show-secrets --non-interactive --color=never --cwd {pulumi.project} --stack dev"
    assert pulumi.calls() == [f"config {shared} --json", f"stack export {shared}"]


def test_only_settings_are_taken_from_the_configuration() -> None:
    configuration = {
        "dli:region": {"value": "eu-de"},
        "dli:jobs": {"value": "{}", "objectValue": {}},
        "jobs:password": {"value": "hunter2"},
        "dli:token": {"secret": True},
    }
    assert settings_in(configuration) == {"dli:region": "eu-de"}


@pytest.mark.parametrize("end", ["", " or `pulumi stack init`"])
def test_an_unselected_stack_is_told_in_our_words(end: str) -> None:
    error = failure(
        "`pulumi config`", f"error: no stack selected; please use `pulumi stack select`{end} to choose one\n"
    )
    assert isinstance(error, NoStackError)
    assert str(error) == "no stack is selected. Run `pulumi stack select NAME`, or use --stack NAME."


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        ("warning: old\nerror: no stack named 'nope' found\nerror: more\n", "no stack named 'nope' found"),
        ("panic\nat line 3\n", "panic"),
        ("", "it gave no reason"),
    ],
)
def test_any_other_failure_has_the_first_error_of_pulumi(stderr: str, reason: str) -> None:
    error = failure("`pulumi config`", stderr)
    assert not isinstance(error, NoStackError)
    assert str(error) == f"`pulumi config` has failed: {reason}"


def test_without_pulumi_there_is_no_stack(pulumi: FakePulumi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoStackError, match="there is no `pulumi` on PATH"):
        PulumiCli(pulumi.project).export()


def test_a_pulumi_that_cannot_be_started_is_told(pulumi: FakePulumi) -> None:
    pulumi.program.write_text("#!/no/such/interpreter\n")
    with pytest.raises(CliError, match="cannot be started: No such file or directory"):
        PulumiCli(pulumi.project).export()


@pytest.mark.parametrize("text", ["hunter2", '["hunter2"]', ""])
def test_what_is_no_json_object_is_refused_and_not_shown(pulumi: FakePulumi, text: str) -> None:
    pulumi.prints(export=text)
    with pytest.raises(CliError) as raised:
        PulumiCli(pulumi.project).export()
    assert str(raised.value) == "`pulumi stack export` has printed something that is not JSON."
