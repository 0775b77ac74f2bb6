import json

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
    others = [secret for secret in secrets if secret.strip() not in text and json.dumps(secret)[1:-1] not in text]
    assert masked(text, [secret for secret in others if len(secret.splitlines()) == 1]) == text
