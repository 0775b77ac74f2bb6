import json

import pytest

from pulumi_dli.cli.terminal import TerminalNotifier, print_json, print_lines, print_message
from pulumi_dli.operations.notifier import Level


def test_results_go_to_stdout_and_messages_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    print_lines(["a", "b"])
    print_lines([])
    print_message("what\n\x1b[2Jhappened")
    assert capsys.readouterr() == ("a\nb\n", "pulumi-dli: what happened\n")


def test_json_has_no_character_that_controls_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": "\x1b[2J\x9b\x07é"})
    text = capsys.readouterr().out
    assert text.replace("\n", "").isascii() and text.replace("\n", "").isprintable()
    assert json.loads(text) == {"name": "\x1b[2J\x9b\x07é"}


def test_the_messages_of_the_operations_are_shown_but_for_those_of_the_debug_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    notifier = TerminalNotifier()
    notifier.notify(Level.DEBUG, "dli", "GET …/batches")
    notifier.notify(Level.WARNING, "load", "runs twice")
    assert capsys.readouterr() == ("", "pulumi-dli: load: runs twice\n")
