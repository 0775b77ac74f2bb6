"""The page about the command line: its commands work, and it names every option."""

import re
import shlex

import click
import pytest

from pulumi_dli.cli.main import commands
from pulumi_dli.local.testing import Service
from tests.cli.conftest import FakePulumi, Run, submit
from tests.cli.states import job
from tests.docs.pages import block, page


@pytest.mark.usefixtures("signed_in")
def test_the_commands_work_as_they_stand_there(run: Run, pulumi: FakePulumi, service: Service) -> None:
    pulumi.has(job("load", submit(service, timeline="running:0s,success", log="hello")))
    for line in block("command-line", "Command line", "sh").splitlines():
        program, *arguments = shlex.split(line)
        ended = run(*arguments)
        assert (program, ended.code) == ("pulumi-dli", 0)
        assert "load" in ended.out or ended.out == "hello\n"


def test_every_command_and_every_option_is_named() -> None:
    text = page("command-line")
    for name, command in commands.commands.items():
        assert re.search(rf"`(pulumi-dli )?{name}\b", text), name
        options = (one for one in command.params if isinstance(one, click.Option))
        for option in options:
            assert max(option.opts, key=len) in text
