import re

import pytest

from pulumi_dli.api.error_codes import ERROR_CODES, RetryClass, classify

NEVER, REAUTH, BACKOFF, AMBIGUOUS, GONE = RetryClass

# Codes and statuses as the pages have them. DLI API reference, "Error Codes" (dli_02_0056), 2026-04, and for DLI.12004
# "Modifying a Global Variable"; DLI.10001 is in Open Telekom Cloud's FAQ; IAM
# API reference, "Error Codes" (iam_02_0006), 2026-01, what concerns a sign-in.
STATUSES_OF_PAGES = {
    **{f"DLI.{number:04}": 400 for number in (*range(1, 10), 11, 12, 15, 16, 18, 19, 100, 999, 1028, 10001, 12004)},
    "DLI.0013": 401,
    "DLI.0014": 401,
    "DLI.0023": 404,
    **{f"IAM.{number}": 400 for number in ("0007", "0009", "0011", "0072", "0073", *range(1101, 1110))},
    **{f"IAM.00{number}": 401 for number in ("01", "61", "62", "63", "64", "66", "67")},
    **{f"IAM.00{number}": 403 for number in ("02", "03", "80", "81", "82", "83")},
    "IAM.0004": 404,
    "IAM.0005": 409,
    "IAM.0006": 500,
    "IAM.0012": 429,
    "IAM.0020": 410,
}

# number, status on Huawei Cloud (APIGW, API signing guide) and on Open Telekom Cloud (APIG, API Gateway user guide)
GATEWAY_PAGES = """
    0101 404 404 | 0103 404 500 | 0104 400 500 | 0105 400 500 | 0106 400 400 | 0107   - 500 | 0201 400 400
    0202   - 502 | 0203   - 504 | 0204   - 400 | 0205   - 400 | 0301 401 401 | 0302 403 403 | 0303 401 401
    0304 403 403 | 0305 401 401 | 0306 403 403 | 0307 401 401 | 0308 429 429 | 0310 403 403 | 0311 401 401
    0401 403 403 | 0402 403 403 | 0404 403 403 | 0405   - 403 | 0501 405 405 | 0502 405 405 | 0601 500 500
    0602 400 400 | 0605 500 500 | 0606 500 500 | 0607 400 400 | 0608 500 500 | 0609 500 500 | 0610 502 502
    0611 500 500 | 0612 500 500 | 0613 503 503 | 0705 500 500 | 0801 403   - | 0802 403 403
"""
for entry in re.split(r"[|\n]", GATEWAY_PAGES.strip()):
    number, *statuses = entry.split()
    places = zip(("APIGW", "APIG"), statuses, strict=True)
    STATUSES_OF_PAGES |= {f"{place}.{number}": int(status) for place, status in places if status != "-"}

AT_401_BUT_FOR_GOOD = {"IAM.0061", "IAM.0062", "IAM.0064"}


def retry_of(code: str, status: int) -> RetryClass:
    if status >= 500 or code in ("DLI.0019", "DLI.0999", "DLI.10001"):
        return AMBIGUOUS
    if status == 429 or code == "DLI.0012":
        return BACKOFF
    if code in ("DLI.0002", "DLI.0023", "DLI.12004"):
        return GONE
    if (status == 401 and code not in AT_401_BUT_FOR_GOOD) or code == "DLI.0015":
        return REAUTH
    return NEVER


def test_the_table_has_every_documented_code_with_its_status_and_what_may_be_done_after_it() -> None:
    assert {code: (row.status, row.retry) for code, row in ERROR_CODES.items()} == {
        code: (status, retry_of(code, status)) for code, status in STATUSES_OF_PAGES.items()
    }


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
        ("APIGW.0301", 400, REAUTH),
        ("APIGW.0302", 401, NEVER),
        ("APIGW.0307", 403, REAUTH),
        ("DLI.0012", 409, BACKOFF),
    ],
)
def test_the_code_counts_before_the_status(code: str, status: int, retry: RetryClass) -> None:
    row = classify(code, status)
    assert (row.meaning, row.retry) == (ERROR_CODES[code].meaning, retry)


UNKNOWN_CODES = ["", "DLI.4711", "APIG.4711", "APIGW.4711", "IAM.4711", "401"]


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
