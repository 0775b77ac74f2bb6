import asyncio
import errno
import logging
import resource
import socket
from pathlib import Path
from urllib.parse import urlsplit

import h11
import pytest

from pulumi_dli.local import connections
from pulumi_dli.local.connections import RareLog, handle_loop_error, max_connections, time_limit
from pulumi_dli.local.server import LocalDli
from tests.local.api import Api, eventually


def connect(dli: LocalDli) -> socket.socket:
    address = urlsplit(dli.endpoint)
    return socket.create_connection((address.hostname or "", address.port or 0), timeout=30)


def test_without_credentials_the_answer_comes_before_the_body(dli: LocalDli) -> None:
    project = dli.credentials.project_id
    for path in (f"/v2.0/{project}/batches", "/local/faults", "/nothing"):
        for framing in ("Content-Length: 12000000", "Transfer-Encoding: chunked"):
            with connect(dli) as client:
                client.sendall(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{framing}\r\n\r\n".encode())
                assert client.recv(65536).startswith(b"HTTP/1.1 401 ")


def test_a_refused_client_gets_its_answer_though_it_sends_a_large_body_first(dli: LocalDli) -> None:
    reply = Api(dli.credentials).call("POST", "/nothing", headers={"X-Auth-Token": "wrong"}, data=b"x" * 8_000_000)
    assert reply.status_code == 401


def test_the_body_of_a_sign_in_is_small(dli: LocalDli) -> None:
    reply = Api(dli.credentials).call("POST", "/v3/auth/tokens", headers={}, data=b" " * 70_000)
    assert (reply.status_code, reply.json()["error_code"]) == (413, "APIGW.0201")


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "GET / HTTP/1.1\r\nHost: ",
        "GET /static/icon.svg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /",
        "POST {batches} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Auth-Token: {token}\r\nContent-Length: 9\r\n\r\n{{",
        "POST {batches} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{{",
        "POST {batches} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n",
    ],
)
def test_a_client_that_stops_in_a_call_is_disconnected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: str
) -> None:
    for name in ("HEADER_TIMEOUT", "BODY_TIMEOUT", "DRAIN_TIMEOUT"):
        monkeypatch.setattr(connections, name, 0.1)
    with LocalDli(tmp_path, engine="timeline") as dli, connect(dli) as client:
        api = Api(dli.credentials)
        client.sendall(sent.format(batches=api.batches, token=api.account.token).encode())
        while client.recv(65536):
            pass


@pytest.mark.parametrize(
    ("state", "has_begun", "is_answered", "seconds"),
    [
        (h11.IDLE, True, False, connections.HEADER_TIMEOUT),
        (h11.IDLE, False, True, None),
        (h11.SEND_BODY, False, False, connections.BODY_TIMEOUT),
        (h11.SEND_BODY, False, True, connections.DRAIN_TIMEOUT),
        (h11.DONE, False, False, None),
    ],
)
def test_only_who_owes_something_has_a_limit(
    state: object, has_begun: bool, is_answered: bool, seconds: float | None
) -> None:
    assert time_limit(state, has_begun=has_begun, is_answered=is_answered) == seconds


def test_one_connection_too_many_is_closed_and_the_next_one_after_it_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connections, "max_connections", lambda: 2)
    monkeypatch.setattr(connections, "_too_many", RareLog())
    with LocalDli(tmp_path, engine="timeline") as dli:
        held = [connect(dli) for _ in range(2)]
        for _ in range(5):
            with connect(dli) as refused:
                assert refused.recv(1) == b""
        for client in held:
            client.close()
        assert dli._server is not None
        eventually(lambda: len(dli._server.server_state.connections), lambda number: number == 0)  # type: ignore[union-attr]
        assert Api(dli.credentials).sessions() == []
    assert caplog.text.count("more than 2 connections at once") == 1


def test_there_are_fewer_connections_than_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 1024))
    assert max_connections() == 224


def test_without_file_descriptors_one_line_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connections, "_no_files", RareLog(now=iter([0.0, *[59.0] * 999, 61.0]).__next__))
    loop = asyncio.new_event_loop()
    error = OSError(errno.EMFILE, "Too many open files")
    for _ in range(1001):
        handle_loop_error(loop, {"message": "socket.accept() out of system resource", "exception": error})
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    handle_loop_error(loop, {"message": "something else"})
    assert "something else" in caplog.text
    loop.close()
