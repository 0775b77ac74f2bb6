import os
import stat
import tracemalloc
from pathlib import Path

import pytest

from pulumi_dli.local.logs import JobLogs, LogPage


@pytest.fixture
def logs(tmp_path: Path) -> JobLogs:
    return JobLogs(tmp_path / "job")


def write_raw(logs: JobLogs, attempt: int, data: bytes) -> None:
    with os.fdopen(logs.open_driver(attempt), "wb") as file:
        file.write(data)


def test_each_attempt_has_a_log_of_its_own_beside_that_of_the_submission(logs: JobLogs) -> None:
    logs.write(None, "submitted")
    logs.write(0, "first", "attempt")
    logs.write(1, "second")
    pages = [logs.page(attempt, None, 100) for attempt in (None, 0, 1, 2)]
    assert [page.lines for page in pages] == [["submitted"], ["first", "attempt"], ["second"], []]


def test_a_process_and_the_service_write_to_one_driver_log(logs: JobLogs) -> None:
    write_raw(logs, 0, b"of the process\n")
    logs.write(0, "of the service")
    write_raw(logs, 0, b"more of the process\n")
    assert logs.tail(0) == ("of the process", "of the service", "more of the process")


def test_the_tail_is_ten_lines_of_the_driver_or_else_of_the_submission(logs: JobLogs) -> None:
    assert logs.tail(None) == logs.tail(0) == ()
    logs.write(None, "submitted")
    assert logs.tail(None) == logs.tail(0) == ("submitted",)
    logs.write(0, *(f"line {n}" for n in range(12)))
    assert logs.tail(0) == tuple(f"line {n}" for n in range(2, 12))


def test_the_tail_of_a_large_log_is_read_without_reading_all_of_it(logs: JobLogs) -> None:
    write_raw(logs, 0, b"x" * 200_000 + b"\n" + b"".join(b"%d\n" % n for n in range(10)))
    assert logs.tail(0) == tuple(str(n) for n in range(10))


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"whole\n", ["whole"]),
        (b"whole\nand unfinished", ["whole", "and unfinished"]),
        (b"windows\r\n", ["windows"]),
        (b"\n\nblank\n\n", ["", "", "blank", ""]),
        (b"progress 1%\rprogress 100%\n", ["progress 1%\rprogress 100%"]),
        ("not a line end: \u2028 \x85 \x0b\n".encode(), ["not a line end: \u2028 \x85 \x0b"]),
        (b"not UTF-8: \xff\n", ["not UTF-8: \ufffd"]),
        (b"", []),
    ],
    ids=repr,
)
def test_page_and_tail_see_the_same_lines(logs: JobLogs, data: bytes, lines: list[str]) -> None:
    write_raw(logs, 0, data)
    assert logs.page(0, 0, 100) == LogPage(0, len(lines), lines)
    assert logs.tail(0) == tuple(lines)


def test_a_line_of_many_megabytes_is_not_read_into_memory(logs: JobLogs) -> None:
    part = b"x" * 1_000_000
    with os.fdopen(logs.open_driver(0), "wb") as file:
        file.write(b"before\n")
        for _ in range(50):
            file.write(part)
        file.write(b"\rRESULT=42\nafter\n")
    tracemalloc.start()
    page = logs.page(0, None, 100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000
    assert (page.start, page.total, page.lines[0], page.lines[2]) == (0, 3, "before", "after")
    assert page.lines[1].startswith("xxx")
    assert page.lines[1].endswith("\rRESULT=42")
    assert len(page.lines[1]) <= 64 * 1024


@pytest.mark.parametrize(
    ("start", "size", "page"),
    [
        (None, 2, LogPage(3, 5, ["3", "4"])),
        (None, 9, LogPage(0, 5, ["0", "1", "2", "3", "4"])),
        (1, 2, LogPage(1, 5, ["1", "2"])),
        (4, 9, LogPage(4, 5, ["4"])),
        (9, 1, LogPage(9, 5, [])),
        (10**18 - 1, 10**18 - 1, LogPage(10**18 - 1, 5, [])),
    ],
)
def test_a_page_starts_anywhere_and_without_a_start_at_the_last_lines(
    logs: JobLogs, start: int | None, size: int, page: LogPage
) -> None:
    logs.write(0, *"01234")
    assert logs.page(0, start, size) == page


def test_only_their_owner_reads_logs(logs: JobLogs) -> None:
    logs.write(None, "a secret in args")
    logs.write(0, "a secret in a traceback")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (logs.directory, *sorted(logs.directory.iterdir()))]
    assert modes == [0o700, 0o600, 0o600]


def test_removed_logs_are_gone_and_may_be_removed_again(logs: JobLogs) -> None:
    logs.write(0, "line")
    logs.remove()
    assert not logs.directory.exists()
    logs.remove()
    assert logs.page(0, None, 100) == LogPage(0, 0, [])
