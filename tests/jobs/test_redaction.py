import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_dli.jobs.redaction import MASK, masked, masked_lines

KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n{\n-----END KEY-----\n"


@pytest.mark.parametrize(
    ("text", "secrets", "wanted"),
    [
        ("password hunter2!", ["hunter2"], "password [secret]!"),
        ("jdbc:rds://u:hunter2@host", ["hunter2"], "jdbc:rds://u:[secret]@host"),
        ("xhunter2x", ["hunter2"], "x[secret]x"),
        ("a+b*c stays a+b*c", ["a+b*c"], "[secret] stays [secret]"),
        ("hunter2hunter2", ["hunter2"], "[secret][secret]"),
        ("hunter22 and hunter2", ["hunter2", "hunter22"], "[secret] and [secret]"),
        ("hunter2", ["  hunter2\n"], "[secret]"),
        (r'{"password": "hun\"ter\\2"}', ['hun"ter\\2'], '{"password": "[secret]"}'),
        ('{"password": "schl\\u00fcssel"}, schlüssel', ["schlüssel"], '{"password": "[secret]"}, [secret]'),
        ("stage 7 of 27, 7", ["7"], "stage [secret] of 27, [secret]"),
        ("pass: abc, abcd, xabc", ["abc"], "pass: [secret], abcd, xabc"),
        ("-----BEGIN KEY-----, MIIEvQIBADANBgkq, { }", [KEY], "[secret], [secret], { }"),
        ("nothing to hide", [], "nothing to hide"),
        ("nothing to hide", None, "nothing to hide"),
        ("nothing to hide", ["", " \n"], "nothing to hide"),
    ],
)
def test_a_secret_is_masked_wherever_it_stands(text: str, secrets: list[str] | None, wanted: str) -> None:
    assert masked(text, secrets) == wanted


LONG = "s3cret/Pa'ss&<w>\\ö\""


@pytest.mark.parametrize(
    "form",
    [
        LONG.upper(),
        LONG.lower(),
        quote(LONG, safe=""),
        quote(LONG, safe="").lower(),
        quote(LONG),
        quote_plus(LONG),
        LONG.encode().hex(),
        LONG.encode().hex().upper(),
        escape(LONG),
        escape(LONG, quote=False),
        escape(LONG).replace("&#x27;", "&apos;"),
        repr(LONG)[1:-1],
        json.dumps(LONG)[1:-1],
        LONG.replace("'", "'\\''"),
        b64encode(LONG.encode()).decode(),
        urlsafe_b64encode(LONG.encode()).decode(),
    ],
)
def test_a_long_secret_is_masked_in_encoded_forms(form: str) -> None:
    shown = masked(f"[{form}]", [LONG])
    assert shown.startswith(f"[{MASK}")
    assert len(shown) <= len(MASK) + 6  # of base64 the last characters may be left


@pytest.mark.parametrize("before", [b"", b"a", b"user:", b"user:x", b"user:xy"])
@pytest.mark.parametrize("after", [b"", b"@", b"@host"])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_a_long_secret_is_masked_inside_longer_base64(
    before: bytes, after: bytes, encode: Callable[[bytes], bytes]
) -> None:
    shown = masked(encode(before + LONG.encode() + after).decode(), [LONG])
    assert MASK in shown
    left = shown.replace(MASK, "")
    assert len(left) <= len(before + after) * 4 // 3 + 8


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_secret_with_several_short_lines_is_masked_where_it_is_written_in_one(end: str) -> None:
    secret = f"x y\nzz\nq1{end}"
    forms = [json.dumps(secret)[1:-1], quote(secret), quote_plus(secret), secret.encode().hex(), repr(secret)[1:-1]]
    for form in (*forms, b64encode(secret.encode()).decode()):
        assert masked(f"[{form}]", [secret]).startswith(f"[{MASK}")


def test_a_short_secret_is_not_masked_in_encoded_forms() -> None:
    assert masked("61626364 ABCD abcd", ["abcd"]) == "61626364 ABCD [secret]"


def test_consecutive_lines_of_a_secret_are_masked_though_they_are_short() -> None:
    lines = ["a", "x y", "zz", " q1 ", "w", "x y", "b"]
    assert masked_lines(lines, ["x y\nzz\nq1\n"]) == ["a", MASK, MASK, MASK, "w", "x y", "b"]
    assert masked_lines(["zz", "q1", "end"], ["x y\nzz\nq1\n"]) == [MASK, MASK, "end"]


def test_each_line_of_a_log_is_masked() -> None:
    assert masked_lines(["reading", "hunter2", ""], ["hunter2"]) == ["reading", MASK, ""]
    assert masked_lines(None, ["hunter2"]) is None


texts = st.text(st.characters(codec="utf-8", exclude_characters=MASK))


@given(texts, texts.filter(lambda text: len(text.strip()) >= 6 and len(text.splitlines()) == 1), texts)
def test_no_secret_of_some_length_is_left_in_any_text(before: str, secret: str, after: str) -> None:
    assert secret not in masked(before + secret + after, [secret])
    document = json.dumps({"said": before + secret + after})
    assert json.dumps(secret)[1:-1] not in masked(document, [secret])


@given(texts, st.lists(texts))
def test_a_text_without_secrets_stays_as_it_is(text: str, secrets: list[str]) -> None:
    short = [secret for secret in secrets if len(secret.strip()) < 8 and len(secret.splitlines()) == 1]
    others = [secret for secret in short if secret.strip() not in text and json.dumps(secret)[1:-1] not in text]
    assert masked(text, others) == text
