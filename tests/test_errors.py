import pytest

from pulumi_dli.errors import ERROR_CODES, RetryClass, ServiceError, classify

NEVER, REAUTH, BACKOFF, AMBIGUOUS, GONE = RetryClass

DOCUMENTED = {
    # DLI API reference, "Error Codes" (dli_02_0056), 2026-04; DLI.12004: "Modifying a Global Variable"
    "DLI.0001": (400, NEVER),
    "DLI.0002": (400, GONE),
    "DLI.0003": (400, NEVER),
    "DLI.0004": (400, NEVER),
    "DLI.0005": (400, NEVER),
    "DLI.0006": (400, NEVER),
    "DLI.0007": (400, NEVER),
    "DLI.0008": (400, NEVER),
    "DLI.0009": (400, NEVER),
    "DLI.0011": (400, NEVER),
    "DLI.0012": (400, BACKOFF),
    "DLI.0013": (401, REAUTH),
    "DLI.0014": (401, REAUTH),
    "DLI.0015": (400, REAUTH),
    "DLI.0016": (400, NEVER),
    "DLI.0018": (400, NEVER),
    "DLI.0019": (400, AMBIGUOUS),
    "DLI.0023": (404, GONE),
    "DLI.0100": (400, NEVER),
    "DLI.0999": (400, AMBIGUOUS),
    "DLI.1028": (400, NEVER),
    "DLI.12004": (400, GONE),
    # API Gateway, on Huawei Cloud and on Open Telekom Cloud
    "APIGW.0101": (404, NEVER),
    "APIGW.0301": (401, NEVER),
    "APIGW.0302": (403, NEVER),
    "APIGW.0306": (403, NEVER),
    "APIGW.0307": (401, REAUTH),
    "APIGW.0308": (429, BACKOFF),
    "APIG.0101": (404, NEVER),
    "APIG.0201": (502, AMBIGUOUS),
    "APIG.0203": (504, AMBIGUOUS),
    "APIG.0301": (401, NEVER),
    "APIG.0302": (403, NEVER),
    "APIG.0307": (401, REAUTH),
    "APIG.0308": (429, BACKOFF),
}


def test_the_table_has_every_documented_code_with_its_status_and_what_may_be_done_after_it() -> None:
    assert {code: (row.status, row.retry) for code, row in ERROR_CODES.items()} == DOCUMENTED


def test_every_row_says_what_it_means_and_where_that_is_written() -> None:
    for code, row in ERROR_CODES.items():
        assert row.code == code
        assert row.meaning
        assert row.source
        assert row.hint == "" or row.hint.endswith(".")


def test_a_known_code_at_its_documented_status_is_its_row() -> None:
    for code, row in ERROR_CODES.items():
        assert classify(code, row.status) == row


@pytest.mark.parametrize(
    ("code", "status", "retry"),
    [
        ("DLI.0999", 403, AMBIGUOUS),
        ("APIGW.0301", 400, NEVER),
        ("APIGW.0307", 403, REAUTH),
        ("DLI.0012", 409, BACKOFF),
    ],
)
def test_the_code_counts_before_the_status(code: str, status: int, retry: RetryClass) -> None:
    row = classify(code, status)
    assert (row.meaning, row.retry) == (ERROR_CODES[code].meaning, retry)


UNKNOWN_CODES = ["", "DLI.4711", "APIG.4711", "APIGW.4711", "IAM.0011", "401"]


@pytest.mark.parametrize(
    ("status", "retry"),
    [
        (302, NEVER),
        (400, NEVER),
        (401, REAUTH),
        (403, NEVER),
        (408, AMBIGUOUS),
        (413, NEVER),
        (429, BACKOFF),
        (500, AMBIGUOUS),
        (502, AMBIGUOUS),
        (503, AMBIGUOUS),
        (504, AMBIGUOUS),
    ],
)
def test_where_the_code_is_unknown_the_status_counts(status: int, retry: RetryClass) -> None:
    assert {classify(code, status).retry for code in UNKNOWN_CODES} == {retry}


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_after_a_5xx_nobody_knows_what_was_done_whatever_its_code(status: int) -> None:
    assert {classify(code, status).retry for code in [*ERROR_CODES, *UNKNOWN_CODES]} == {AMBIGUOUS}


def test_one_call_too_many_was_not_carried_out_whatever_its_code() -> None:
    assert {classify(code, 429).retry for code in [*ERROR_CODES, *UNKNOWN_CODES]} == {BACKOFF}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 503])
def test_gone_is_a_404_of_the_service_itself_or_a_400_with_one_of_three_codes(status: int) -> None:
    codes = [*ERROR_CODES, *UNKNOWN_CODES]
    expected = {
        400: {"DLI.0002", "DLI.0023", "DLI.12004"},
        404: {code for code in codes if code.startswith("DLI.")},
    }
    assert {code for code in codes if classify(code, status).retry is GONE} == expected.get(status, set())


def test_a_404_of_the_gateway_is_a_wrong_address() -> None:
    for code in ("APIG.0101", "APIGW.0101", ""):
        row = classify(code, 404)
        assert row.retry is NEVER
        assert "Check region and endpoint" in row.hint


def test_an_error_says_what_was_asked_what_was_answered_what_it_means_and_what_to_do() -> None:
    error = ServiceError(
        status=400,
        code="DLI.0003",
        message="User has no privilege on queue batch.",
        call="POST …/batches",
        request_id="4f5e",
    )
    assert str(error) == (
        "POST …/batches: DLI.0003 400, permission denied: User has no privilege on queue batch. "
        "Ask for the SUBMIT_JOB privilege on the queue, or use another queue. (request id 4f5e)"
    )
    assert error.retry is NEVER


def test_an_error_without_a_code_says_its_status() -> None:
    assert str(ServiceError(status=503, call="GET …/batches")) == "GET …/batches: HTTP 503, the service failed."
