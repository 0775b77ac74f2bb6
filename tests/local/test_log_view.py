"""The part of a log that the page shows."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_dli.local.errors import ApiError
from pulumi_dli.local.log_view import LINES_PER_PAGE, LogQuery, matches, truncate, view_of
from pulumi_dli.local.logs import JobLogs, NumberedLine


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, LogQuery(3)),
        ({"log": "submission"}, LogQuery(None)),
        ({"log": "1", "from": "7"}, LogQuery(0, 7)),
        ({"log": "", "from": "", "find": " a b "}, LogQuery(3, None, "a b")),
        ({"errors": "only", "find": ""}, LogQuery(3, None, "", errors_only=True)),
        ({"errors": "all"}, LogQuery(3)),
    ],
)
def test_a_query_is_read_and_written(query: dict[str, str], expected: LogQuery) -> None:
    read = LogQuery.read(query, 3)
    assert read == expected
    assert read.is_search == bool(read.text or read.errors_only)


@pytest.mark.parametrize("query", [{"log": "0"}, {"log": "x"}, {"log": "12345"}, {"from": "-1"}, {"from": "\u0661"}])
def test_an_invalid_query_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(ApiError, match="is invalid"):
        LogQuery.read(query, None)


def test_an_address_keeps_the_search_and_leads_to_other_lines() -> None:
    query = LogQuery(0, 7, "a&b", errors_only=True)
    assert query.address("/x") == "/x?log=1&find=a%26b&errors=only&from=7#log-title"
    assert query.address("/x", find="", errors="", **{"from": ""}) == "/x?log=1#log-title"
    assert LogQuery(None, 0).address("/x") == "/x?log=submission&from=0#log-title"


@given(st.lists(st.text("aAb", max_size=3)), st.text("aAb", min_size=1, max_size=2))
def test_a_search_finds_the_lines_that_contain_a_text_in_any_case(texts: list[str], wanted: str) -> None:
    lines = [NumberedLine(number, text) for number, text in enumerate(texts, 1)]
    found = matches(lines, LogQuery(0, text=wanted))
    assert [*found] == [line for line in lines if wanted.lower() in line.text.lower()]


def test_a_stack_is_found_though_a_part_of_it_is_wanted_only() -> None:
    texts = ["reading a", "Traceback (most recent call last):", '  File "a.py"', "ValueError: b"]
    lines = [NumberedLine(number, text) for number, text in enumerate(texts, 1)]
    assert [line.number for line in matches(lines, LogQuery(0, text="a", errors_only=True))] == [2, 3, 4]
    assert [line.number for line in matches(lines, LogQuery(0, text="a.py", errors_only=True))] == [3]


def test_the_parts_of_a_found_line_are_the_line(tmp_path: Path) -> None:
    logs = JobLogs(tmp_path)
    logs.write(0, "a.b aXb A.B", "a" * 5000)
    view = view_of(logs, LogQuery(0, text="A.b"), "/x")
    assert [line.parts for line in view.lines] == [[("a.b", True), (" aXb ", False), ("A.B", True)]]
    view = view_of(logs, LogQuery(0, text="a" * 5000), "/x")
    assert [line.parts for line in view.lines] == [[(truncate("a" * 5000, 4000), False)]]


def test_there_is_nothing_before_the_first_and_after_the_last_line(tmp_path: Path) -> None:
    logs = JobLogs(tmp_path)
    assert view_of(logs, LogQuery(0), "/x").lines == view_of(logs, LogQuery(0, text="a"), "/x").lines == []
    logs.write(0, *map(str, range(LINES_PER_PAGE)))
    for query in (LogQuery(0), LogQuery(0, 0)):
        view = view_of(logs, query, "/x")
        assert (view.earlier, view.later) == (None, None)
    logs.write(0, "one more")
    assert view_of(logs, LogQuery(0), "/x").earlier == "/x?log=1&from=0#log-title"
    assert view_of(logs, LogQuery(0, 0), "/x").later == "/x?log=1&from=500#log-title"
    assert view_of(logs, LogQuery(0, 900), "/x").earlier == "/x?log=1&from=400#log-title"
