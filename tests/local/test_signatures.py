from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from hypothesis import given, settings
from hypothesis import strategies as st

from pulumi_dli.local.server import LocalDli
from pulumi_dli.local.signatures import BadSignatureError, Signature, SignedCall
from tests.local.api import Api, Clock

# The dummy key pair of the vendor's public signing guide.
ACCESS_KEY, SECRET_KEY = "QTWAOYTTINDUT2QVKYUC", "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc"
NOW = datetime(2019, 11, 15, 3, 36, 55, tzinfo=UTC)
DATE = "20191115T033655Z"
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class CallWithBody(SignedCall):
    body: bytes


def check(call: CallWithBody, now: datetime = NOW, security_token: str | None = None) -> None:
    signature = Signature.parse(call)
    assert signature.access_key == ACCESS_KEY
    signature.check_headers(security_token, now)
    signature.verify(call.body, SECRET_KEY)


def signed(
    method: str = "GET",
    path: str = "/v2.0/p/batches",
    *,
    query: list[tuple[str, str]] | None = None,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    key: tuple[str, str] = (ACCESS_KEY, SECRET_KEY),
) -> CallWithBody:
    """Give a call as the vendor's client sends it."""
    request = SdkRequest(
        method=method,
        host="dli.example.com",
        resource_path=path,
        query_params=list(query or []),
        header_params={"X-Sdk-Date": DATE} | (headers or {}),
        body=body,
    )
    Signer(BasicCredentials(*key)).sign(request)
    target, _, encoded_query = request.uri.partition("?")
    sent = {name.lower(): value for name, value in request.header_params.items()}
    return CallWithBody(method=method, path=target, query=encoded_query, headers=sent, body=body)


def test_the_signing_guides_example_is_valid() -> None:
    check(
        CallWithBody(
            method="GET",
            path="/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs",
            query="limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
            headers={
                "content-type": "application/json",
                "host": "service.region.example.com",
                "x-sdk-date": DATE,
                "authorization": f"SDK-HMAC-SHA256 Access={ACCESS_KEY}, SignedHeaders=content-type;host;x-sdk-date, "
                "Signature=7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe",
            },
            body=b"",
        )
    )


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@settings(deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=st.lists(texts, max_size=4).map(lambda segments: quote("/".join(["", *segments, ""]))),
    query=st.lists(st.tuples(texts, texts), max_size=5),
    headers=st.sampled_from([{}, JSON, {"Content-Type": "text/plain"}, {"X-Project-Id": "p"}]),
    body=st.binary(max_size=40),
)
def test_what_the_vendors_client_signs_is_valid(
    method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str], body: bytes
) -> None:
    check(signed(method, path, query=query, headers=headers, body=body))


CALL = signed("POST", query=[("from", "1")], headers=JSON, body=b"{}")


@pytest.mark.parametrize(
    "tampered",
    [
        replace(CALL, method="PUT"),
        replace(CALL, path="/v2.0/q/batches"),
        replace(CALL, query="from=2"),
        replace(CALL, query="from=1&size="),
        replace(CALL, body=b"{ }"),
        replace(CALL, headers={**CALL.headers, "host": "dli.example.org"}),
        replace(CALL, headers={**CALL.headers, "x-sdk-date": "20191115T033656Z"}),
        replace(CALL, headers={**CALL.headers, "x-sdk-content-sha256": "UNSIGNED-PAYLOAD"}, body=b"tampered"),
        signed("POST", body=b"{}", key=(ACCESS_KEY, "another secret")),
    ],
    ids=["method", "path", "query", "more query", "body", "header", "date", "unsigned body", "secret key"],
)
def test_a_call_that_was_changed_after_it_was_signed_is_refused(tampered: CallWithBody) -> None:
    with pytest.raises(BadSignatureError, match="does not match"):
        check(tampered)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"authorization": ""}, "Authorization header does not have the form"),
        (
            {"authorization": CALL.headers["authorization"].replace("SDK-HMAC-SHA256", "V11-HMAC-SHA256")},
            "does not have the form",
        ),
        ({"authorization": CALL.headers["authorization"].replace("host;", "host;x-other;")}, "was not sent: x-other"),
        ({"x-security-token": "temporary"}, "access key is permanent"),
        ({"x-sdk-date": ""}, "X-Sdk-Date is missing"),
        ({"x-sdk-date": "2019-11-15T03:36:55Z"}, "X-Sdk-Date is missing"),
    ],
)
def test_a_signature_that_cannot_be_right_is_refused_with_the_reason(headers: dict[str, str], reason: str) -> None:
    with pytest.raises(BadSignatureError, match=reason):
        check(replace(CALL, headers={**CALL.headers, **headers}))


TEMPORARY = signed(headers={"X-Security-Token": "temporary"})


def test_a_temporary_key_needs_its_security_token() -> None:
    check(TEMPORARY, security_token="temporary")
    for call, expected in ((TEMPORARY, "another"), (CALL, "temporary")):
        with pytest.raises(BadSignatureError, match="X-Security-Token is missing or wrong"):
            check(call, security_token=expected)


@pytest.mark.parametrize("minutes", [-15, 0, 15])
def test_clocks_may_differ_by_a_quarter_of_an_hour(minutes: int) -> None:
    check(CALL, NOW + timedelta(minutes=minutes))
    if minutes:
        late = NOW + timedelta(minutes=minutes, seconds=minutes / abs(minutes))
        told = f"signature expired, signature time:{DATE},server time:{late:%Y%m%dT%H%M%SZ}"
        with pytest.raises(BadSignatureError, match=told):
            check(CALL, late)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(tmp_path: Path, clock: Clock) -> Iterator[Api]:
    with LocalDli(tmp_path, engine="timeline", now=clock) as dli:
        yield Api(dli.credentials)


def test_the_service_takes_a_signed_call_once_its_clock_agrees(timed: Api, clock: Clock) -> None:
    account = timed.account
    request = SdkRequest(
        method="GET",
        host=account.endpoint.removeprefix("http://"),
        resource_path=timed.batches,
        query_params=[("job_name", "a b/ü*~+")],
        header_params={"X-Sdk-Date": DATE},
    )
    Signer(BasicCredentials(account.access_key, account.secret_key)).sign(request)
    refused = timed.call("GET", request.uri, headers=request.header_params)
    assert (refused.status_code, refused.json()["error_code"]) == (401, "APIGW.0301")
    clock.seconds = NOW.timestamp()
    assert timed.call("GET", request.uri, headers=request.header_params).status_code == 200
