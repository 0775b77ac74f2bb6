"""The log of an awaited job on the terminal."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pulumi
import pytest

from pulumi_dli.api.client import Client
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.signing import TokenAuth
from pulumi_dli.operations.log_stream import LogStream
from pulumi_dli.program.progress import LogDisplay
from tests.fakes import Answer, FakeClock, ScriptedService


def test_the_last_lines_of_a_log_are_shown_although_a_call_for_them_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", lambda text, _row: shown.append(text))
    busy = Answer(b"", 503)
    with (
        ScriptedService(busy, busy, Answer({"from": 0, "total": 1, "log": ["all read"]})) as service,
        ThreadPoolExecutor() as executor,
    ):
        policy = RetryPolicy(max_retries=3, clock=FakeClock())
        stream = LogStream(Client(service.location, TokenAuth("the-token"), policy), "a")
        display = LogDisplay(stream, executor, None, None, shows_framework=True)
        asyncio.run(display.finish(is_new=True))
    assert shown == ["all read"]
