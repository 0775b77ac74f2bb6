"""The debug log that the environment turns on. Each test has a process-wide log of its own."""

import logging
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pulumi_dli.account import debug_log
from pulumi_dli.api.http_session import HttpCall, log_call

CALL = HttpCall("GET", "/v2.0/{project_id}/batches", 200, 12, 1, "6f0c2d6e")
LINE = "pulumi_dli.http: GET /v2.0/{project_id}/batches: 200 in 12 ms, attempt 1, request id 6f0c2d6e\n"


@pytest.fixture(autouse=True)
def logger(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """The logger of the package, as it is before anybody has turned on a log."""
    logger = logging.getLogger("pulumi_dli")
    monkeypatch.setattr(debug_log, "_is_on", False)
    monkeypatch.setattr(logger, "handlers", [])
    level = logger.level
    logger.setLevel(logging.NOTSET)
    yield logger
    for handler in logger.handlers:
        handler.close()
    logger.setLevel(level)


@pytest.mark.parametrize("environment", [{}, {"DLI_LOG": ""}, {"DLI_LOG": "off"}, {"DLI_LOG_PATH": "calls.log"}])
def test_without_being_asked_for_there_is_no_log(
    environment: dict[str, str],
    logger: logging.Logger,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    debug_log.turn_on(environment)
    assert logger.handlers == []
    assert list(tmp_path.iterdir()) == []


def test_the_log_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    debug_log.turn_on({"DLI_LOG": "debug"})
    log_call(CALL)
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.endswith(LINE)
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} DEBUG \[\d+\] ", written.err)


def test_the_log_goes_to_a_file_that_only_its_owner_can_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "calls.log"
    debug_log.turn_on({"DLI_LOG": "DEBUG", "DLI_LOG_PATH": str(path)})
    log_call(CALL)
    assert path.read_text().endswith(LINE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert capsys.readouterr().err == ""


def test_a_file_that_is_there_gets_more_lines(tmp_path: Path) -> None:
    path = tmp_path / "calls.log"
    path.write_text("before\n")
    debug_log.turn_on({"DLI_LOG": "debug", "DLI_LOG_PATH": str(path)})
    log_call(CALL)
    assert path.read_text().startswith("before\n")
    assert path.read_text().endswith(LINE)


def test_a_file_that_cannot_be_written_is_named_and_standard_error_serves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    debug_log.turn_on({"DLI_LOG": "debug", "DLI_LOG_PATH": str(tmp_path)})
    log_call(CALL)
    problem, line = capsys.readouterr().err.splitlines(keepends=True)
    assert f"DLI_LOG_PATH: {tmp_path} cannot be written: Is a directory" in problem
    assert line.endswith(LINE)


def test_the_log_is_turned_on_once(logger: logging.Logger) -> None:
    for _ in range(3):
        debug_log.turn_on({"DLI_LOG": "debug"})
    assert len(logger.handlers) == 1
