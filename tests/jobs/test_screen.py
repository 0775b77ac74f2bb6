import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_dli.jobs.screen import MAX_LINE_LENGTH, shown_line, shown_lines, shown_text


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("reading obs://demo/in", "reading obs://demo/in"),
        ("password=swordfish, again swordfish", "password=[secret], again [secret]"),
        ("\x1b[31mred\x1b[0m\r", "red"),
        ("\x1b]0;pwned\x07title", "title"),
        ("\x9b2Jcleared\x1b[2J", "cleared"),
        ("\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("sword\x1b[1mfish", "[secret]"),
        (" 10 %\r 50 %\r100 %", "100 %"),
        ("a\tb\u2028c\x07", "a\tbc"),
        ("two\nlines", "two lines"),
        ("<{%fg 1%}>red", "<{ %fg 1%}>red"),
        ("::add-mask::running", "| ::add-mask::running"),
        ("  ##[error]no", "|   ##[error]no"),
        ("x" * MAX_LINE_LENGTH, "x" * MAX_LINE_LENGTH),
        ("x" * 3_000_000, "x" * MAX_LINE_LENGTH + "…"),
        ("x" * (MAX_LINE_LENGTH - 5) + "swordfish", "x" * (MAX_LINE_LENGTH - 5) + "[secr…"),
    ],
)
def test_a_line_of_a_log_is_shown_without_secrets_and_without_what_moves_a_terminal(line: str, shown: str) -> None:
    assert shown_line(line, ["swordfish"]) == shown


def test_a_secret_of_several_lines_and_one_with_control_characters_are_masked_in_a_log() -> None:
    assert shown_lines(["a", "x y", "zz", "pass\x07word"], ["x y\nzz", "pass\x07word"]) == [
        "a",
        "[secret]",
        "[secret]",
        "[secret]",
    ]


def test_the_lines_of_a_message_stay() -> None:
    assert shown_text("load: dead\n  | \x1b[31mred\tx\x1b[0m\nFix it.") == "load: dead\n  | red\tx\nFix it."


@given(st.text(st.characters(max_codepoint=0x2FF)))
def test_no_text_keeps_a_control_character(text: str) -> None:
    assert all(character.isprintable() or character in "\n\t" for character in shown_text(text))
    assert "\n" not in shown_line(text, None)
