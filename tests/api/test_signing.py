from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote, urlencode

import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.auth import AuthBase

from pulumi_dli.api.signing import KeyAuth, TokenAuth

# The dummy key pair of the vendor's public signing guide.
ACCESS_KEY, SECRET_KEY = "QTWAOYTTINDUT2QVKYUC", "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc"
PROJECT = "48cc2c48765f481480c7db940d6409d1"
BATCHES = f"https://dli.eu-de.otc.t-systems.com/v2.0/{PROJECT}/batches"
JSON = {"Content-Type": "application/json"}


def guide_time() -> datetime:
    return datetime(2019, 11, 15, 3, 36, 55, tzinfo=UTC)


def key_auth(
    project_id: str | None = None, security_token: str | None = None, now: Callable[[], datetime] = guide_time
) -> KeyAuth:
    return KeyAuth(ACCESS_KEY, SECRET_KEY, project_id=project_id, security_token=security_token, now=now)


def signed(
    auth: AuthBase, method: str, url: str, *, headers: dict[str, str] | None = None, body: bytes | str | None = None
) -> requests.PreparedRequest:
    return requests.Request(method, url, headers=headers, data=body, auth=auth).prepare()


@pytest.mark.parametrize(
    ("method", "url", "headers", "body", "project_id", "signed_headers", "signature"),
    [
        pytest.param(
            "GET",
            "https://service.region.example.com/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs"
            "?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
            JSON,
            None,
            None,
            "content-type;host;x-sdk-date",
            "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe",
            id="the signing guide's example",
        ),
        pytest.param(
            "POST",
            BATCHES,
            JSON,
            '{"file":"obs://b/a.jar","className":"org.example.Main"}',
            PROJECT,
            "content-type;host;x-project-id;x-sdk-date",
            "4a4d9d3b24363eca130eca78449ebc01705283f33f2890c7e978a6b22fa6e690",
            id="a submission",
        ),
        pytest.param(
            "GET",
            f"{BATCHES}?from=0&job_name=a%20b%2F%C3%BC%2A~&size=100",
            None,
            None,
            None,
            "host;x-sdk-date",
            "964101e2d8db8b4b3aec3f4110c6173eb0185bd08fe9c9b8ac5a34d5abcdc29c",
            id="a list with odd characters in its query",
        ),
    ],
)
def test_the_signature_is_that_of_the_published_examples(
    *,
    method: str,
    url: str,
    headers: dict[str, str] | None,
    body: str | None,
    project_id: str | None,
    signed_headers: str,
    signature: str,
) -> None:
    request = signed(key_auth(project_id), method, url, headers=headers, body=body)
    assert request.headers["X-Sdk-Date"] == "20191115T033655Z"
    assert request.headers["Authorization"] == (
        f"SDK-HMAC-SHA256 Access={ACCESS_KEY}, SignedHeaders={signed_headers}, Signature={signature}"
    )


def vendor_authorization(
    method: str, path: str, query: Iterable[tuple[str, str]], headers: dict[str, str], body: bytes | None
) -> str:
    request = SdkRequest(
        method=method,
        host="dli.example.com",
        resource_path=path,
        query_params=list(query),
        header_params={"X-Sdk-Date": guide_time().strftime("%Y%m%dT%H%M%SZ"), **headers},
        body=body,
    )
    return str(Signer(BasicCredentials(ACCESS_KEY, SECRET_KEY)).sign(request).header_params["Authorization"])


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
segments = texts.filter(lambda segment: segment not in (".", ".."))  # no client sends these as they are
tokens = st.none() | st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20)


@settings(deadline=None, max_examples=500)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=st.lists(segments, max_size=4),
    query=st.lists(st.tuples(texts, texts), max_size=5),
    body=st.none() | st.binary(max_size=40),
    headers=st.sampled_from([{}, JSON]),
    project_id=tokens,
    security_token=tokens,
)
def test_the_signature_is_that_of_the_vendors_own_client(
    *,
    method: str,
    path: list[str],
    query: list[tuple[str, str]],
    body: bytes | None,
    headers: dict[str, str],
    project_id: str | None,
    security_token: str | None,
) -> None:
    encoded = "/v2.0/" + "/".join(quote(segment, safe="") for segment in path)
    url = f"https://dli.example.com{encoded}?{urlencode(query, quote_via=quote)}"
    request = signed(key_auth(project_id, security_token), method, url, headers=headers, body=body)

    extra = {"X-Project-Id": project_id, "X-Security-Token": security_token}
    given_headers = headers | {name: value for name, value in extra.items() if value is not None}
    assert request.headers["Authorization"] == vendor_authorization(method, encoded, query, given_headers, body)
    for name, value in given_headers.items():
        assert request.headers[name] == value


def test_a_request_that_is_sent_again_is_signed_again() -> None:
    times = iter([guide_time(), guide_time() + timedelta(minutes=14)])
    auth = key_auth(PROJECT, now=lambda: next(times))
    request = signed(auth, "GET", BATCHES, headers=JSON)
    first = request.headers["Authorization"]

    auth(request)

    assert request.headers["X-Sdk-Date"] == "20191115T035055Z"
    fresh = signed(key_auth(PROJECT, now=lambda: guide_time() + timedelta(minutes=14)), "GET", BATCHES, headers=JSON)
    assert request.headers["Authorization"] == fresh.headers["Authorization"] != first


def test_the_signed_time_is_utc_wherever_the_machine_is() -> None:
    def in_berlin() -> datetime:
        return guide_time().astimezone(timezone(timedelta(hours=1)))

    assert signed(key_auth(now=in_berlin), "GET", BATCHES).headers["X-Sdk-Date"] == "20191115T033655Z"


def test_text_and_bytes_of_one_body_have_one_signature() -> None:
    text = '{"args": ["Grüße"]}'
    as_text, as_bytes = (signed(key_auth(), "POST", BATCHES, body=body) for body in (text, text.encode()))
    assert as_text.headers["Authorization"] == as_bytes.headers["Authorization"]


def test_a_body_that_can_be_read_only_once_is_refused() -> None:
    request = requests.Request("POST", BATCHES, data=iter([b"part"])).prepare()
    with pytest.raises(TypeError, match="text or bytes"):
        key_auth()(request)


def response(date: str | None) -> requests.Response:
    answered = requests.Response()
    if date is not None:
        answered.headers["Date"] = date
    return answered


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("Fri, 15 Nov 2019 03:20:54 GMT", " The clock of this machine is 16 minutes ahead of the service's: set it"),
        ("Fri, 15 Nov 2019 05:36:55 GMT", " The clock of this machine is 120 minutes behind the service's: set it"),
        ("Fri, 15 Nov 2019 03:51:55 GMT", ""),
        ("today", ""),
        (None, ""),
    ],
)
def test_a_refused_key_is_explained_by_where_it_was_found_and_by_a_clock_that_is_wrong(
    date: str | None, told: str
) -> None:
    auth = KeyAuth(ACCESS_KEY, SECRET_KEY, source="OS_ACCESS_KEY and OS_SECRET_KEY", now=guide_time)
    said = "Signed in with OS_ACCESS_KEY and OS_SECRET_KEY."
    assert auth.explain(response(date)) == said + (f"{told} right." if told else "")


def test_neither_a_token_nor_a_key_has_anything_new_to_sign_in_with() -> None:
    for auth in (TokenAuth("a-keystone-token"), key_auth()):
        assert not auth.renew(signed(auth, "GET", BATCHES))
        assert auth.explain(response(None)) == ""


def test_a_token_is_sent_as_it_is_and_nothing_is_signed() -> None:
    request = signed(TokenAuth("a-keystone-token"), "GET", BATCHES)
    assert request.headers == {"X-Auth-Token": "a-keystone-token"}
