import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pulumi_dli.local import replies
from pulumi_dli.local.server import LocalDli
from tests.local.api import Api

UNKNOWN_ID = "7d4bfe7c-3d5e-4f0a-9c1b-2f8e6a5d4c3b"
ROUTES = [
    ("POST", "/v2.0/{project}/batches"),
    ("GET", "/v2.0/{project}/batches"),
    ("GET", f"/v2.0/{{project}}/batches/{UNKNOWN_ID}"),
    ("DELETE", f"/v2.0/{{project}}/batches/{UNKNOWN_ID}"),
    ("GET", f"/v2.0/{{project}}/batches/{UNKNOWN_ID}/state"),
    ("GET", f"/v2.0/{{project}}/batches/{UNKNOWN_ID}/log"),
    ("GET", "/v1.0/{project}/queues"),
    ("GET", "/v1.0/{project}/queues/default"),
    ("GET", "/v3/projects"),
    ("GET", "/v3/auth/domains"),
    ("GET", "/local/calls"),
    ("DELETE", "/local/calls"),
    ("PUT", "/local/faults"),
    ("POST", "/local/sign-in-links"),
    ("GET", "/nothing"),
    ("GET", "/no/such/route"),
]
IMPOSTORS = {
    "nothing": {},
    "a wrong token": {"X-Auth-Token": "wrong"},
    "an empty token": {"X-Auth-Token": ""},
    "a token that is not ASCII": {"X-Auth-Token": "gr\xfcn"},
    "an Authorization of another kind": {"Authorization": "Basic dXNlcjpwYXNzd29yZA=="},
    "a signature that is none": {"Authorization": "SDK-HMAC-SHA256 Access=a, SignedHeaders=host, Signature=0"},
}


@pytest.mark.parametrize("impostor", IMPOSTORS)
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_gets_in_without_valid_credentials(api: Api, method: str, path: str, impostor: str) -> None:
    reply = api.call(method, path.format(project=api.account.project_id), headers=IMPOSTORS[impostor], data=b"{}")
    assert reply.status_code == 401
    error = reply.json()
    assert error.keys() == {"error_code", "error_msg", "request_id"}
    assert error["error_code"] == "APIGW.0301"
    assert error["request_id"] == reply.headers["X-Request-Id"]


def test_the_table_of_routes_is_complete(api: Api) -> None:
    """Each of them is known to the service but for the last two."""
    for method, path in ROUTES:
        reply = api.call(method, path.format(project=api.account.project_id), data=b"[]")
        assert (reply.status_code == 404) is ((method, path) in ROUTES[-2:])


@pytest.mark.parametrize(("method", "path"), [path for path in ROUTES if "{project}" in path[1]])
def test_the_project_must_be_that_of_the_credentials(api: Api, method: str, path: str) -> None:
    reply = api.call(method, path.format(project="0" * 32))
    assert (reply.status_code, reply.json()["error_code"]) == (403, "APIGW.0302")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v2.0/{project}/batches"),
        ("GET", "/v2.0/{project}/nothing"),
        ("GET", "/v2.0/{project}/batches/"),
        ("GET", "/nothing"),
    ],
)
def test_an_address_that_is_not_offered_is_not_found_at_the_gateway(api: Api, method: str, path: str) -> None:
    reply = api.call(method, path.format(project=api.account.project_id))
    assert (reply.status_code, reply.json()["error_code"]) == (404, "APIGW.0101")
    assert reply.json()["request_id"] == reply.headers["X-Request-Id"]


def test_a_body_may_have_twelve_megabytes_and_no_more(api: Api) -> None:
    body = json.dumps({"file": "obs://jobs/job.py"}).encode().ljust(12 * 2**20)
    assert api.call("POST", api.batches, data=body).status_code == 200
    reply = api.call("POST", api.batches, data=body + b" ")
    assert (reply.status_code, reply.json()["error_code"]) == (413, "APIGW.0201")


def raw_call(api: Api, request: bytes) -> bytes:
    """Send bytes, end the upload, and give what comes back until the server closes the connection."""
    address = urlsplit(api.account.endpoint)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_an_upload_that_breaks_off_is_no_submission(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    before = api.ask("GET", api.batches)["total"]
    body = json.dumps({"file": "obs://jobs/job.py"})
    headers = f"Host: x\r\nX-Auth-Token: {api.account.token}\r\nContent-Length: {len(body) + 10}\r\n\r\n"
    assert raw_call(api, f"POST {api.batches} HTTP/1.1\r\n{headers}{body}".encode()) == b""
    assert api.ask("GET", api.batches)["total"] == before
    assert caplog.records == []


def test_what_is_not_http_gets_an_answer_and_the_next_call_works(api: Api) -> None:
    assert raw_call(api, b"\x16\x03\x01 hello\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert api.call("GET", api.batches).status_code == 200


@pytest.mark.parametrize("call", ["HEAD {batches}", "GET {batches}", "GET /", "HEAD /"])
def test_a_body_that_breaks_is_refused_without_a_fault_whatever_the_answer_was_to_be(
    api: Api, caplog: pytest.LogCaptureFixture, call: str
) -> None:
    broken = f"{call.format(batches=api.batches)} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    assert raw_call(api, broken.encode()).startswith(b"HTTP/1.1 400 ")
    assert api.call("GET", api.batches).status_code == 200
    assert [record.getMessage() for record in caplog.records] == ["Invalid HTTP request received."]


def test_a_websocket_needs_credentials_like_everything_else(api: Api) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "eA==",
    }
    assert api.call("GET", api.batches, headers=upgrade).status_code == 401


def test_a_fault_of_the_service_is_an_error_500_that_says_nothing_of_its_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> object:
        raise ZeroDivisionError("inside")

    with LocalDli(tmp_path, engine="timeline") as dli:
        monkeypatch.setattr(replies, "job_list", broken)
        reply = Api(dli.credentials).call("GET", Api(dli.credentials).batches)
    assert (reply.status_code, reply.json()["error_code"]) == (500, "DLI.0999")
    assert "inside" not in reply.text
    assert "ZeroDivisionError: inside" in caplog.text
