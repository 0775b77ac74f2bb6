from pathlib import Path

import pytest

from pulumi_dli.api.states import BatchState
from pulumi_dli.cli.errors import CliError, NoStackError
from pulumi_dli.cli.options import Options
from pulumi_dli.cli.session import Session
from pulumi_dli.local.testing import Service
from tests.cli.conftest import FakePulumi
from tests.cli.states import ID, OTHER_ID, job, wait


def test_the_state_and_the_configuration_are_read_once_and_only_when_they_are_needed(pulumi: FakePulumi) -> None:
    pulumi.has(job("load"), region="eu-de")
    session = Session(Options())
    assert session.has_project
    assert pulumi.calls() == []
    assert session.target("load").batch_id == session.target(ID).batch_id == ID
    assert [line.split()[0] for line in pulumi.calls()] == ["stack"]
    assert session.context.settings.region == session.context.settings.region == "eu-de"
    assert [line.split()[0] for line in pulumi.calls()] == ["stack", "config"]


def test_a_chosen_stack_is_passed_on(pulumi: FakePulumi) -> None:
    assert Session(Options(stack="production")).stack.name == "dev"
    assert pulumi.calls()[0].endswith(f"--cwd {pulumi.project} --stack production")


def test_the_ends_that_waits_have_seen_are_known(pulumi: FakePulumi) -> None:
    pulumi.has(job("load"), wait("load"))
    assert Session(Options()).context.ends.of(ID) is BatchState.SUCCESS


def test_the_configuration_of_the_stack_signs_in(pulumi: FakePulumi, service: Service) -> None:
    account = service.server.credentials
    pulumi.has(
        endpoint=account.endpoint,
        region=account.region,
        projectId=account.project_id,
        accessKey=account.access_key,
        secretKey=account.secret_key,
    )
    assert list(Session(Options()).context.client().live()) == []


def test_outside_a_project_only_names_need_a_stack() -> None:
    session = Session(Options())
    assert session.target(ID).batch_id == ID
    with pytest.raises(NoStackError, match="there is no Pulumi project here, so jobs have no names"):
        session.target("load")


def test_outside_a_project_there_is_no_stack_to_choose(tmp_path: Path) -> None:
    session = Session(Options(stack="dev"))
    with pytest.raises(CliError, match=f"there is no Pulumi project in {tmp_path}/elsewhere or above") as raised:
        session.target(ID)
    assert not isinstance(raised.value, NoStackError)


def test_a_current_directory_that_is_gone_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").rmdir()
    with pytest.raises(CliError, match="the current directory cannot be used: No such file or directory"):
        Session(Options()).target(ID)


def test_without_a_selected_stack_an_id_will_do_and_the_user_is_told_once(
    pulumi: FakePulumi, capsys: pytest.CaptureFixture[str]
) -> None:
    pulumi.fail("error: no stack selected")
    session = Session(Options())
    assert session.target(OTHER_ID).batch_id == OTHER_ID
    assert session.context.settings is not None
    assert capsys.readouterr().err == (
        "pulumi-dli: the stack is not used, and secrets in a log are not masked: no stack is selected. Run `pulumi "
        "stack select NAME`, or use --stack NAME.\n"
    )
    assert len(pulumi.calls()) == 1


def test_a_stack_that_cannot_be_read_is_an_error_for_an_id_too(pulumi: FakePulumi) -> None:
    pulumi.fail("error: incorrect passphrase")
    with pytest.raises(CliError, match="`pulumi stack export` has failed: incorrect passphrase"):
        Session(Options()).target(ID)
